/** Does everyone learn at once when an actor stops, and does the next message start another? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { Envelope } from "../../protocol/wire/Envelope.ts"
import type { ActorType } from "../../runtime/Actor.ts"
import * as Residents from "../../runtime/Residents.ts"

const envelope = (message: string): Envelope => ({
  format: 1,
  to: { type: "echo", key: "a" },
  id: message,
  cause: "",
  budgetMs: 60_000,
  body: { message, payload: null }
})

const delivered = (message: string) => ({
  envelope: envelope(message),
  slot: 3,
  slotEpoch: 1,
  run: <A, E>(self: Effect.Effect<A, E>) => self
})

/** Answers with the number of its life, hangs on `hang`, and dies of `die`. */
const makeEcho = (): ActorType => {
  let lives = 0
  return {
    name: "echo",
    activate: () =>
      Effect.sync(() => {
        const life = ++lives
        return ({ message }) =>
          message === "hang"
            ? Effect.never
            : message === "die"
              ? Effect.die(new Error("the end"))
              : Effect.succeed({ body: life })
      })
  }
}

describe("Residents", () => {
  it.effect("stopSlot() tells the one that is being served, and those who wait behind it", () =>
    Effect.gen(function* () {
      const residents = yield* Residents.make([makeEcho()], "host")
      const served = yield* Effect.forkChild(Effect.flip(residents.deliver(delivered("hang"))), {
        startImmediately: true
      })
      const waiting = yield* Effect.forkChild(Effect.flip(residents.deliver(delivered("echo"))), {
        startImmediately: true
      })
      yield* Effect.yieldNow
      yield* residents.stopSlot(3)
      assert.strictEqual((yield* Fiber.join(served))._tag, "ActorUnavailable")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "ActorUnavailable")
      assert.strictEqual(residents.count(), 0)
    })
  )

  it.effect("deliver() right after a defect starts another life", () =>
    Effect.gen(function* () {
      const residents = yield* Residents.make([makeEcho()], "host")
      assert.deepStrictEqual(yield* residents.deliver(delivered("echo")), { body: 1 })
      assert.strictEqual((yield* Effect.flip(residents.deliver(delivered("die"))))._tag, "ActorUnavailable")
      assert.deepStrictEqual(yield* residents.deliver(delivered("echo")), { body: 2 })
    })
  )
})
