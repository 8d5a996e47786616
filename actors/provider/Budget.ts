/**
 * How much time is left, and how was it spent?
 *
 * Each wait of an answer is a phase with a budget of its own, within the total deadline. A wait that is over its
 * budget is ended, and what it waited for goes on. Every breach is noted, whatever the strategy.
 */
import { Duration, Effect, Option } from "effect"
import type { PhaseReport, SlaReport, SlaViolation } from "../../protocol/history/HistoryResult.ts"
import type { SlaPolicy } from "../../protocol/history/SlaPolicy.ts"
import { monotonicMs, remainingMs as callerMs } from "../../runtime/Deadline.ts"
import { usableMs } from "./waits.ts"

/** The running clock of one answer. */
export interface Budget {
  /** Waits within the phase's budget; none when that is over. */
  readonly phase: (
    name: string,
    maxWaitMs?: number
  ) => <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
  /** Notes a phase that had nothing to wait for. */
  readonly waitless: (name: string, budgetMs: number) => void
  /** What is left of the total, in milliseconds; infinite without a deadline. */
  readonly remainingMs: Effect.Effect<number>
  /** What there was at the start, in milliseconds: the policy's deadline, or the caller's where that is earlier. */
  readonly totalMs: number
  /** Counts a second try within a phase. */
  readonly retried: (name: string) => void
  /** Notes that a phase ended with its time, which it was not given by `phase`. */
  readonly late: (name: string, budgetMs: number) => void
  /** Notes a demand that was not met; the first one counts. */
  readonly violated: (violation: SlaViolation) => void
  readonly report: Effect.Effect<SlaReport>
}

const longestReported = 2 ** 31

const finite = (milliseconds: number): number => Math.min(Math.round(milliseconds), longestReported)

/** A budget that starts to run now; a caller who has less time left than the policy gives has that. */
export const start = Effect.fnUntraced(function* ({ totalDeadlineMs }: SlaPolicy) {
  const startedMs = yield* monotonicMs
  const phases = new Map<string, PhaseReport>()
  const retries = new Map<string, number>()
  const total = Math.min(totalDeadlineMs ?? Infinity, yield* callerMs)
  const usable = usableMs(total)
  let violation: SlaViolation | null = null
  const violated = (next: SlaViolation): void => {
    violation ??= next
  }
  const remainingMs = Effect.map(monotonicMs, (nowMs) => Math.max(0, usable - (nowMs - startedMs)))

  const note = (name: string, spent: Omit<PhaseReport, "retries">): void => {
    const before = phases.get(name)
    phases.set(name, {
      budgetMs: finite(before?.budgetMs ?? spent.budgetMs),
      waitedMs: finite((before?.waitedMs ?? 0) + spent.waitedMs),
      timedOut: spent.timedOut || (before?.timedOut ?? false),
      retries: 0
    })
  }

  /** Notes that the time was over, and how much of it has not been noted yet. */
  const late = (name: string, budgetMs: number, waitedMs: number): void => {
    note(name, { budgetMs, waitedMs, timedOut: true })
    violated({ phase: name, budgetMs: finite(budgetMs), waitedMs: finite(budgetMs), retryAfterMs: null })
  }

  const phase: Budget["phase"] =
    (name, maxWaitMs = Infinity) =>
    (self) =>
      Effect.gen(function* () {
        const fromMs = yield* monotonicMs
        const budgetMs = Math.min(maxWaitMs, yield* remainingMs)
        // work whose budget is spent is not started
        if (budgetMs <= 0) {
          late(name, budgetMs, 0)
          return Option.none()
        }
        const timed =
          budgetMs === Infinity ? Effect.asSome(self) : Effect.timeoutOption(self, Duration.millis(budgetMs))
        const outcome = yield* Effect.onExit(timed, () =>
          Effect.map(monotonicMs, (nowMs) => note(name, { budgetMs, waitedMs: nowMs - fromMs, timedOut: false }))
        )
        if (Option.isNone(outcome)) late(name, budgetMs, 0)
        return outcome
      })

  const budget: Budget = {
    phase,
    remainingMs,
    totalMs: total,
    violated,
    waitless: (name, budgetMs) => note(name, { budgetMs, waitedMs: 0, timedOut: false }),
    late: (name, budgetMs) => late(name, budgetMs, budgetMs),
    retried: (name) => {
      retries.set(name, (retries.get(name) ?? 0) + 1)
    },
    report: Effect.map(monotonicMs, (nowMs) => ({
      totalDeadlineMs: totalDeadlineMs ?? (total === Infinity ? null : finite(total)),
      elapsedMs: finite(nowMs - startedMs),
      phases: Object.fromEntries(
        Array.from(phases, ([name, spent]) => [name, { ...spent, retries: retries.get(name) ?? 0 }])
      ),
      violation
    }))
  }
  return budget
})
