/**
 * How does a test get a nats-server that it may kill, freeze and start again?
 *
 * One process after another on the same port and the same store, in a folder of its own, all gone with the scope. A
 * host's own server is another matter: see runtime/nats/EmbeddedServer.ts.
 */
import { jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { type ProcessVerbs, verbsOf } from "./ReadyProcess.ts"
import { freePort } from "./TcpProxy.ts"
import { untilTrue } from "./untilTrue.ts"

/** A server, and whatever process it is just now. */
export interface NatsServer extends Omit<ProcessVerbs, "pid"> {
  readonly url: string
  readonly port: number
  /** The process of now, or the last one. */
  readonly pid: () => number
  /** Starts it again after `stop` or `kill`, and waits until it serves JetStream. Dies where it runs already. */
  readonly start: Effect.Effect<void>
  /** All that it has logged, in all its lives. */
  readonly log: () => string
}

/** How it differs from what an operator would run. */
export interface NatsServerSettings {
  /** When what it acknowledges is forced to the disk: `"always"` at once; without it, as the server likes. */
  readonly syncInterval?: "always" | `${number}${"ms" | "s" | "m"}`
  /** How often it looks whether a client still lives; each second without it. */
  readonly pingInterval?: `${number}${"s" | "m"}`
  /** The cluster that it is a server of; alone without it. */
  readonly cluster?: Membership
}

/** A server's place in a cluster: the port on which it hears the others, and theirs. */
interface Membership {
  readonly port: number
  readonly others: ReadonlyArray<number>
}

const binary = process.env["SEAMLESS_NATS_SERVER"] ?? "nats-server"

// After a kill it reads what is stored before it serves.
const startTimeoutMs = 60_000

// On loopback an answer takes a millisecond.
const answerTimeoutMs = 1000

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-nats-"))),
  // a server that was killed may still write its last file
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

// clients are not told of the other servers: a test decides which way they go
const clusterPart = ({ others, port }: Membership): string => `
cluster {
  name: "test"
  host: 127.0.0.1
  port: ${port}
  no_advertise: true
  routes: ${JSON.stringify(others.map((other) => `nats://127.0.0.1:${other}`))}
}
`

/** Where a server's store is, and where it listens. */
interface Place {
  readonly root: string
  readonly port: number
  readonly monitorPort: number
}

const configuration = (
  { monitorPort, port, root }: Place,
  { cluster, pingInterval = "1s", syncInterval }: NatsServerSettings
): string => `
server_name: "test-${port}"
host: 127.0.0.1
port: ${port}
http: 127.0.0.1:${monitorPort}
max_payload: 8MB
ping_interval: ${JSON.stringify(pingInterval)}
ping_max: 2
jetstream {
  store_dir: ${JSON.stringify(join(root, "jetstream"))}
  ${syncInterval === undefined ? "" : `sync_interval: ${JSON.stringify(syncInterval)}`}
}
${cluster === undefined ? "" : clusterPart(cluster)}
`

/** Whether it has caught up with what it stores, and answers a question to JetStream. */
const serves = (url: string, monitorPort: number): Effect.Effect<boolean> =>
  Effect.tryPromise(async () => {
    const health = await fetch(`http://127.0.0.1:${monitorPort}/healthz`, {
      signal: AbortSignal.timeout(answerTimeoutMs)
    })
    if (!health.ok) return false
    const nc = await connect({ servers: url, reconnect: false, timeout: answerTimeoutMs })
    try {
      const manager = await jetstreamManager(nc, { timeout: answerTimeoutMs })
      await manager.getAccountInfo()
    } finally {
      await nc.close()
    }
    return true
  }).pipe(Effect.orElseSucceed(() => false))

const launch = (config: string, log: string): ChildProcess => {
  const output = openSync(log, "a")
  const child = spawn(binary, ["-c", config], { stdio: ["ignore", output, output] })
  closeSync(output)
  return child
}

/** Dies when the process ends, with the log, which says why. */
const ending = (child: ChildProcess, log: string): Effect.Effect<never> =>
  Effect.callback((resume) => {
    const onEnd = (how: Error | number | null) =>
      resume(Effect.die(new Error(`${binary} ended (${String(how)}):\n${readFileSync(log, "utf8")}`)))
    child.once("error", onEnd)
    child.once("exit", onEnd)
    return Effect.sync(() => void child.off("exit", onEnd))
  })

/** Starts a server, and waits until it serves JetStream; on the real clock only. */
export const start = (settings: NatsServerSettings = {}): Effect.Effect<NatsServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const root = yield* folder
    const port = yield* freePort
    const monitorPort = yield* freePort
    const url = `nats://127.0.0.1:${port}`
    const [config, log] = [join(root, "nats.conf"), join(root, "nats.log")]
    writeFileSync(config, configuration({ root, port, monitorPort }, settings))

    let child: ChildProcess | undefined
    const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null
    const verb = (name: "stop" | "kill" | "freeze" | "thaw") => Effect.suspend(() => verbsOf(child!)[name])

    const startAgain = Effect.suspend(() => {
      // two on one store would both acknowledge, and ruin it
      if (isRunning()) return Effect.die(new Error(`${url} runs already`))
      child = launch(config, log)
      const served = untilTrue(`${url} serves JetStream`, serves(url, monitorPort), startTimeoutMs)
      return Effect.raceFirst(served, ending(child, log))
    })

    yield* Effect.addFinalizer(() => (isRunning() ? verb("stop") : Effect.void))
    yield* startAgain
    return {
      url,
      port,
      pid: () => child!.pid!,
      start: startAgain,
      stop: verb("stop"),
      kill: verb("kill"),
      freeze: verb("freeze"),
      thaw: verb("thaw"),
      log: () => readFileSync(log, "utf8")
    }
  })
