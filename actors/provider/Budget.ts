/**
 * How much time is left, and how was it spent?
 *
 * Each wait of an answer is a phase with a budget of its own, within the total deadline. A wait that is over its
 * budget is ended, and what it waited for goes on. Every breach is noted, whatever the strategy.
 *
 * A phase may be waited for more than once. Its time is then added up, and its budget is the one that held: of the wait
 * that timed out, where one did; else of the waits that had a limit of their own; else all the time that there was.
 */
import { Duration, Effect, Exit, Option } from "effect"
import type { PhaseReport, SlaReport, SlaViolation } from "../../protocol/history/HistoryResult.ts"
import type { SlaPolicy } from "../../protocol/history/SlaPolicy.ts"
import { monotonicMs, remainingMs as callerMs } from "../../runtime/Deadline.ts"
import { usableMs } from "./waits.ts"

/** A wait, and the time that it had. */
interface Wait {
  readonly budgetMs: number
  readonly waitedMs: number
  readonly timedOut: boolean
}

/** The running clock of one answer. */
export interface Budget {
  /** Waits within the phase's budget; none when that is over. */
  readonly phase: (
    name: string,
    maxWaitMs?: number
  ) => <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
  /** Notes a wait of a phase that was not begun by `phase`. */
  readonly noted: (name: string, wait: Wait) => void
  /** Notes that a wait which is counted already was over its time, as whoever was waited for says. */
  readonly late: (name: string, wait: Omit<Wait, "timedOut">) => void
  /** Adds to the time of a phase what was waited within no budget of it. */
  readonly waited: (name: string, waitedMs: number) => void
  /** What is left of the total, in milliseconds; infinite without a deadline. */
  readonly remainingMs: Effect.Effect<number>
  /** What there was at the start, in milliseconds: the policy's deadline, or the caller's where that is earlier. */
  readonly totalMs: number
  /** Counts a second try within a phase. */
  readonly retried: (name: string) => void
  /** What was spent until now; its violation is that of the first phase that was over its time. */
  readonly report: Effect.Effect<SlaReport>
}

const longestReported = 2 ** 31

const finite = (milliseconds: number): number => Math.min(Math.round(milliseconds), longestReported)

/** How much a budget says of a phase: that all the time was there, that a wait had its own, or that it ran out. */
const ranks = { all: 0, own: 1, timedOut: 2 } as const

/** What the waits of a phase came to. */
interface Spent {
  readonly budgetMs: number
  readonly rank: number
  readonly waitedMs: number
}

const nothing: Spent = { budgetMs: 0, rank: ranks.all, waitedMs: 0 }

/** The budget that held, of those before and one more. */
const holding = (before: Spent, next: Spent): Spent => {
  if (next.rank !== before.rank) return next.rank > before.rank ? next : before
  return next.rank < ranks.timedOut && next.budgetMs > before.budgetMs ? next : before
}

/** What phases came to, as they go on. */
const makePhases = () => {
  const phases = new Map<string, Spent>()
  const retries = new Map<string, number>()
  let violation: SlaViolation | null = null
  const spentOn = (name: string): Spent => phases.get(name) ?? nothing
  return {
    spentOn,
    retried: (name: string): void => void retries.set(name, (retries.get(name) ?? 0) + 1),
    add: (name: string, { rank, ...wait }: Spent, waitedMs = wait.waitedMs): void => {
      const before = spentOn(name)
      const { budgetMs, rank: highest } = holding(before, { ...wait, rank })
      phases.set(name, { budgetMs, rank: highest, waitedMs: before.waitedMs + waitedMs })
      if (rank !== ranks.timedOut) return
      const [allowedMs, measuredMs] = [finite(wait.budgetMs), finite(wait.waitedMs)]
      violation ??= { phase: name, budgetMs: allowedMs, waitedMs: measuredMs, retryAfterMs: null }
    },
    report: () => ({
      phases: Object.fromEntries(
        Array.from(phases, ([name, { budgetMs, rank, waitedMs }]): [string, PhaseReport] => [
          name,
          {
            budgetMs: finite(budgetMs),
            waitedMs: finite(waitedMs),
            timedOut: rank === ranks.timedOut,
            retries: retries.get(name) ?? 0
          }
        ])
      ),
      violation
    })
  }
}

/** A budget that starts to run now; a caller who has less time left than the policy gives has that. */
export const start = Effect.fnUntraced(function* ({ totalDeadlineMs }: SlaPolicy) {
  const startedMs = yield* monotonicMs
  const phases = makePhases()
  const total = Math.min(totalDeadlineMs ?? Infinity, yield* callerMs)
  const usable = usableMs(total)
  const remainingMs = Effect.map(monotonicMs, (nowMs) => Math.max(0, usable - (nowMs - startedMs)))

  const phase: Budget["phase"] =
    (name, maxWaitMs = Infinity) =>
    (self) =>
      Effect.gen(function* () {
        const fromMs = yield* monotonicMs
        const leftMs = yield* remainingMs
        const budgetMs = Math.max(0, Math.min(maxWaitMs, leftMs))
        const isOwn = maxWaitMs < leftMs
        // a wait that the total alone ends shares that with those of its phase before it
        const beforeMs = isOwn ? 0 : phases.spentOn(name).waitedMs
        const add = (timedOut: boolean) => (nowMs: number) => {
          const waitedMs = nowMs - fromMs
          const rank = timedOut ? ranks.timedOut : isOwn ? ranks.own : ranks.all
          const wait = { budgetMs: Math.min(usable, beforeMs + budgetMs), waitedMs: beforeMs + waitedMs, rank }
          phases.add(name, wait, waitedMs)
        }
        // work whose budget is spent is not started
        if (budgetMs <= 0) {
          add(true)(fromMs)
          return Option.none()
        }
        const timed =
          budgetMs === Infinity ? Effect.asSome(self) : Effect.timeoutOption(self, Duration.millis(budgetMs))
        return yield* Effect.onExit(timed, (exit) =>
          Effect.map(monotonicMs, add(Exit.isSuccess(exit) && Option.isNone(exit.value)))
        )
      })

  const budget: Budget = {
    phase,
    remainingMs,
    totalMs: total,
    noted: (name, { timedOut, ...wait }) => phases.add(name, { ...wait, rank: timedOut ? ranks.timedOut : ranks.own }),
    late: (name, wait) => phases.add(name, { ...wait, rank: ranks.timedOut }, 0),
    waited: (name, waitedMs) => phases.add(name, { ...nothing, waitedMs }),
    retried: phases.retried,
    report: Effect.map(monotonicMs, (nowMs) => ({
      totalDeadlineMs: total === Infinity ? null : finite(total),
      elapsedMs: finite(nowMs - startedMs),
      ...phases.report()
    }))
  }
  return budget
})
