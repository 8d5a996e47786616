/** Does a wait end with its budget, and is every breach accounted for? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import * as Budget from "../../../actors/provider/Budget.ts"
import { Deadline, monotonicMs } from "../../../runtime/Deadline.ts"

const never = Effect.as(Effect.never, "never")

/** Runs while the test clock goes on by so much. */
const during = <A, E>(self: Effect.Effect<A, E>, milliseconds: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self, { startImmediately: true })
    yield* TestClock.adjust(milliseconds)
    return yield* Fiber.join(fiber)
  })

describe("phase()", () => {
  it.effect("phase() gives what comes in time, and how long that took", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      const found = yield* during(budget.phase("storage", 100)(Effect.as(Effect.sleep(30), "rows")), 30)
      assert.deepStrictEqual(found, Option.some("rows"))
      const { elapsedMs, phases, violation } = yield* budget.report
      assert.deepStrictEqual(phases, { storage: { budgetMs: 100, waitedMs: 30, timedOut: false, retries: 0 } })
      assert.strictEqual(elapsedMs, 30)
      assert.isNull(violation)
    })
  )

  it.effect("phase() ends at its budget, and notes the violation", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      assert.deepStrictEqual(yield* during(budget.phase("backfill", 100)(never), 100), Option.none())
      const { phases, violation } = yield* budget.report
      assert.deepStrictEqual(phases, { backfill: { budgetMs: 100, waitedMs: 100, timedOut: true, retries: 0 } })
      assert.deepStrictEqual(violation, { phase: "backfill", budgetMs: 100, waitedMs: 100, retryAfterMs: null })
    })
  )

  it.effect("phase() starts nothing when the budget is spent", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 0 })
      let started = false
      const work = Effect.sync(() => void (started = true))
      assert.deepStrictEqual(yield* budget.phase("storage")(work), Option.none())
      assert.isFalse(started)
      assert.strictEqual((yield* budget.report).violation?.phase, "storage")
    })
  )

  it.effect("retried() counts from within the phase that it retries", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* budget.phase("backfill")(Effect.sync(() => budget.retried("backfill")))
      assert.strictEqual((yield* budget.report).phases["backfill"]?.retries, 1)
    })
  )

  it.effect("phase() does not end before its budget", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      const fiber = yield* Effect.forkChild(budget.phase("backfill", 100)(never), { startImmediately: true })
      yield* TestClock.adjust(99)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.isDefined(fiber.pollUnsafe())
    })
  )

  it.effect("phase() ends by the total, whatever it may wait itself, and keeps a reserve for the answer", () =>
    Effect.gen(function* () {
      for (const [total, usable] of [
        [1000, 950],
        [100, 90],
        [5000, 4950]
      ] as const) {
        const budget = yield* Budget.start({ totalDeadlineMs: total })
        assert.strictEqual(yield* budget.remainingMs, usable)
        assert.deepStrictEqual(yield* during(budget.phase("backfill", 60_000)(never), usable), Option.none())
        assert.strictEqual((yield* budget.report).elapsedMs, usable)
        assert.strictEqual(yield* budget.remainingMs, 0)
      }
    })
  )

  it.effect("phase() leaves later phases what earlier ones have not used", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* during(budget.phase("storage")(Effect.sleep(400)), 400)
      assert.strictEqual(yield* budget.remainingMs, 550)
      yield* during(budget.phase("backfill")(never), 550)
      assert.strictEqual((yield* budget.report).phases["backfill"]!.budgetMs, 550)
    })
  )

  it.effect("phase() without any limit waits for as long as it takes", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({})
      const day = 24 * 3600 * 1000
      assert.deepStrictEqual(
        yield* during(budget.phase("backfill")(Effect.as(Effect.sleep(day), 1)), day),
        Option.some(1)
      )
      const { totalDeadlineMs, violation } = yield* budget.report
      assert.isNull(totalDeadlineMs)
      assert.isNull(violation)
    })
  )

  it.effect("phase() ends the wait, and not what others share", () =>
    Effect.gen(function* () {
      const shared = yield* Deferred.make<string>()
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* during(budget.phase("backfill", 10)(Deferred.await(shared)), 10)
      yield* Deferred.succeed(shared, "came later")
      assert.strictEqual(yield* Deferred.await(shared), "came later")
    })
  )

  it.effect("phase() of a failure accounts for the time, and is no violation", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      const failing = budget.phase("storage")(Effect.andThen(Effect.sleep(20), Effect.fail("damaged")))
      assert.strictEqual(yield* during(Effect.flip(failing), 20), "damaged")
      const { phases, violation } = yield* budget.report
      assert.strictEqual(phases["storage"]!.waitedMs, 20)
      assert.isNull(violation)
    })
  )

  it.effect("phase() adds up waits of one name, under the budget of the one that timed out", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* during(budget.phase("storage", 100)(Effect.sleep(30)), 30)
      yield* during(budget.phase("storage", 50)(never), 50)
      yield* during(budget.phase("storage", 200)(never), 200)
      const { phases, violation } = yield* budget.report
      assert.deepStrictEqual(phases, { storage: { budgetMs: 50, waitedMs: 280, timedOut: true, retries: 0 } })
      assert.deepStrictEqual(violation, { phase: "storage", budgetMs: 50, waitedMs: 50, retryAfterMs: null })
    })
  )

  it.effect("phase() tells the limit that one of its waits had of its own, and not all the time of another", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* during(budget.phase("storage")(Effect.sleep(10)), 10)
      assert.strictEqual((yield* budget.report).phases["storage"]!.budgetMs, 950)
      yield* during(budget.phase("storage", 100)(Effect.sleep(20)), 20)
      yield* during(budget.phase("storage")(Effect.sleep(5)), 5)
      assert.deepStrictEqual((yield* budget.report).phases, {
        storage: { budgetMs: 100, waitedMs: 35, timedOut: false, retries: 0 }
      })
    })
  )

  it.effect("phase() of which a later wait is ended by the total had all the time that its waits took", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* during(budget.phase("storage")(Effect.sleep(900)), 900)
      yield* during(budget.phase("storage")(never), 50)
      const { phases, violation } = yield* budget.report
      assert.deepStrictEqual(phases, { storage: { budgetMs: 950, waitedMs: 950, timedOut: true, retries: 0 } })
      assert.deepStrictEqual(violation, { phase: "storage", budgetMs: 950, waitedMs: 950, retryAfterMs: null })
    })
  )

  it.effect("phase() that may wait for nothing had no budget, and says so", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* budget.phase("storage")(Effect.void)
      yield* budget.phase("storage", 0)(Effect.void)
      const { phases, violation } = yield* budget.report
      assert.deepStrictEqual(phases, { storage: { budgetMs: 0, waitedMs: 0, timedOut: true, retries: 0 } })
      assert.deepStrictEqual(violation, { phase: "storage", budgetMs: 0, waitedMs: 0, retryAfterMs: null })
    })
  )

  it.live("phase() tells the time that was measured, also where the timer was late", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 5000 })
      const busy = Effect.callback<never>(() => {
        // holds the only thread beyond the budget, so that the timer of the wait can't be in time
        setImmediate(() => {
          const untilMs = performance.now() + 60
          while (performance.now() < untilMs);
        })
      })
      yield* budget.phase("storage", 10)(busy)
      const { phases, violation } = yield* budget.report
      assert.isAtLeast(violation!.waitedMs, 50)
      assert.strictEqual(violation!.waitedMs, phases["storage"]!.waitedMs)
      assert.strictEqual(violation!.budgetMs, 10)
    })
  )
})

