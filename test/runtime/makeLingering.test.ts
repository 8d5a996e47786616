/** Does what was begun in passing end before the process does, but hold it up no longer than it may? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { makeLingering } from "../../runtime/makeLingering.ts"
import { settle } from "../support/residentPorts.ts"

const begun = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const seen: Array<string> = []
  const run = yield* Scope.provide(makeLingering("1 second"), scope)
  const note = (what: string, after: number) =>
    run(
      Effect.andThen(
        Effect.sleep(after),
        Effect.sync(() => void seen.push(what))
      )
    )
  return { scope, seen, note, run }
})

describe("makeLingering()", () => {
  it.effect("makeLingering() lets what runs end when its scope does, and interrupts what takes too long", () =>
    Effect.gen(function* () {
      const { note, scope, seen } = yield* begun
      note("soon", 500)
      note("never", 2000)
      yield* settle
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(seen, ["soon"])
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(closing)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(seen, ["soon"])
    })
  )

  it.effect("makeLingering() waits for what begins while it waits, and for nothing where nothing runs", () =>
    Effect.gen(function* () {
      const { note, run, scope, seen } = yield* begun
      run(
        Effect.andThen(
          Effect.sleep(100),
          Effect.sync(() => note("after", 100))
        )
      )
      yield* settle
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      yield* TestClock.adjust("200 millis")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(seen, ["after"])
      const idle = yield* begun
      yield* Scope.close(idle.scope, Exit.void)
    })
  )
})
