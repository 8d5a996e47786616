/** Is a sample what its seed says, of the size that was wanted, and from all over? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Effect } from "effect"
import { sampleWindows } from "../../bin/sampleWindows.ts"
import { law } from "../support/law.ts"

const draw = (length: number, count: number, seed: number): ReadonlyArray<number> =>
  Effect.runSync(
    sampleWindows(
      Array.from({ length }, (_, index) => index),
      count,
      seed
    )
  )

describe("sampleWindows()", () => {
  law(
    "sampleWindows() has so many different windows, in their order, the same for the same seed",
    [fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 80 }), fc.nat()],
    (length, count, seed) => {
      const drawn = draw(length, count, seed)
      assert.lengthOf(drawn, Math.min(length, count))
      assert.deepStrictEqual(
        drawn,
        [...new Set(drawn)].toSorted((a, b) => a - b)
      )
      assert.deepStrictEqual(draw(length, count, seed), drawn)
    }
  )

  it("sampleWindows() draws each of them sooner or later", () => {
    const seen = new Set(Array.from({ length: 200 }, (_, seed) => draw(20, 2, seed)).flat())
    assert.lengthOf([...seen], 20)
  })
})
