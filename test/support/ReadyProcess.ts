/**
 * How does a test get a program of this repository as a process that it may end in any way?
 *
 * The program says in one line of JSON that it is ready. Whatever a test does with it, it is gone with the scope.
 */
import { Effect } from "effect"
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { closeSync, openSync, readFileSync } from "node:fs"
import process from "node:process"
import { createInterface } from "node:readline"

/** A program that has said that it is ready. */
export interface ReadyProcess {
  readonly pid: number
  /** What it said. */
  readonly line: string
  /** Ends it as an operator does, and waits for its end. */
  readonly stop: Effect.Effect<void>
  /** Kills it outright; it is dead afterwards. */
  readonly kill: Effect.Effect<void>
}

// It starts in a fraction of a second; a busy machine takes several.
const startTimeout = "60 seconds"
// What it has to save is little.
const stopTimeout = "10 seconds"

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const end = (child: ChildProcess, signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (hasEnded(child)) return Effect.void
    // listens before it kills: the end must not come in between
    const ended = once(child, "exit")
    child.kill(signal)
    return Effect.asVoid(Effect.promise(() => ended))
  })

const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.timeoutOrElse(end(child, "SIGTERM"), { duration: stopTimeout, orElse: () => end(child, "SIGKILL") })

/** What to start. */
export interface StartOptions {
  /** A TypeScript file. */
  readonly program: string
  readonly args: ReadonlyArray<string>
  /** Where its error output goes; without it to the test's own. */
  readonly logFile?: string
}

const launch = ({ args, logFile, program }: StartOptions): ChildProcess => {
  const log = logFile === undefined ? "inherit" : openSync(logFile, "a")
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", log] })
  if (log !== "inherit") closeSync(log)
  return child
}

/** The line that it prints when it is ready. Dies if it ends instead. */
const readyLine = (child: ChildProcess, { logFile, program }: StartOptions) => {
  const failed = (how: string) => {
    const told = logFile === undefined ? "" : `:\n${readFileSync(logFile, "utf8")}`
    return Effect.die(new Error(`${program} ${how}${told}`))
  }
  return Effect.callback<string>((resume) => {
    createInterface(child.stdout!).once("line", (line) => resume(Effect.succeed(line)))
    child.once("exit", (code) => resume(failed(`ended with code ${code}`)))
    child.once("error", (cause) => resume(Effect.die(cause)))
  }).pipe(Effect.timeoutOrElse({ duration: startTimeout, orElse: () => failed("does not start") }))
}

/** Starts a program, and waits until it is ready; on the real clock only. */
export const start = Effect.fnUntraced(function* (options: StartOptions) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => launch(options)),
    stop
  )
  const line = yield* readyLine(child, options)
  return { pid: child.pid!, line, stop: stop(child), kill: end(child, "SIGKILL") } satisfies ReadyProcess
})
