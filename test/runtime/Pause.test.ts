/** Is a message that waited while its process stood still known for old? */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Pause from "../../runtime/Pause.ts"

/** A process whose time the test alone can stop: the clock goes on, and its turns do not come. */
const makeProcess = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  let stoodMs = 0
  const monotonic = () => clock.monotonicTimeNanosUnsafe() + BigInt(stoodMs * 1e6)
  const own: Clock.Clock = {
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + stoodMs,
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(stoodMs * 1e6),
    monotonicTimeNanosUnsafe: monotonic,
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanos: clock.currentTimeNanos,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) => clock.sleep(duration)
  }
  return {
    stand: (ms: number): void => void (stoodMs += ms),
    watch: (caughtUp: Effect.Effect<void>) => Effect.provideService(Pause.watch(caughtUp), Clock.Clock, own)
  }
})

describe("Pause", () => {
  it.effect("unreadMs() is 0 as long as the process takes its turns", () =>
    Effect.gen(function* () {
      const { unreadMs } = yield* Pause.watch(Effect.die("there is nothing to catch up with"))
      for (let turn = 0; turn < 100; turn++) {
        yield* TestClock.adjust("37 millis")
        assert.strictEqual(unreadMs(), 0)
      }
    })
  )

  it.effect("unreadMs() counts from when a pause began, until all that waited has come in", () =>
    Effect.gen(function* () {
      const { stand, watch } = yield* makeProcess
      const caughtUp = yield* Deferred.make<void>()
      const { unreadMs } = yield* watch(Deferred.await(caughtUp))
      yield* TestClock.adjust("100 millis")
      stand(1000)
      assert.strictEqual(unreadMs(), 1000)
      // its turns go on, and what waited still comes in
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(unreadMs(), 1100)
      yield* Deferred.succeed(caughtUp, undefined)
      yield* TestClock.adjust("0 millis")
      assert.strictEqual(unreadMs(), 0)
    })
  )

  it.effect("unreadMs() knows of a pause, too, where a turn is taken before the first message comes in", () =>
    Effect.gen(function* () {
      const { stand, watch } = yield* makeProcess
      const { unreadMs } = yield* watch(Effect.never)
      yield* TestClock.adjust("100 millis")
      stand(300)
      yield* TestClock.adjust("40 millis")
      assert.strictEqual(unreadMs(), 340)
    })
  )

  it.effect("unreadMs() counts from the later of two pauses once what waited in the earlier has come in", () =>
    Effect.gen(function* () {
      const { stand, watch } = yield* makeProcess
      const caughtUp = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let pauses = 0
      const { unreadMs } = yield* watch(Effect.suspend(() => Deferred.await(caughtUp[pauses++]!)))
      yield* TestClock.adjust("100 millis")
      stand(500)
      assert.strictEqual(unreadMs(), 500)
      stand(200)
      assert.strictEqual(unreadMs(), 700)
      yield* Deferred.succeed(caughtUp[0]!, undefined)
      yield* TestClock.adjust("0 millis")
      assert.strictEqual(unreadMs(), 200)
      yield* Deferred.succeed(caughtUp[1]!, undefined)
      yield* TestClock.adjust("0 millis")
      assert.strictEqual(unreadMs(), 0)
    })
  )
})
