/**
 * How does the bench start its hosts and clients, and how does it get rid of them?
 *
 * Each is a forked process that is ended by its own id with the scope, be that upon success, failure or an interrupt.
 */
import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { Data, Effect, type Scope } from "effect"
import type { Order, Report, Sample } from "./Load.ts"

// It starts in a second; twelve on a busy machine of two cores take several.
const startTimeout = "60 seconds"

// A sample is a second, and what is in flight then is waited for.
const sampleTimeout = "60 seconds"

const stopTimeout = "3 seconds"

/** A program of the bench ended, or gives no answer; it has printed why, if it knows. */
export class ProgramFailed extends Data.TaggedError("ProgramFailed")<{ readonly message: string }> {}

/** A program that has said that it is ready. */
export interface Program {
  /** Where it said that it can be reached. */
  readonly address: string
  readonly sample: (order: Order) => Effect.Effect<Sample, ProgramFailed>
}

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
  end(child, "SIGTERM").pipe(
    Effect.interruptible,
    Effect.timeoutOrElse({ duration: stopTimeout, orElse: () => end(child, "SIGKILL") })
  )

/** What the child tells next, or why it never will. */
const nextReport = (child: ChildProcess, name: string): Effect.Effect<Report, ProgramFailed> =>
  Effect.callback((resume) => {
    const onMessage = (report: Report) => settle(Effect.succeed(report))
    const onExit = () => settle(new ProgramFailed({ message: `${name} ended (${child.signalCode ?? child.exitCode})` }))
    const onError = (cause: Error) => settle(new ProgramFailed({ message: `${name}: ${cause.message}` }))
    const forget = () => child.off("message", onMessage).off("exit", onExit).off("error", onError)
    const settle = (outcome: Effect.Effect<Report, ProgramFailed>) => {
      forget()
      resume(outcome)
    }
    if (hasEnded(child)) onExit()
    else child.on("message", onMessage).on("exit", onExit).on("error", onError)
    return Effect.sync(forget)
  })

const silent = (name: string, duration: string) => () =>
  Effect.fail(new ProgramFailed({ message: `${name} gives no answer for ${duration}` }))

/**
 * Starts a program of `bench/ask/`, and waits until it is ready. What it prints goes to the error output, since the
 * tables are this program's.
 */
export const start = (name: string, args: ReadonlyArray<string>): Effect.Effect<Program, ProgramFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const file = join(import.meta.dirname, name)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(file, args, { stdio: ["ignore", 2, 2, "ipc"] })),
      stop
    )
    const told = yield* nextReport(child, name).pipe(
      Effect.timeoutOrElse({ duration: startTimeout, orElse: silent(name, startTimeout) })
    )
    if (!("ready" in told)) return yield* new ProgramFailed({ message: `${name} answers before it is ready` })
    const sample = Effect.fnUntraced(function* (order: Order) {
      child.send(order)
      const report = yield* nextReport(child, name)
      return "sample" in report ? report.sample : yield* new ProgramFailed({ message: `${name} started again` })
    })
    return {
      address: told.ready,
      sample: (order) =>
        Effect.timeoutOrElse(sample(order), { duration: sampleTimeout, orElse: silent(name, sampleTimeout) })
    }
  })
