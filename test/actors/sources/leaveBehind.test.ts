/** Does a source that neither answers nor stops hold up nobody? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { DataSource, Page } from "../../../actors/sources/DataSource.ts"
import { Gate, throughGate, type WayOut } from "../../../actors/sources/Gate.ts"
import { leaveBehind } from "../../../actors/sources/leaveBehind.ts"
import { intervalOf } from "../../support/rows.ts"

const empty: Page = { eventTime: [], columns: [] }
const request = { symbol: "A", interval: intervalOf("1m"), start: 0, end: 60_000 }
const patience = { requestMsMax: 1000, leftMax: 2 }

/** A source whose pages end when the test says, whether or not anybody wants them to stop. */
const makeDeaf = Effect.gen(function* () {
  const end = yield* Deferred.make<void>()
  const state = { asked: 0, ended: 0 }
  const source: DataSource = {
    name: "deaf",
    kind: "BACKFILL",
    capabilities: { barsPerRequest: 10, maxEmptyBars: 1, finalityDelayMs: 0, attemptsMax: 1 },
    page: () =>
      throughGate(
        Effect.uninterruptible(
          Effect.gen(function* () {
            state.asked += 1
            yield* Deferred.await(end)
            state.ended += 1
            return empty
          })
        )
      )
  }
  return { source: leaveBehind(source, patience), end: Deferred.succeed(end, undefined), state }
})

describe("leaveBehind()", () => {
  it.effect("leaveBehind() goes on without a request that does not end, and asks no more where too many do not", () =>
    Effect.gen(function* () {
      const { end, source, state } = yield* makeDeaf
      for (const left of [1, 2]) {
        const asking = yield* Effect.forkChild(Effect.flip(source.page(request)))
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(asking.pollUnsafe())
        yield* TestClock.adjust("2 seconds")
        const failure = yield* Fiber.join(asking)
        assert.strictEqual(
          failure.reason,
          `deaf gave no answer within 1000 ms; requests of it that do not stop: ${left}`
        )
      }
      const refused = yield* Effect.flip(source.page(request))
      assert.strictEqual(refused.reason, "deaf is not asked for now; requests of it that do not stop: 2")
      assert.deepStrictEqual(state, { asked: 2, ended: 0 })
      yield* end
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(state.ended, 2)
      assert.deepStrictEqual(yield* source.page(request), empty)
    })
  )

  it.effect("leaveBehind() does not hold up who is interrupted, and counts what has not stopped then", () =>
    Effect.gen(function* () {
      const { end, source, state } = yield* makeDeaf
      for (let count = 0; count < patience.leftMax; count++) {
        const asking = yield* Effect.forkChild(source.page(request), { startImmediately: true })
        yield* TestClock.adjust("1 millis")
        yield* Fiber.interrupt(asking)
      }
      assert.include((yield* Effect.flip(source.page(request))).reason, "do not stop: 2")
      assert.strictEqual(state.asked, 2)
      yield* end
    })
  )

  it.effect("leaveBehind() passes an interruption on, and is ready again at once where it is heeded", () =>
    Effect.gen(function* () {
      let stopped = 0
      const { source: deaf } = yield* makeDeaf
      const source = leaveBehind(
        { ...deaf, page: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void stopped++)) },
        patience
      )
      for (let count = 1; count <= 5; count++) {
        const asking = yield* Effect.forkChild(source.page(request), { startImmediately: true })
        yield* TestClock.adjust("1 millis")
        yield* Fiber.interrupt(asking)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(stopped, count)
      }
    })
  )

  it.effect("leaveBehind() does not count the wait for a turn", () =>
    Effect.gen(function* () {
      const turn = yield* Deferred.make<void>()
      const slow: WayOut = { enter: Effect.as(Deferred.await(turn), { end: () => Effect.void }) }
      const { end, source, state } = yield* makeDeaf
      const asking = yield* source.page(request).pipe(Effect.provideService(Gate, slow), Effect.forkChild)
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(asking.pollUnsafe())
      yield* Deferred.succeed(turn, undefined)
      yield* TestClock.adjust("900 millis")
      assert.deepStrictEqual([state.asked, asking.pollUnsafe()], [1, undefined])
      yield* end
      assert.deepStrictEqual(yield* Fiber.join(asking), empty)
    })
  )
})
