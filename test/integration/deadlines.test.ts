/** Does nothing start when the time of whoever asked for it is over? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { ask } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import { hold } from "../support/members/testActors.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import { untilTrue } from "../support/untilTrue.ts"

const holdFor = ask(hold)

/** Has the actor do what takes no time, and tells whether it was answered. */
const touch = (key: string, budgetMs: number) =>
  holdFor(key, { forMs: 0 }).pipe(withBudget(budgetMs), Effect.exit, Effect.map(Exit.isSuccess))

/** How many messages the actor has started before this one: it counts each that it does. */
const startedBefore = (key: string) =>
  holdFor(key, { forMs: 0 }).pipe(
    withBudget(20_000),
    Effect.map(({ held }) => held - 1)
  )

const countTrue = (outcomes: ReadonlyArray<boolean>): number => outcomes.filter(Boolean).length

const longMs = 20_000

describe("a message whose time is over", () => {
  it.live("never starts behind one that takes long (seed 1)", () =>
    Effect.gen(function* () {
      const { caller } = yield* MemberCluster.start({ hostIds: ["a"] })
      yield* Effect.gen(function* () {
        const next = seededNumbers(1)
        assert.strictEqual(yield* startedBefore("behind"), 0)
        const blocker = yield* Effect.forkChild(holdFor("behind", { forMs: 1000 }), { startImmediately: true })
        // half of them can wait, and half of them can't: their time ends well before the actor is free
        const budgets = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? longMs : 20 + next() * 700))
        const answered = countTrue(
          yield* Effect.forEach(budgets, (budgetMs) => touch("behind", budgetMs), { concurrency: "unbounded" })
        )
        assert.strictEqual(blocker.pollUnsafe()?._tag, "Success")
        assert.strictEqual(answered, 100)
        // the first look, the one that took long, and those that were answered
        assert.strictEqual(yield* startedBefore("behind"), 2 + answered)
      }).pipe(Effect.provide(caller))
    })
  )

  it.live("never starts on a member that stood still meanwhile, and what has time left starts once", () =>
    Effect.gen(function* () {
      const { caller, members } = yield* MemberCluster.start({ hostIds: ["a"] })
      const member = members[0]!
      yield* Effect.gen(function* () {
        const keys = Array.from({ length: 20 }, (_, index) => `still${index}`)
        yield* Effect.forEach(keys, startedBefore, { concurrency: "unbounded" })
        const askAll = (budgetMs: number) =>
          Effect.forEach(keys, (key) => touch(key, budgetMs), { concurrency: "unbounded" })
        yield* member.freeze
        const startedMs = performance.now()
        const patient = yield* Effect.forkChild(askAll(longMs), { startImmediately: true })
        // their time is over before the member goes on: they are in its socket
        while (performance.now() - startedMs < 1000) assert.strictEqual(countTrue(yield* askAll(300)), 0)
        // and these may be late, or not
        const late = yield* Effect.forkChild(askAll(300), { startImmediately: true })
        yield* Effect.yieldNow
        yield* member.thaw
        const isDone = Effect.sync(() => patient.pollUnsafe() !== undefined && late.pollUnsafe() !== undefined)
        yield* untilTrue("what has time left is answered", isDone)
        const started = yield* Effect.forEach(keys, startedBefore, { concurrency: "unbounded" })
        assert.deepStrictEqual(patient.pollUnsafe(), Exit.succeed(keys.map(() => true)))
        const inTime = late.pollUnsafe()!
        assert.isTrue(Exit.isSuccess(inTime))
        if (Exit.isFailure(inTime)) return
        // the first look, the patient one, and the late one where it was answered
        assert.deepStrictEqual(
          started,
          inTime.value.map((isAnswered) => (isAnswered ? 3 : 2))
        )
      }).pipe(Effect.provide(caller))
    })
  )
})
