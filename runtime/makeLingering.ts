/**
 * How does what was begun in passing still end when the process stops?
 *
 * It runs apart from whoever began it. At the end of the scope it has a while to finish; only what is left then is
 * interrupted.
 */
import { type Duration, Effect, FiberSet } from "effect"

/** What runs effects that nobody waits for, but that the end of the scope leaves so long to finish. */
export const makeLingering = Effect.fnUntraced(function* (within: Duration.Input) {
  const fibers = yield* FiberSet.make<void>()
  const run = yield* FiberSet.runtime(fibers)()
  // after the set is made: so it is waited for before the set interrupts what is in it
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeoutOption(FiberSet.awaitEmpty(fibers), within)))
  return (effect: Effect.Effect<void>): void => void run(effect)
})
