/**
 * Does the proxy of our tests do to a connection what it says?
 *
 * That nothing passes cannot be waited for. What is waited for instead is something that comes later: the client gives
 * the server up, or as much has gone the open way.
 */
import { assert, describe, it } from "@effect/vitest"
import { connect, type NatsConnection, type Status } from "@nats-io/transport-node"
import { Effect, Exit, Scope } from "effect"
import { createConnection, createServer, type AddressInfo, type Socket } from "node:net"
import * as NatsServer from "../support/NatsServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { startConnection } from "../support/ClusterHarness.ts"
import { untilTrue } from "../support/untilTrue.ts"

/** A server of plain sockets that keeps what it hears; each text is answered by itself. */
const startEcho = Effect.acquireRelease(
  Effect.callback<{ port: number; heard: () => number; sockets: Set<Socket>; close: () => void }>((resume) => {
    const sockets = new Set<Socket>()
    let heard = 0
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.on("data", (bytes) => {
        heard += bytes.length
        // answers to what is large would only be in the way
        if (bytes.length < 1000) socket.write(bytes)
      })
      socket.on("end", () => socket.end("end heard"))
      socket.on("error", () => undefined)
      socket.on("close", () => sockets.delete(socket))
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ port, heard: () => heard, sockets, close: () => server.close() }))
    })
  }),
  ({ close, sockets }) =>
    Effect.sync(() => {
      close()
      for (const socket of sockets) socket.destroy()
    })
)

/** A plain client, and what becomes of it. */
const dial = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = createConnection({ host: "127.0.0.1", port, allowHalfOpen: true })
      const seen = { text: "", isConnected: false, isEnded: false, error: "" }
      socket.setEncoding("utf8")
      socket.on("connect", () => (seen.isConnected = true))
      socket.on("data", (text: string) => (seen.text += text))
      socket.on("end", () => (seen.isEnded = true))
      socket.on("error", (error: NodeJS.ErrnoException) => (seen.error = error.code ?? error.message))
      return { socket, seen }
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

const until = (what: string, look: () => boolean) => untilTrue(what, Effect.sync(look))

/** A text sent and come back: whatever took a shorter way is there by then. */
const roundTrip = Effect.fnUntraced(function* (port: number, text = "round trip") {
  const { seen, socket } = yield* dial(port)
  socket.write(text)
  yield* until(`${text} comes back`, () => seen.text === text)
}, Effect.scoped)

const startBetween = Effect.gen(function* () {
  const echo = yield* startEcho
  const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: echo.port })
  return { echo, proxy }
})

/** A NATS client that soon notices a silent server, and tells. */
const startAlert = Effect.fnUntraced(function* (url: string) {
  const nc = yield* Effect.acquireRelease(
    Effect.promise(() =>
      connect({
        servers: url,
        pingInterval: 100,
        maxPingOut: 2,
        timeout: 500,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 50
      })
    ),
    (connection) => Effect.promise(() => connection.close())
  )
  const told: Array<Status["type"]> = []
  void (async () => {
    for await (const { type } of nc.status()) told.push(type)
  })()
  return { nc, hasTold: (type: Status["type"]) => until(`the client tells: ${type}`, () => told.includes(type)) }
})

const collect = (nc: NatsConnection, subject: string) =>
  Effect.promise(async () => {
    const texts: Array<string> = []
    nc.subscribe(subject, { callback: (_, message) => void texts.push(message.string()) })
    await nc.flush()
    return texts
  })

/** A NATS server with a client on the direct way, and a proxy before it. */
const startNats = Effect.gen(function* () {
  const server = yield* NatsServer.start()
  const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: server.port })
  return { server, proxy, direct: yield* startConnection(server.url) }
})

const flush = (nc: NatsConnection) => Effect.promise(() => nc.flush())

const numbers = Array.from({ length: 100 }, (_, index) => String(index))

const megabyte = 1024 * 1024

