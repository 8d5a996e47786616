/** Does a host send no more than a reader takes, and wait for it no longer than it says? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { limits } from "../../protocol/wire/Limits.ts"
import * as Credits from "../../runtime/Credits.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh } from "../../runtime/Mesh.ts"

const grant = Effect.fnUntraced(function* ({ subject }: Credits.Credit, text: string) {
  const mesh = yield* Mesh
  yield* mesh.publish(subject, new TextEncoder().encode(text))
})

const yieldAll = Effect.repeat(Effect.yieldNow, { times: 200 })

/** How many may be sent without another word. */
const countOf = Effect.fnUntraced(function* (credit: Credits.Credit) {
  let count = 0
  const taking = yield* Effect.forkChild(
    credit.take.pipe(
      Effect.map((isTaken) => {
        if (isTaken) count += 1
      }),
      Effect.forever
    )
  )
  yield* yieldAll
  yield* Fiber.interrupt(taking)
  return count
})

const claim = (title: string, run: () => Effect.Effect<void, unknown, Mesh | Scope.Scope>) =>
  it.effect(title, () => run().pipe(Effect.scoped, Effect.provide(MemoryMesh.layer)))

describe("Credits", () => {
  claim("take() gives as many as were granted at first and since, to each answer its own", () =>
    Effect.gen(function* () {
      const credits = yield* Credits.make
      const [first, second] = [yield* credits.open(2), yield* credits.open(1)]
      assert.strictEqual(yield* countOf(first), 2)
      yield* grant(first, "3")
      assert.strictEqual(yield* countOf(first), 3)
      assert.strictEqual(yield* countOf(second), 1)
    })
  )

  claim("take() passes over what is no number, and never takes more than there may be on their way", () =>
    Effect.gen(function* () {
      const credits = yield* Credits.make
      const credit = yield* credits.open(1)
      yield* countOf(credit)
      for (const text of ["", "-1", "1.5", "many", "1e3", " 1", "0", "00"]) yield* grant(credit, text)
      assert.strictEqual(yield* countOf(credit), 0)
      for (const text of ["999999999", "99999999999999999999999", "9".repeat(400)]) {
        yield* grant(credit, text)
        yield* grant(credit, text)
        assert.strictEqual(yield* countOf(credit), limits.credits)
      }
      yield* grant(credit, `${"0".repeat(400)}7`)
      assert.strictEqual(yield* countOf(credit), 7)
    })
  )

  claim("take() that waits goes on with the next grant, and gives up after half a minute without one", () =>
    Effect.gen(function* () {
      const credits = yield* Credits.make
      const credit = yield* credits.open(0)
      const waiting = yield* Effect.forkChild(credit.take)
      yield* yieldAll
      yield* TestClock.adjust("29 seconds")
      yield* grant(credit, "1")
      assert.isTrue(yield* Fiber.join(waiting))
      const idle = yield* Effect.forkChild(credit.take)
      yield* yieldAll
      yield* TestClock.adjust("29 seconds")
      yield* grant(credit, "0")
      yield* yieldAll
      assert.isUndefined(idle.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* Fiber.join(idle))
    })
  )

  claim("open() of an answer that is over hears nothing any more", () =>
    Effect.gen(function* () {
      const credits = yield* Credits.make
      const credit = yield* Effect.scoped(credits.open(0))
      yield* grant(credit, "5")
      assert.strictEqual(yield* countOf(credit), 0)
    })
  )
})
