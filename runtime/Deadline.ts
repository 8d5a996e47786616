/**
 * How much of the caller's time is left?
 *
 * The instant to stop is kept on the monotonic clock and inherited by everything that is done for the caller; on the
 * wire it is a duration, since clocks of two machines differ.
 */
import { Clock, Context, Duration, Effect } from "effect"
import { DeadlineExceeded } from "../protocol/wire/Errors.ts"

/** The instant to stop, in milliseconds of the monotonic clock; infinite where nobody set one. */
export const Deadline = Context.Reference<number>("seamless/runtime/Deadline", { defaultValue: () => Infinity })

/** The monotonic clock in milliseconds: for measuring, never for telling the time. */
export const monotonicMs: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** The same clock for code outside effects: what gives its milliseconds. */
export const clockMs: Effect.Effect<() => number> = Effect.map(
  Clock.Clock,
  (clock) => () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
)

/** What is left, in milliseconds; never negative, infinite without a deadline. */
export const remainingMs: Effect.Effect<number> = Effect.gen(function* () {
  const deadline = yield* Deadline
  return deadline === Infinity ? Infinity : Math.max(0, deadline - (yield* monotonicMs))
})

/**
 * Runs with a deadline `budgetMs` from now, or the caller's where that is earlier; it is not enforced, only
 * inherited.
 */
export const withBudget =
  (budgetMs: number) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    budgetMs === Infinity
      ? self
      : Effect.gen(function* () {
          const deadline = Math.min(yield* Deadline, (yield* monotonicMs) + budgetMs)
          return yield* Effect.provideService(self, Deadline, deadline)
        })

/** Ends the wait for `self` when the deadline has come. What others share must not hang on `self`. */
export const enforce =
  (waitingFor: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | DeadlineExceeded, R> =>
    Effect.gen(function* () {
      const budgetMs = yield* remainingMs
      if (budgetMs === Infinity) return yield* self
      // made only when it is told: an error looks up where it came from
      const late = () => Effect.fail(new DeadlineExceeded({ waitingFor, budgetMs }))
      if (budgetMs === 0) return yield* late()
      return yield* Effect.timeoutOrElse(self, { duration: Duration.millis(budgetMs), orElse: late })
    })
