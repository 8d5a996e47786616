/**
 * How does a test let time pass for something that waits?
 *
 * The clock of the test goes on in small steps until it has ended: hours take as long as what is done in them.
 */
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

const step = "100 millis"

/** Runs it on the clock of the test, which goes on until it has ended. */
export const elapse = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self, { startImmediately: true })
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(step)
    return yield* Fiber.join(fiber)
  })
