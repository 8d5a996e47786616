/**
 * How does a test come between two programs that speak TCP?
 *
 * A proxy on loopback that passes bytes until it is told otherwise: it can fall silent, in one direction or in both,
 * be slow, stall and break as where packets are lost, reset what is connected or the far side of it alone, or refuse
 * who connects. It speaks no protocol, and runs in the test's own process, on the real clock. Its port is the same for
 * its whole life.
 */
import { Effect, type Scope } from "effect"
import { createServer, type Server, Socket } from "node:net"
import process from "node:process"

/** Where the proxy passes connections on to. */
interface Target {
  readonly host: string
  readonly port: number
}

/** A direction, as the one who connects sees it. */
type Way = "toServer" | "toClient"

/** A proxy that listens. */
export interface TcpProxy {
  readonly port: number
  /** What a NATS client connects to. */
  readonly url: string
  /**
   * A black hole: nothing passes, neither bytes nor the end of a connection. Who connects is accepted, hears nothing,
   * and is led on to the server once the way there is open. What is under way waits, for the most part unread, so that
   * senders feel it when the kernel's buffers are full.
   */
  readonly cut: Effect.Effect<void>
  /** The same for one direction; the other stays as it is. */
  readonly cutOneWay: (way: Way) => Effect.Effect<void>
  /**
   * Undoes `cut`, `cutOneWay` and `refuse`; a delay and a loss stay. What waits passes, in its order; with `"reset"` it is lost
   * with its connections, and only new ones work.
   */
  readonly restore: (waiting?: "pass" | "reset") => Effect.Effect<void>
  /** Ends all connections by RST, on both sides, cut or not; who connects again is served as before. */
  readonly reset: Effect.Effect<void>
  /**
   * Ends all connections by RST on the server's side, and tells the clients nothing: as after the fall of a machine in
   * between, which nobody hears of who does not ask. Who connects again is served as before.
   */
  readonly halfOpen: Effect.Effect<void>
  /** Listens no longer, until `restore`: who connects is refused. What is connected stays so. */
  readonly refuse: Effect.Effect<void>
  /** Adds a latency to each direction, for what is sent from now on; 0 takes it away. */
  readonly delay: (ms: number) => Effect.Effect<void>
  /**
   * Loses that share of the packets, for what is sent from now on; 0 takes it away. TCP sends them again, so what is
   * seen of it are stalls, and now and then a connection that is given up. Which ones `next` decides, from 0 to below 1.
   */
  readonly lose: (share: number, next?: () => number) => Effect.Effect<void>
  /** How many are connected: those who wait, too, and those whose end the other side has not been told. */
  readonly connections: () => number
  /** How many bytes have passed, in all connections so far. */
  readonly bytes: () => Readonly<Record<Way, number>>
}

const loopback = "127.0.0.1"

// What waits for its delay; beyond it the sender is not read. More than a fast sender brings up in a short delay.
const waitingBytesMax = 4 * 1024 * 1024

// What is lost is sent again after so long, as Linux has it at the least.
const sentAgainMs = 200

// Of the packets that are lost, so many are lost again and again.
const givenUpShare = 0.02

// More are a leak of the test's.
const connectionsMax = 1000

// Below those that the kernel gives out by itself: there, a client that tries a refused port again and again would
// one day be given that very port, and be connected to itself; or another would have it when we want it back.
const ports = { first: 10_000, count: 20_000 }

// test files run in processes of their own: each begins elsewhere
let portsTried = process.pid * 100

