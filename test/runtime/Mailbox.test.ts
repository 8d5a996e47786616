/** Is a mailbox bounded, in order, and never at a loss? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as fc from "fast-check"
import * as Mailbox from "../../runtime/Mailbox.ts"
import { law } from "../support/law.ts"

const step = fc.oneof(
  fc.record({ step: fc.constant("offer" as const) }),
  fc.record({ step: fc.constant("take" as const), countMax: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ step: fc.constant("clear" as const) })
)

describe("a mailbox", () => {
  law(
    "it gives what it took in, once and in order, and holds no more than its capacity",
    [fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 40 })],
    (capacity, steps) => {
      const mailbox = Mailbox.make<number>(capacity)
      const model: Array<number> = []
      for (const [item, one] of steps.entries()) {
        if (one.step === "offer") {
          const hadRoom = model.length < capacity
          assert.strictEqual(mailbox.offer(item), hadRoom)
          if (hadRoom) model.push(item)
        } else if (one.step === "clear") assert.deepStrictEqual(mailbox.clear(), model.splice(0))
        else if (model.length > 0) {
          assert.deepStrictEqual(Effect.runSync(mailbox.take(one.countMax)), model.splice(0, one.countMax))
        }
        assert.strictEqual(mailbox.size(), model.length)
      }
    }
  )

  it.effect("take() waits for an item", () =>
    Effect.gen(function* () {
      const mailbox = Mailbox.make<number>(2)
      const taker = yield* Effect.forkChild(mailbox.take(5), { startImmediately: true })
      mailbox.offer(1)
      assert.deepStrictEqual(yield* Fiber.join(taker), [1])
    })
  )

  it.effect("take() that is interrupted takes nothing, and the next one waits as well", () =>
    Effect.gen(function* () {
      const mailbox = Mailbox.make<number>(2)
      const first = yield* Effect.forkChild(mailbox.take(5), { startImmediately: true })
      yield* Fiber.interrupt(first)
      const second = yield* Effect.forkChild(mailbox.take(1), { startImmediately: true })
      mailbox.offer(1)
      mailbox.offer(2)
      assert.deepStrictEqual(yield* Fiber.join(second), [1])
      assert.strictEqual(mailbox.size(), 1)
    })
  )
})

describe("take() of what goes together", () => {
  law(
    "take() gives as many from the first on as may be taken with it, and up to the count",
    [fc.array(fc.nat(2), { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 6 })],
    (kinds, countMax) => {
      const mailbox = Mailbox.make<{ readonly kind: number; readonly index: number }>(kinds.length)
      for (const [index, kind] of kinds.entries()) mailbox.offer({ index, kind })
      // those of the first kind go together, any other goes alone
      const lots: Array<ReadonlyArray<number>> = []
      while (mailbox.size() > 0) {
        const lot = Effect.runSync(
          mailbox.take(countMax, (first, next) => first.kind === 0 && next.kind === first.kind)
        )
        lots.push(lot.map(({ index }) => index))
      }
      assert.deepStrictEqual(lots.flat(), Array.from(kinds.keys()))
      for (const [at, lot] of lots.entries()) {
        const [first] = lot
        assert.isTrue(lot.length === 1 || lot.every((index) => kinds[index] === 0))
        assert.isAtMost(lot.length, countMax)
        // a lot ends only where the next would not go with it, or it is full
        const next = lots[at + 1]?.[0]
        const isFull = lot.length === countMax
        if (next !== undefined && !isFull) assert.isFalse(kinds[first!] === 0 && kinds[next] === 0)
      }
    }
  )

  it("take() compares each with the first, not with the one before it", () => {
    const mailbox = Mailbox.make<number>(9)
    for (const item of [1, 2, 3, 4]) mailbox.offer(item)
    const isNear = (first: number, next: number) => next - first < 2
    assert.deepStrictEqual(Effect.runSync(mailbox.take(9, isNear)), [1, 2])
    assert.deepStrictEqual(mailbox.clear(), [3, 4])
  })
})
