/**
 * How does a test send so many messages a second, whatever becomes of them?
 *
 * They are begun by the clock and never wait for one another: a cluster that is slow for a while gets no fewer.
 */
import { Effect, Fiber, FiberSet, Schedule } from "effect"

const tickEvery = "5 millis"

/** Messages that are being sent. */
interface Load {
  /** Sends no more, and waits until each has ended. */
  readonly stop: Effect.Effect<void>
  /** How many were begun. */
  readonly begun: () => number
}

/** Sends messages from now on: `send` gets the number of each, from 0. */
export const start = Effect.fnUntraced(function* <R>(
  perSecond: number,
  send: (index: number) => Effect.Effect<void, never, R>
) {
  const fibers = yield* FiberSet.make<void>()
  const run = yield* FiberSet.runtime(fibers)<R>()
  const startedMs = performance.now()
  let begun = 0
  const tick = Effect.sync(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond)
    for (; begun < due; begun++) run(send(begun))
  })
  const pacing = yield* Effect.forkScoped(Effect.repeat(tick, Schedule.spaced(tickEvery)))
  return {
    stop: Effect.andThen(Fiber.interrupt(pacing), FiberSet.awaitEmpty(fibers)),
    begun: () => begun
  } satisfies Load
})