describe("report", () => {
  it.effect("report has the violation of the first phase that was late, and of no other", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* during(budget.phase("storage", 10)(never), 10)
      yield* during(budget.phase("backfill", 10)(never), 10)
      assert.strictEqual((yield* budget.report).violation!.phase, "storage")
    })
  )

  it.effect("report has the deadline that held: the policy's, or what the caller had left where that was less", () =>
    Effect.gen(function* () {
      const totals = [
        { policyMs: 5000, callerMs: 200, heldMs: 200 },
        { policyMs: 200, callerMs: 5000, heldMs: 200 },
        { policyMs: undefined, callerMs: 300, heldMs: 300 },
        { policyMs: 300, callerMs: Infinity, heldMs: 300 },
        { policyMs: undefined, callerMs: Infinity, heldMs: null }
      ]
      for (const { callerMs, heldMs, policyMs } of totals) {
        const policy = policyMs === undefined ? {} : { totalDeadlineMs: policyMs }
        const deadline = (yield* monotonicMs) + callerMs
        const budget = yield* Effect.provideService(Budget.start(policy), Deadline, deadline)
        assert.strictEqual((yield* budget.report).totalDeadlineMs, heldMs)
      }
    })
  )

  it.effect("report adds waits that had no budget to the time of their phase alone", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* during(budget.phase("storage")(Effect.sleep(10)), 10)
      budget.waited("storage", 5000)
      assert.deepStrictEqual((yield* budget.report).phases, {
        storage: { budgetMs: 950, waitedMs: 5010, timedOut: false, retries: 0 }
      })
    })
  )

  it.effect("report tells of a wait that whoever was waited for ended, with its time once", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.start({ totalDeadlineMs: 1000 })
      yield* during(budget.phase("backfill", 500)(Effect.sleep(40)), 40)
      budget.late("backfill", { budgetMs: 400, waitedMs: 40 })
      const { phases, violation } = yield* budget.report
      assert.deepStrictEqual(phases, { backfill: { budgetMs: 400, waitedMs: 40, timedOut: true, retries: 0 } })
      assert.deepStrictEqual(violation, { phase: "backfill", budgetMs: 400, waitedMs: 40, retryAfterMs: null })
    })
  )
})
