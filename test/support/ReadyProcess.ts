/**
 * How does a test get a program of this repository as a process that it may freeze, or end in any way?
 *
 * The program says in one line of JSON that it is ready; what it says after that is kept, too. Whatever a test does
 * with it, it is gone with the scope.
 */
import { Effect } from "effect"
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { createInterface } from "node:readline"
import { untilTrue } from "./untilTrue.ts"

/** What a test may do to any process of its own. */
export interface ProcessVerbs {
  readonly pid: number
  /** Ends it as an operator does, and waits for its end; a frozen one is thawed. */
  readonly stop: Effect.Effect<void>
  /** Kills it outright, frozen or not; it is dead afterwards. */
  readonly kill: Effect.Effect<void>
  /** Stops its time: it does nothing, keeps its connections, and is not told. It stands still afterwards. */
  readonly freeze: Effect.Effect<void>
  /** Lets a frozen one go on. */
  readonly thaw: Effect.Effect<void>
}

/** A program that has said that it is ready. */
export interface ReadyProcess extends ProcessVerbs {
  /** What it said. */
  readonly line: string
  /** What it has printed since, the last 10,000 lines; once it has ended, up to its end. */
  readonly lines: () => ReadonlyArray<string>
  /** Writes a line to its input, and waits until it is on its way; lost if the process has ended. */
  readonly send: (text: string) => Effect.Effect<void>
}

// It starts in a fraction of a second; a busy machine takes several.
const startTimeout = "60 seconds"
// What it has to save is little.
const stopTimeout = "10 seconds"
// Its last lines are in the pipe already; a process of its own that outlives it may hold the pipe open, too.
const outputTimeout = "1 second"

const linesMax = 10_000

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** The states of all threads of a process, each as a letter. */
const threadStates = (pid: number): ReadonlyArray<string> => {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => {
      const line = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")
      // the name of the program, in brackets, may have anything in it
      return line.slice(line.lastIndexOf(")") + 2, line.lastIndexOf(")") + 3)
    })
  } catch {
    // a thread or all of it has gone in between, or the system tells nothing
    return []
  }
}

const standsStill = (child: ChildProcess): boolean =>
  hasEnded(child) || process.platform !== "linux" || isStopped(threadStates(child.pid!))

const isStopped = (states: ReadonlyArray<string>): boolean =>
  states.length > 0 && states.every((state) => state === "T")

const signalOnly = (child: ChildProcess, signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.sync(() => {
    if (!hasEnded(child)) child.kill(signal)
  })

const freeze = (child: ChildProcess): Effect.Effect<void> =>
  Effect.andThen(
    signalOnly(child, "SIGSTOP"),
    untilTrue(
      `process ${child.pid} stands still`,
      Effect.sync(() => standsStill(child))
    )
  )

const end = (child: ChildProcess, signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (hasEnded(child)) return Effect.void
    // listens before it kills: the end must not come in between
    const ended = once(child, "exit")
    child.kill(signal)
    return Effect.asVoid(Effect.promise(() => ended))
  })

const stop = (child: ChildProcess): Effect.Effect<void> => {
  const thawed = Effect.andThen(signalOnly(child, "SIGCONT"), end(child, "SIGTERM"))
  return Effect.timeoutOrElse(thawed, { duration: stopTimeout, orElse: () => end(child, "SIGKILL") })
}

/** The verbs for a child of this process, which has an id. */
export const verbsOf = (child: ChildProcess): ProcessVerbs => ({
  pid: child.pid!,
  stop: stop(child),
  kill: end(child, "SIGKILL"),
  freeze: freeze(child),
  thaw: signalOnly(child, "SIGCONT")
})

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
  const child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", log] })
  // who has ended does not read
  child.stdin!.on("error", () => undefined)
  if (log !== "inherit") closeSync(log)
  return child
}

/** The lines that a child prints, from now on. */
interface Printed {
  /** The last of those after the first. */
  readonly lines: Array<string>
  /** Waits until there will be no more. */
  readonly complete: Effect.Effect<void>
}

/** Reads all that is printed: a child whose output nobody takes stands still one day. */
const readLines = (child: ChildProcess, onFirst: (line: string) => void): Printed => {
  const lines: Array<string> = []
  const reader = createInterface(child.stdout!)
  const closed = once(reader, "close")
  reader.once("line", (first) => {
    onFirst(first)
    reader.on("line", (line) => {
      lines.push(line)
      if (lines.length > linesMax) lines.shift()
    })
  })
  const complete = Effect.promise(() => closed).pipe(Effect.timeoutOption(outputTimeout), Effect.asVoid)
  return { lines, complete }
}

/** The line that it prints when it is ready, and what it prints from then on. Dies if it ends instead. */
const ready = (child: ChildProcess, { logFile, program }: StartOptions) => {
  const failed = (how: string) => {
    const told = logFile === undefined ? "" : `:\n${readFileSync(logFile, "utf8")}`
    return Effect.die(new Error(`${program} ${how}${told}`))
  }
  return Effect.callback<readonly [line: string, printed: Printed]>((resume) => {
    const printed = readLines(child, (line) => resume(Effect.succeed([line, printed] as const)))
    child.once("exit", (code) => resume(failed(`ended with code ${code}`)))
    child.once("error", (cause) => resume(Effect.die(cause)))
  }).pipe(Effect.timeoutOrElse({ duration: startTimeout, orElse: () => failed("does not start") }))
}

const send = (child: ChildProcess, text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    child.stdin!.write(`${text}\n`, () => resume(Effect.void))
  })

/** Starts a program, and waits until it is ready; on the real clock only. */
export const start = Effect.fnUntraced(function* (options: StartOptions) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => launch(options)),
    stop
  )
  const [line, { complete, lines }] = yield* ready(child, options)
  const verbs = verbsOf(child)
  return {
    ...verbs,
    stop: Effect.andThen(verbs.stop, complete),
    kill: Effect.andThen(verbs.kill, complete),
    line,
    lines: () => [...lines],
    send: (text) => send(child, text)
  } satisfies ReadyProcess
})
