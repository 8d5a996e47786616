/** Does a state of any earlier form become one of this build, and of no later one? */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { upgrade } from "../../runtime/Migrations.ts"
import { law } from "../support/law.ts"

/** A step from each form to the next that notes its number. */
const stepsTo = (version: number) =>
  new Map(
    Array.from({ length: version - 1 }, (_, at) => [
      at + 1,
      (stored: unknown): unknown => [...(stored as ReadonlyArray<number>), at + 1]
    ])
  )

describe("upgrade()", () => {
  law(
    "upgrade() takes each step from the stored form on, once and in order",
    [fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })],
    (stored, version) => {
      const upgraded = upgrade({ version, steps: stepsTo(version) }, { version: stored, state: [] })
      if (stored > version) assert.isTrue(Result.isFailure(upgraded))
      else {
        const expected = Array.from({ length: version - stored }, (_, at) => stored + at)
        assert.deepStrictEqual(Result.getOrThrow(upgraded), expected)
      }
    }
  )

  it("upgrade() says from which form no step starts, and upon which one a step broke", () => {
    const steps = new Map([
      [1, (): unknown => "two"],
      [
        3,
        (): unknown => {
          throw new Error("no such field")
        }
      ]
    ])
    const failureOf = (version: number) => Result.flip(upgrade({ version: 4, steps }, { version, state: null }))
    assert.include(Result.getOrThrow(failureOf(1)), "version 2, from which no migration starts")
    assert.include(Result.getOrThrow(failureOf(3)), "from version 3: no such field")
    assert.include(Result.getOrThrow(failureOf(5)), "version 5, and this build knows versions up to 4")
  })
})
