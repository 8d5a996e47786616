/**
 * How is a connection to NATS made and kept?
 *
 * It reconnects for ever, finds a frozen server within seconds, and never replays a write by itself: what became of a
 * write without an answer is for its writer to settle.
 */
import { connect as connectTransport, type NatsConnection } from "@nats-io/transport-node"
import { Duration, Effect, type Scope } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"

/** Where to connect, and as whom. */
export interface ConnectOptions {
  /** Addresses, such as `nats://127.0.0.1:4222`, separated by commas. */
  readonly servers: string
  /** Shown by the server beside the connection. */
  readonly name: string
  /** How long the first connection may take, in milliseconds. */
  readonly timeoutMs?: number
}

/** A connection. */
export interface Connection {
  readonly nc: NatsConnection
  /** Called after each reconnection. */
  readonly reconnectHandlers: Set<() => void>
  /** Whether it stands, as far as is known. */
  isUp: boolean
}

/** Servers before this lack per-key time to live and batch reads of several subjects. */
const serverVersionMin = [2, 12] as const

const connectTimeoutMs = 5000
// the library forgets the socket of a server that takes longer to greet than it is given
const greetingMsMin = 1000

const isOld = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major < serverVersionMin[0] || (major === serverVersionMin[0] && minor < serverVersionMin[1])
}

const open = async ({ name, servers, timeoutMs = connectTimeoutMs }: ConnectOptions): Promise<Connection> => {
  const addresses = servers.split(",")
  const nc = await connectTransport({
    servers: addresses,
    name,
    // they are tried one after another: one that gives no answer leaves time for the others
    timeout: Math.max(timeoutMs / addresses.length, greetingMsMin),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    // a server that is frozen, not gone, is found by two pings without an answer
    pingInterval: 1000,
    maxPingOut: 2,
    noAsyncTraces: true
  })
  return { nc, reconnectHandlers: new Set(), isUp: true }
}

const follow = async (connection: Connection): Promise<void> => {
  for await (const { type } of connection.nc.status()) {
    if (type === "disconnect" || type === "close") connection.isUp = false
    if (type !== "reconnect") continue
    connection.isUp = true
    for (const handler of connection.reconnectHandlers) handler()
  }
}

const unavailable = (servers: string, reason: string) =>
  new MeshUnavailable({ operation: `connect to ${servers}`, reason })

/** A connection; one that stands only when nobody waits for it any more is closed. */
const opened = (options: ConnectOptions): Effect.Effect<Connection, MeshUnavailable> => {
  const { servers, timeoutMs = connectTimeoutMs } = options
  return Effect.tryPromise({
    try: async (signal) => {
      const connection = await open(options)
      if (signal.aborted) await connection.nc.close()
      return connection
    },
    catch: (cause) => unavailable(servers, String(cause))
  }).pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(timeoutMs),
      orElse: () => Effect.fail(unavailable(servers, `there was no connection within ${timeoutMs} ms`))
    })
  )
}

/** A connection that lives as long as the scope, and is drained at its end. */
export const connect = (options: ConnectOptions): Effect.Effect<Connection, MeshUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* Effect.acquireRelease(
      opened(options),
      ({ nc }) =>
        Effect.promise(async () => {
          if (!nc.isClosed()) await nc.drain().catch(() => nc.close())
        }).pipe(Effect.timeoutOption("2 seconds"), Effect.ignore),
      { interruptible: true }
    )
    const version = connection.nc.info?.version ?? "0"
    if (isOld(version)) {
      const least = serverVersionMin.join(".")
      return yield* unavailable(options.servers, `the server is ${version}, and Seamless needs ${least} or newer`)
    }
    yield* Effect.forkScoped(Effect.promise(() => follow(connection)))
    return connection
  })
