/**
 * How does a nats-server die with the process that started it, even if that is killed outright?
 *
 * A pipe from the parent runs into a small shell. The shell waits for leave to start, sets a watcher in the background
 * and then becomes the server, so that the child's process id is the server's. The watcher reads the pipe: the kernel
 * closes it when the parent dies, and the watcher then ends the server.
 */
import { Data, Deferred, Effect, Option, type Scope } from "effect"
import { type ChildProcess, execFileSync, spawn as spawnChild } from "node:child_process"
import { closeSync, openSync, readFileSync } from "node:fs"
import process from "node:process"
import { Writable } from "node:stream"
import type { ServerFolder } from "./ServerFolder.ts"

// It closes its store in milliseconds; one that doesn't is frozen.
const stopTimeout = "5 seconds"

// After these the watcher kills: with them an orphan is gone within 5 seconds.
const watcherPatienceSeconds = 3

// $$ stays the main shell's id in the subshell, and exec keeps it: it's the server's.
const guard = `
read -r leave <&3 || exit 1
(
  trap '' HUP INT TERM
  read -r ended <&3 && exit 0
  kill -TERM $$
  waited=0
  while kill -0 $$ && [ $waited -lt ${watcherPatienceSeconds} ]; do sleep 1; waited=$((waited + 1)); done
  [ $waited -lt ${watcherPatienceSeconds} ] || kill -KILL $$
) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&-
`

/** The shell that would become the server could not be run. */
export class SpawnFailed extends Data.TaggedError("SpawnFailed")<{ readonly reason: string }> {}

/** A server under guard. */
export interface ServerProcess {
  readonly pid: number
  /** Lets it start; until then no store is open, and it goes away if this process dies. */
  readonly allowStart: Effect.Effect<void>
  /** Waits for its end; says how it ended. */
  readonly ended: Effect.Effect<string>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
}

const spawnGuard = (binary: string, folder: ServerFolder): ChildProcess => {
  // what it says before its own log is open, as on a wrong configuration, belongs into the same log
  const log = openSync(folder.log, "a")
  try {
    return spawnChild("sh", ["-c", guard, "nats-guard", binary, "-c", folder.config], {
      // a session of its own: an interrupt at the terminal is for us, and the server stops after its clients
      detached: true,
      stdio: ["ignore", log, log, "pipe"]
    })
  } finally {
    closeSync(log)
  }
}

const fromChild = (child: ChildProcess): ServerProcess | undefined => {
  const ended = Deferred.makeUnsafe<string>()
  // before the first return: a child that never came to be says so in an event, too
  child.on("error", (cause) => Deferred.doneUnsafe(ended, Effect.succeed(cause.message)))
  const pipe = child.stdio[3]
  if (child.pid === undefined || !(pipe instanceof Writable)) return undefined
  // a guard that is dead already doesn't read
  pipe.on("error", () => undefined)
  child.on("exit", (code, signal) => {
    // the watcher must not kill by an id that may soon be another's
    pipe.end("ended\n")
    Deferred.doneUnsafe(ended, Effect.succeed(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
  return {
    pid: child.pid,
    allowStart: Effect.sync(() => void pipe.write("start\n")),
    ended: Deferred.await(ended),
    kill: (signal) => Effect.sync(() => void child.kill(signal))
  }
}

const stop = Effect.fnUntraced(function* (server: ServerProcess) {
  yield* server.kill("SIGTERM")
  const stopped = yield* server.ended.pipe(Effect.interruptible, Effect.timeoutOption(stopTimeout))
  if (Option.isSome(stopped)) return
  yield* server.kill("SIGKILL")
  yield* server.ended
})

/** A guarded server that waits for leave to start; stopped with the scope. */
export const spawn = (binary: string, folder: ServerFolder): Effect.Effect<ServerProcess, SpawnFailed, Scope.Scope> => {
  const acquire = Effect.try({
    try: () => fromChild(spawnGuard(binary, folder)),
    catch: (cause) => new SpawnFailed({ reason: String(cause) })
  }).pipe(
    Effect.flatMap((server) =>
      server === undefined
        ? Effect.fail(new SpawnFailed({ reason: "the POSIX shell sh, which guards the server, can't be run" }))
        : Effect.succeed(server)
    )
  )
  return Effect.acquireRelease(acquire, stop)
}

const argumentsOf = (pid: number): string => {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
    return execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" })
  } catch {
    // no such process
    return ""
  }
}

/**
 * Whether the server of this folder lives under this process id. By its arguments, because an id is soon another's,
 * and because a dead process that nobody has buried yet has none.
 */
export const isAlive = (pid: number, folder: ServerFolder): boolean =>
  `${argumentsOf(pid).trimEnd()} `.includes(` -c ${folder.config} `)

/** Asks a server whose parent is dead to stop; its watcher kills it if it doesn't. */
export const stopOrphan = (pid: number): Effect.Effect<void> =>
  Effect.try(() => process.kill(pid, "SIGTERM")).pipe(Effect.ignore)
