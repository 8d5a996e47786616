/**
 * What was done in a run, by whom, when, and what came of it?
 *
 * Operations of clients, faults, and what else happened, in milliseconds since the run began. It is written as JSON
 * lines, so that any tool can look at it.
 */
import { Cause, Effect, Exit, Option, Predicate } from "effect"
import type { Fault } from "./Fault.ts"

/** What is known of an operation: that it was done, that it was not, or neither. */
type Outcome = "ok" | "error" | "unknown"

/** What a client is about to do. */
export interface Question {
  readonly id: string
  readonly client: string
  /** What is asked: `add`, `get`, `ring`, `read`, `ensure`. */
  readonly what: string
  /** The actor or the series that is asked. */
  readonly key: string
  readonly input: unknown
  /** How long it may take, where the client sets a bound of its own. */
  readonly budgetMs?: number
}

/** One operation of one client. */
export interface Operation extends Question {
  readonly type: "operation"
  readonly invokedMs: number
  readonly completedMs: number
  readonly outcome: Outcome
  /** What was answered, or the tag of the failure. */
  readonly output: unknown
}

/** A fault, and what it befell. */
export interface Befallen extends Pick<Fault, "track" | "kind"> {
  readonly lane: string
}

/** A fault in a history: until when includes the recovery of its victim. */
export interface FaultRecord extends Befallen {
  readonly type: "fault"
  readonly fromMs: number
  readonly untilMs: number
}

/** Anything else that is worth a line: a slot that changed hands, a process that failed to start. */
export interface EventRecord {
  readonly type: "event"
  readonly what: string
  readonly lane: string
  readonly atMs: number
}

/** The event of a member that found no servers when it started, and was started again. */
export const didNotStart = "did not start"
/** The event of a member that took too long to stop, and was killed. */
export const didNotStop = "did not stop"
/** The event of a member whose process ended though nobody ended it. */
export const diedByItself = "died by itself"

/** One line of a history. */
export type Line = Operation | FaultRecord | EventRecord

const tagOf = (failure: unknown): string => {
  if (Predicate.hasProperty(failure, "_tag")) return String(failure._tag)
  return Predicate.hasProperty(failure, "tag") ? String(failure.tag) : String(failure)
}

/** Refusals of a message that took no effect, and never will. */
const refusals = ["MailboxFull", "ActorStopped", "CoverageMissing", "NoHostAnswers"]

/** Questions that change nothing: without an answer, nothing is in doubt. */
const looks = ["get", "read"]

const outcomeOf = (what: string, failure: unknown): Outcome => {
  if (looks.includes(what)) return "error"
  if (Predicate.hasProperty(failure, "untouched") && failure.untouched === true) return "error"
  return refusals.includes(tagOf(failure)) ? "error" : "unknown"
}

/** The history of a run; it begins when it is made. */
export const make = () => {
  const startedMs = performance.now()
  const startedAtMs = Date.now()
  const lines: Array<Line> = []
  const nowMs = (): number => performance.now() - startedMs

  /** Does it and notes what came of it; a defect is noted, too, as no fault explains it. */
  const operation = <A, E, R>(question: Question, ask: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
    Effect.suspend(() => {
      const invokedMs = nowMs()
      const note = (outcome: Outcome, output: unknown) =>
        void lines.push({ type: "operation", ...question, invokedMs, completedMs: nowMs(), outcome, output })
      return Effect.map(Effect.exit(ask), (exit) => {
        if (Exit.isSuccess(exit)) return note("ok", exit.value)
        const failure = Cause.findErrorOption(exit.cause)
        if (Option.isNone(failure)) return note("unknown", Cause.pretty(exit.cause))
        return note(outcomeOf(question.what, failure.value), tagOf(failure.value))
      })
    })

  /** Does it to its end, and notes it as a fault. */
  const fault = <A, E, R>(befallen: Befallen, inflict: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const fromMs = nowMs()
      return Effect.ensuring(
        inflict,
        Effect.sync(() => void lines.push({ type: "fault", ...befallen, fromMs, untilMs: nowMs() }))
      )
    })

  return {
    nowMs,
    /** The time of the run at a moment of the wall clock. */
    sinceMs: (atMs: number): number => atMs - startedAtMs,
    operation,
    fault,
    event: (what: string, lane: string, atMs = nowMs()) => void lines.push({ type: "event", what, lane, atMs }),
    operations: (): ReadonlyArray<Operation> => lines.filter((line) => line.type === "operation"),
    faults: (): ReadonlyArray<FaultRecord> => lines.filter((line) => line.type === "fault"),
    events: (): ReadonlyArray<EventRecord> => lines.filter((line) => line.type === "event"),
    lines: (): ReadonlyArray<Line> => lines
  }
}

/** All that is known of a run. */
export type History = ReturnType<typeof make>