describe("start()", () => {
  it.live("start() passes bytes, an end and a reset, and counts", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      const ending = yield* dial(proxy.port)
      ending.socket.write("a text")
      yield* until("the text comes back", () => ending.seen.text === "a text")
      assert.deepStrictEqual(proxy.bytes(), { toServer: 6, toClient: 6 })
      assert.strictEqual(proxy.connections(), 1)
      // each direction has an end of its own
      ending.socket.end()
      yield* until("the end is heard, and answered", () => ending.seen.isEnded)
      assert.strictEqual(ending.seen.text, "a textend heard")
      yield* until("nobody is connected", () => proxy.connections() === 0 && echo.sockets.size === 0)

      const reset = yield* dial(proxy.port)
      yield* until("the server has it", () => echo.sockets.size === 1)
      for (const socket of echo.sockets) socket.resetAndDestroy()
      yield* until("the client is reset", () => reset.seen.error === "ECONNRESET")
      yield* until("nobody is connected", () => proxy.connections() === 0)
    })
  )

  it.live("start() resets whoever connects while there is no server, and serves when there is one", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start()
      const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: server.port })
      yield* server.kill
      const { seen } = yield* dial(proxy.port)
      yield* until("the client is reset", () => seen.error === "ECONNRESET")
      yield* server.start
      yield* flush(yield* startConnection(proxy.url))
    })
  )

  it.live("start() leaves nothing after its scope: no connection, no port, whatever it was told before", () =>
    Effect.gen(function* () {
      const echo = yield* startEcho
      for (const told of ["nothing", "cut", "refuse"] as const) {
        const scope = yield* Scope.fork(yield* Effect.scope)
        const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: echo.port }).pipe(Scope.provide(scope))
        const before = yield* dial(proxy.port)
        yield* until("the server has it", () => echo.sockets.size === 1)
        if (told !== "nothing") yield* proxy[told]
        yield* Scope.close(scope, Exit.void)
        yield* until("the client is reset", () => before.seen.error === "ECONNRESET")
        yield* until("the server has nobody", () => echo.sockets.size === 0)
        assert.strictEqual(proxy.connections(), 0)
        const after = yield* dial(proxy.port)
        yield* until("the next is refused", () => after.seen.error === "ECONNREFUSED")
      }
    })
  )
})

describe("cut", () => {
  it.live("cut holds what is sent in both directions, and restore passes all of it, in order", () =>
    Effect.gen(function* () {
      const { direct, proxy } = yield* startNats
      const nc = yield* startConnection(proxy.url)
      const [sent, received] = [yield* collect(direct, "to.server"), yield* collect(nc, "to.client")]
      yield* proxy.cut
      const before = proxy.bytes()
      for (const text of numbers) {
        nc.publish("to.server", text)
        direct.publish("to.client", text)
      }
      yield* flush(direct)
      yield* roundTripOf(direct)
      assert.deepStrictEqual([sent, received], [[], []])
      assert.deepStrictEqual(proxy.bytes(), before)
      yield* proxy.restore()
      yield* until("all has come", () => sent.length === 100 && received.length === 100)
      assert.deepStrictEqual([sent, received], [numbers, numbers])
    })
  )

  it.live("cut is silence: the client gives the server up by itself, and is back after restore", () =>
    Effect.gen(function* () {
      const { proxy } = yield* startNats
      const { hasTold, nc } = yield* startAlert(proxy.url)
      yield* proxy.cut
      const before = proxy.bytes()
      yield* hasTold("staleConnection")
      yield* hasTold("reconnecting")
      assert.deepStrictEqual(proxy.bytes(), before)
      yield* proxy.restore()
      yield* hasTold("reconnect")
      yield* flush(nc)
    })
  )

  it.live("cut accepts who connects, and leads them to the server only after restore", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      yield* proxy.cut
      const { seen, socket } = yield* dial(proxy.port)
      socket.write("early")
      yield* until("the client is connected", () => seen.isConnected && proxy.connections() === 1)
      yield* roundTrip(echo.port)
      assert.deepStrictEqual([seen.text, seen.error], ["", ""])
      yield* until("the server has nobody", () => echo.sockets.size === 0)
      yield* proxy.restore()
      yield* until("the text comes back", () => seen.text === "early")
    })
  )

  it.live("cut keeps the end of a connection from the other side; one that was not led on is forgotten", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      const ended = yield* dial(proxy.port)
      const reset = yield* dial(proxy.port)
      yield* until("the server has both", () => echo.sockets.size === 2)
      yield* proxy.cut
      const early = yield* dial(proxy.port)
      yield* until("three are connected", () => proxy.connections() === 3)
      ended.socket.end()
      reset.socket.resetAndDestroy()
      early.socket.end()
      yield* until("the one that came late is forgotten", () => proxy.connections() === 2)
      yield* roundTrip(echo.port)
      yield* until("the server has both still", () => echo.sockets.size === 2)
      assert.isFalse(ended.seen.isEnded)
      yield* proxy.restore()
      yield* until("the end is heard, and answered", () => ended.seen.text === "end heard")
      yield* until("nobody is connected", () => proxy.connections() === 0 && echo.sockets.size === 0)
    })
  )

  it.live("cut leaves what is sent with its sender, beyond what the kernel holds", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      const open = yield* TcpProxy.start({ host: "127.0.0.1", port: echo.port })
      const [held, passed] = [yield* dial(proxy.port), yield* dial(open.port)]
      yield* until("the server has both", () => echo.sockets.size === 2)
      yield* proxy.cut
      const bytes = Buffer.alloc(64 * megabyte)
      held.socket.write(bytes)
      passed.socket.write(bytes)
      yield* until("as much has gone the open way", () => echo.heard() === bytes.length)
      assert.isAbove(held.socket.writableLength, bytes.length / 2)
      assert.strictEqual(proxy.bytes().toServer, 0)
      yield* proxy.restore()
      yield* until("all has come", () => echo.heard() === 2 * bytes.length)
      assert.strictEqual(proxy.bytes().toServer, bytes.length)
    })
  )
})

