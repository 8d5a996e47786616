/** Does nobody wake the actors of a slot whose tenure has ended? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeWakers } from "../../cluster/NatsActorSystem.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { Timers } from "../../runtime/DurableTimer.ts"
import { unshared } from "../../runtime/Tenure.ts"

/** Wakers over timers that can't be read at first, and what was asked of the timers. */
const makeWorld = Effect.gen(function* () {
  const asked: Array<string> = []
  const life = { isReadable: false, hasEnded: false }
  const timers = Timers.of({
    expect: () => Effect.void,
    adopt: (slot) =>
      Effect.suspend(() => {
        asked.push(`adopt ${slot}`)
        return life.isReadable ? Effect.void : Effect.fail(new MeshUnavailable({ operation: "read", reason: "away" }))
      }),
    drop: (slot) => Effect.sync(() => void asked.push(`drop ${slot}`))
  })
  const wakers = yield* makeWakers(timers, { wake: () => undefined })
  const tenure = { ...unshared, slot: "3", hasEnded: () => life.hasEnded }
  yield* wakers.begin(tenure)
  yield* TestClock.adjust("300 millis")
  return { asked, life, wakers }
})

describe("makeWakers()", () => {
  it.effect("makeWakers() reads until it can, and once more later", () =>
    Effect.gen(function* () {
      const { asked, life } = yield* makeWorld
      yield* TestClock.adjust("1 second")
      assert.lengthOf(asked, 2)
      life.isReadable = true
      yield* TestClock.adjust("1 second")
      assert.lengthOf(asked, 3)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(asked, ["adopt 3", "adopt 3", "adopt 3", "adopt 3"])
    })
  )

  it.effect("makeWakers() reads no more when the tenure has ended, also between two tries", () =>
    Effect.gen(function* () {
      const { asked, life } = yield* makeWorld
      life.hasEnded = true
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(asked, ["adopt 3"])
    })
  )

  it.effect("makeWakers() reads nothing while the slot is handed over, and leaves nothing behind it", () =>
    Effect.gen(function* () {
      const { asked, wakers } = yield* makeWorld
      // the tenure ends only when the actors have finished
      const finishing = Effect.andThen(
        Effect.sync(() => void asked.push("finish")),
        TestClock.adjust("5 seconds")
      )
      yield* wakers.endAround("3", finishing)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(asked, ["adopt 3", "drop 3", "finish", "drop 3"])
    })
  )
})