/** Listens on a port of loopback; dies where it is taken. */
const listen = (port: number, accept: (client: Socket) => void): Effect.Effect<Server> =>
  Effect.callback((resume) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
    server.maxConnections = connectionsMax
    server.once("error", (cause) => resume(Effect.die(cause)))
    server.listen(port, loopback, () => resume(Effect.succeed(server)))
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback((resume) => void server.close(() => resume(Effect.void)))

/** A port of loopback that nobody has, and that nobody gets who does not ask for it; never the same twice in a row. */
export const freePort: Effect.Effect<number> = Effect.suspend(() => {
  const port = ports.first + (portsTried++ % ports.count)
  return Effect.as(
    Effect.flatMap(
      listen(port, (client) => void client.destroy()),
      close
    ),
    port
  )
}).pipe(Effect.sandbox, Effect.retry({ times: 100 }), Effect.orDie)

/** What all connections of a proxy have in common. */
interface Network {
  readonly cut: Record<Way, boolean>
  readonly bytes: Record<Way, number>
  delayMs: number
  /** How much longer the next packet takes; null where the connection is given up. */
  lossMs: () => number | null
}

const noLoss = (): number => 0

const lossOf = (share: number, next: () => number) => (): number | null => {
  if (next() >= share) return 0
  return next() < givenUpShare ? null : sentAgainMs
}

/** One direction of one connection. */
interface Lane {
  /** Passes what may pass now; called whenever something has changed. */
  readonly advance: () => void
  /** The source was reset: so is the sink, when it hears of it. */
  readonly reset: () => void
}

interface Waiting {
  readonly dueMs: number
  readonly what: Buffer | "end" | "reset"
}

const resetSocket = (socket: Socket): void => {
  if (socket.destroyed) return
  if (socket.pending) socket.destroy()
  else socket.resetAndDestroy()
}

const makeLane = (network: Network, way: Way, source: Socket, sink: Socket): Lane => {
  let waiting: Array<Waiting> = []
  let waitingBytes = 0
  let timer: NodeJS.Timeout | undefined

  const isReady = (what: Waiting["what"]): boolean => what === "reset" || !(sink.connecting || sink.writableNeedDrain)

  const pass = (what: Waiting["what"]): void => {
    if (what === "end") sink.end()
    else if (what === "reset") resetSocket(sink)
    else {
      waitingBytes -= what.length
      network.bytes[way] += what.length
      sink.write(what)
    }
  }

  /** The first in line, unless it may not pass whatever the time is. */
  const first = (): Waiting | undefined => {
    const [head] = waiting
    return head !== undefined && !network.cut[way] && isReady(head.what) ? head : undefined
  }

  const advance = (): void => {
    clearTimeout(timer)
    if (sink.destroyed) waiting = []
    let next = first()
    while (next !== undefined && next.dueMs <= performance.now()) {
      waiting.shift()
      pass(next.what)
      next = first()
    }
    if (next !== undefined) timer = setTimeout(advance, Math.max(0, next.dueMs - performance.now()))
    // what is not read stays in the kernel, and there its sender notices
    const reads = !network.cut[way] && !sink.destroyed && !sink.writableNeedDrain && waitingBytes < waitingBytesMax
    if (reads) source.resume()
    else source.pause()
  }

  const add = (what: Waiting["what"], lostMs = 0): void => {
    waiting.push({ dueMs: performance.now() + network.delayMs + lostMs, what })
    advance()
  }

  source.pause()
  source.on("data", (bytes: Buffer) => {
    const lostMs = network.lossMs()
    if (lostMs === null) {
      resetSocket(source)
      return resetSocket(sink)
    }
    waitingBytes += bytes.length
    add(bytes, lostMs)
  })
  source.on("end", () => add("end"))
  sink.on("drain", advance)
  sink.on("connect", advance)
  sink.on("close", advance)

  const reset = (): void => {
    // as with TCP, it overtakes the bytes before it
    waiting = []
    waitingBytes = 0
    add("reset")
  }
  return { advance, reset }
}

/** A connection through the proxy: that of the client, and ours to the server. */
interface Link {
  /** Does what may be done now; called whenever the network has changed. */
  readonly advance: () => void
  readonly reset: () => void
  readonly halfOpen: () => void
}

interface LinkOptions {
  readonly network: Network
  readonly target: Target
  readonly client: Socket
  readonly onClose: (link: Link) => void
}

const makeLink = ({ client, network, onClose, target }: LinkOptions): Link => {
  const server = new Socket({ allowHalfOpen: true }).setNoDelay(true)
  const lanes = {
    toServer: makeLane(network, "toServer", client, server),
    toClient: makeLane(network, "toClient", server, client)
  }
  let isDialled = false
  let isHalfOpen = false

  const advance = (): void => {
    if (!isDialled && !network.cut.toServer && !client.destroyed) {
      isDialled = true
      server.connect(target)
    }
    lanes.toServer.advance()
    lanes.toClient.advance()
  }
  const link: Link = {
    advance,
    reset: () => {
      resetSocket(client)
      resetSocket(server)
    },
    halfOpen: () => {
      isHalfOpen = true
      // what has not been led on yet never is
      isDialled = true
      resetSocket(server)
    }
  }

  const onClosed = (lane: Lane) => (isBroken: boolean) => {
    if (isBroken && !isHalfOpen) lane.reset()
    if (client.closed && server.closed) onClose(link)
  }
  // why it broke is of no interest: "close" follows
  client.on("error", () => undefined)
  server.on("error", () => undefined)
  client.on("close", onClosed(lanes.toServer))
  server.on("close", onClosed(lanes.toClient))
  // the server never hears of one who went before being led on
  const forget = () => {
    if (!isDialled) link.reset()
  }
  client.on("end", forget)
  client.on("close", forget)
  advance()
  return link
}

interface Switchboard {
  readonly network: Network
  readonly links: Set<Link>
  readonly accept: (client: Socket) => void
}

const makeSwitchboard = (target: Target): Switchboard => {
  const network: Network = {
    cut: { toServer: false, toClient: false },
    bytes: { toServer: 0, toClient: 0 },
    delayMs: 0,
    lossMs: noLoss
  }
  const links = new Set<Link>()
  const onClose = (link: Link): void => void links.delete(link)
  return { network, links, accept: (client) => void links.add(makeLink({ client, network, onClose, target })) }
}

/** A proxy before a server, which need not be there yet; gone with the scope, and so is each of its connections. */
export const start = (target: Target): Effect.Effect<TcpProxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { accept, links, network } = makeSwitchboard(target)
    const port = yield* freePort
    let listening: Server | undefined

    const reset = Effect.sync(() => {
      for (const link of links) link.reset()
    })
    const halfOpen = Effect.sync(() => {
      for (const link of links) link.halfOpen()
    })
    const cutWays = (ways: ReadonlyArray<Way>, isCut: boolean) =>
      Effect.sync(() => {
        for (const way of ways) network.cut[way] = isCut
        for (const link of links) link.advance()
      })
    const listenAgain = Effect.suspend(() =>
      listening?.listening === true
        ? Effect.void
        : Effect.map(listen(port, accept), (server) => void (listening = server))
    )
    const refuse = Effect.sync(() => void listening?.close())
    const both = ["toServer", "toClient"] as const

    // closing waits for the connections
    const end = Effect.suspend(() =>
      listening?.listening === true ? Effect.all([close(listening), reset], { concurrency: 2 }) : reset
    )
    yield* Effect.acquireRelease(listenAgain, () => end)
    return {
      port,
      url: `nats://${loopback}:${port}`,
      cut: cutWays(both, true),
      cutOneWay: (way) => cutWays([way], true),
      restore: (waiting = "pass") =>
        Effect.all([waiting === "reset" ? reset : Effect.void, cutWays(both, false), listenAgain], { discard: true }),
      reset,
      halfOpen,
      refuse,
      delay: (ms) => Effect.sync(() => void (network.delayMs = ms)),
      lose: (share, next = Math.random) =>
        Effect.sync(() => void (network.lossMs = share === 0 ? noLoss : lossOf(share, next))),
      connections: () => links.size,
      bytes: () => ({ ...network.bytes })
    }
  })