/** A request and its answer between two subscribers of one connection. */
const roundTripOf = (nc: NatsConnection) =>
  Effect.promise(async () => {
    const answering = nc.subscribe("round.trip", { max: 1, callback: (_, message) => void message.respond() })
    await nc.request("round.trip")
    await answering.closed
  })

describe("cutOneWay()", () => {
  it.live("cutOneWay(toServer) holds what the client sends; it hears the server, until it misses an answer", () =>
    Effect.gen(function* () {
      const { direct, proxy } = yield* startNats
      const { hasTold, nc } = yield* startAlert(proxy.url)
      const [sent, received] = [yield* collect(direct, "to.server"), yield* collect(nc, "to.client")]
      yield* proxy.cutOneWay("toServer")
      nc.publish("to.server", "lost")
      direct.publish("to.client", "heard")
      yield* until("the client hears", () => received.includes("heard"))
      yield* hasTold("staleConnection")
      yield* roundTripOf(direct)
      assert.deepStrictEqual(sent, [])
    })
  )

  it.live("cutOneWay(toClient) holds what the server sends; it hears the client, which misses the answers", () =>
    Effect.gen(function* () {
      const { direct, proxy } = yield* startNats
      const { hasTold, nc } = yield* startAlert(proxy.url)
      const [sent, received] = [yield* collect(direct, "to.server"), yield* collect(nc, "to.client")]
      yield* proxy.cutOneWay("toClient")
      direct.publish("to.client", "lost")
      nc.publish("to.server", "heard")
      yield* until("the server hears", () => sent.includes("heard"))
      yield* hasTold("staleConnection")
      assert.deepStrictEqual(received, [])
    })
  )

  it.live("cutOneWay() of both ways is a cut; restore undoes both", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      const { seen, socket } = yield* dial(proxy.port)
      yield* until("the server has it", () => echo.sockets.size === 1)
      yield* proxy.cutOneWay("toClient")
      socket.write("first")
      yield* until("the server hears", () => echo.heard() === 5)
      yield* proxy.cutOneWay("toServer")
      socket.write("second")
      yield* roundTrip(echo.port, "third")
      assert.strictEqual(echo.heard(), 10)
      assert.strictEqual(seen.text, "")
      yield* proxy.restore()
      yield* until("all comes back", () => seen.text === "firstsecond")
    })
  )
})

describe("reset", () => {
  it.live("reset ends each connection by RST, and a NATS client comes back through the same proxy", () =>
    Effect.gen(function* () {
      const { direct, proxy } = yield* startNats
      const { hasTold, nc } = yield* startAlert(proxy.url)
      const plain = yield* dial(proxy.port)
      const received = yield* collect(nc, "to.client")
      yield* until("the server greets", () => plain.seen.text.startsWith("INFO"))
      yield* proxy.reset
      yield* until("the plain one is reset", () => plain.seen.error === "ECONNRESET")
      yield* hasTold("disconnect")
      yield* hasTold("reconnect")
      yield* flush(nc)
      direct.publish("to.client", "again")
      yield* until("the client hears again", () => received.includes("again"))
    })
  )

  it.live("reset works through a cut, and leaves it", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      const before = yield* dial(proxy.port)
      yield* until("the server has it", () => echo.sockets.size === 1)
      yield* proxy.cut
      yield* proxy.reset
      yield* until("the client is reset", () => before.seen.error === "ECONNRESET")
      yield* until("the server has nobody", () => echo.sockets.size === 0)
      const after = yield* dial(proxy.port)
      after.socket.write("held")
      yield* until("the next is connected", () => after.seen.isConnected)
      yield* roundTrip(echo.port)
      assert.strictEqual(after.seen.text, "")
      yield* proxy.restore()
      yield* until("the text comes back", () => after.seen.text === "held")
    })
  )

  it.live("restore(reset) loses what was held with its connection; who connects then is served", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      const { seen, socket } = yield* dial(proxy.port)
      yield* until("the server has it", () => echo.sockets.size === 1)
      yield* proxy.cut
      socket.write("lost")
      yield* proxy.restore("reset")
      yield* until("the client is reset", () => seen.error === "ECONNRESET")
      yield* roundTrip(proxy.port, "served")
      assert.strictEqual(echo.heard(), "served".length)
    })
  )
})

