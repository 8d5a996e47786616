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

const configuration = (
  root: string,
  port: number,
  { pingInterval = "1s", syncInterval }: NatsServerSettings
): string => `
server_name: "test-${port}"
host: 127.0.0.1
port: ${port}
max_payload: 8MB
ping_interval: ${JSON.stringify(pingInterval)}
ping_max: 2
jetstream {
  store_dir: ${JSON.stringify(join(root, "jetstream"))}
  ${syncInterval === undefined ? "" : `sync_interval: ${JSON.stringify(syncInterval)}`}
}
`

/** Whether it answers a question to JetStream. */
const serves = (url: string): Effect.Effect<boolean> =>
  Effect.tryPromise(async () => {
    const nc = await connect({ servers: url, reconnect: false, timeout: answerTimeoutMs })
    try {
      const manager = await jetstreamManager(nc, { timeout: answerTimeoutMs })
      await manager.getAccountInfo()
    } finally {
      await nc.close()
    }
  }).pipe(
    Effect.as(true),
    Effect.catch(() => Effect.succeed(false))
  )

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
    const url = `nats://127.0.0.1:${port}`
    const [config, log] = [join(root, "nats.conf"), join(root, "nats.log")]
    writeFileSync(config, configuration(root, port, settings))

    let child: ChildProcess | undefined
    const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null
    const verb = (name: "stop" | "kill" | "freeze" | "thaw") => Effect.suspend(() => verbsOf(child!)[name])

    const startAgain = Effect.suspend(() => {
      // two on one store would both acknowledge, and ruin it
      if (isRunning()) return Effect.die(new Error(`${url} runs already`))
      child = launch(config, log)
      const served = untilTrue(`${url} serves JetStream`, serves(url), startTimeoutMs)
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