describe("halfOpen", () => {
  it.live("halfOpen ends the server's side by RST; the client hears nothing, and who connects again is served", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      const forgotten = yield* dial(proxy.port)
      forgotten.socket.write("a text")
      yield* until("the text comes back", () => forgotten.seen.text === "a text")
      yield* proxy.halfOpen
      yield* until("the server is rid of it", () => echo.sockets.size === 0)
      forgotten.socket.write("in vain")
      yield* roundTrip(proxy.port)
      assert.deepStrictEqual(forgotten.seen, { text: "a text", isConnected: true, isEnded: false, error: "" })
    })
  )
})

describe("lose()", () => {
  it.live("lose() makes what is lost late, gives a connection up where it is lost again, and is taken away by 0", () =>
    Effect.gen(function* () {
      const { proxy } = yield* startBetween
      // lost, and sent again with success
      const late = [0, 0.5]
      yield* proxy.lose(0.1, () => late.shift() ?? 1)
      const startedMs = performance.now()
      yield* roundTrip(proxy.port)
      assert.isAtLeast(performance.now() - startedMs, 150)
      assert.deepStrictEqual(late, [])
      yield* proxy.lose(0.1, () => 0)
      const given = yield* dial(proxy.port)
      given.socket.write("a text")
      yield* until("the client is reset", () => given.seen.error === "ECONNRESET")
      yield* proxy.lose(0)
      yield* roundTrip(proxy.port)
    })
  )
})

describe("refuse", () => {
  it.live("refuse turns away who connects and keeps who is connected; restore listens on the same port", () =>
    Effect.gen(function* () {
      const { proxy } = yield* startNats
      const nc = yield* startConnection(proxy.url)
      yield* proxy.refuse
      const { seen } = yield* dial(proxy.port)
      yield* until("the next is refused", () => seen.error === "ECONNREFUSED")
      yield* flush(nc)
      assert.strictEqual(proxy.connections(), 1)
      yield* proxy.restore()
      yield* flush(yield* startConnection(proxy.url))
      assert.strictEqual(proxy.connections(), 2)
    })
  )

  it.live("refuse and reset keep a NATS client away until restore", () =>
    Effect.gen(function* () {
      const { proxy } = yield* startNats
      const { hasTold, nc } = yield* startAlert(proxy.url)
      yield* proxy.refuse
      yield* proxy.refuse
      yield* proxy.reset
      yield* hasTold("reconnecting")
      yield* until("nobody is connected", () => proxy.connections() === 0)
      yield* proxy.restore()
      yield* proxy.restore()
      yield* hasTold("reconnect")
      yield* flush(nc)
    })
  )
})

describe("delay()", () => {
  it.live("delay() makes an answer late by two of it, loses no order, and is taken away by 0", () =>
    Effect.gen(function* () {
      const { direct, proxy } = yield* startNats
      const nc = yield* startConnection(proxy.url)
      const sent = yield* collect(direct, "to.server")
      const delayMs = 150
      yield* proxy.delay(delayMs)
      const rtt = Effect.promise(() => nc.rtt())
      assert.isAtLeast(yield* rtt, 2 * delayMs - 2)
      for (const text of numbers) nc.publish("to.server", text)
      yield* proxy.delay(0)
      yield* until("all has come", () => sent.length === 100)
      assert.deepStrictEqual(sent, numbers)
      yield* untilTrue(
        "answers come at once",
        Effect.map(rtt, (ms) => ms < delayMs)
      )
    })
  )

  it.live("delay() holds each direction by itself, and what is more than fits stays with its sender", () =>
    Effect.gen(function* () {
      const { echo, proxy } = yield* startBetween
      const { socket } = yield* dial(proxy.port)
      yield* until("the server has it", () => echo.sockets.size === 1)
      yield* proxy.delay(100)
      const bytes = Buffer.alloc(32 * megabyte)
      const startedAt = performance.now()
      socket.write(bytes)
      yield* until("all has come", () => echo.heard() === bytes.length)
      // four megabytes wait at a time, and each of them a tenth of a second
      assert.isAtLeast(performance.now() - startedAt, 700)
    })
  )
})
