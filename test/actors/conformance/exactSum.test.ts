/** Is a sum that of the decimals, to the last digit? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { exactSum } from "../../../actors/conformance/exactSum.ts"
import { law } from "../../support/law.ts"
import { decimal } from "../../support/rows.ts"

// Below the last place of the smallest float64, 5e-324, with its 17 digits.
const placesMax = 345

/** The naive model: every decimal written out in full, as one large integer of 10^-345. */
const inFull = (value: number): bigint => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? []
  const zeros = placesMax - fraction.length + Number(exponent)
  return BigInt(`${sign}${whole}${fraction}${"0".repeat(zeros)}`)
}

const naiveSum = (values: ReadonlyArray<number>): number =>
  Number(`${values.reduce((sum, value) => sum + inFull(value), 0n)}e-${placesMax}`)

const sumOf = (...values: ReadonlyArray<number>): number => exactSum(Float64Array.from(values))

const anyFinite = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 12 })
const decimals = fc.array(
  fc.tuple(decimal, fc.boolean()).map(([value, isNegative]) => (isNegative ? -value : value)),
  { maxLength: 40 }
)
// Where the safe integers end: values of 13 to 17 digits, few and many places.
const wide = fc.array(
  fc
    .tuple(fc.maxSafeInteger(), fc.integer({ min: -3, max: 24 }))
    .map(([digits, places]) => Number(`${digits}e${-places}`)),
  { maxLength: 12 }
)

describe("exactSum()", () => {
  it.each([
    [[0.1, 0.2], 0.3],
    [[0.1, 0.2, -0.3], 0],
    [Array.from({ length: 10 }, () => 0.1), 1],
    [[1482, 522.5, 0.00000001], 2004.50000001],
    [[1e300, 1, -1e300], 1],
    [[1e21, 1e-7, -1e21], 1e-7],
    [[2 ** 53, 1], 2 ** 53],
    [[2 ** 53, 1, 1], 2 ** 53 + 2],
    [[900_000_000_000_000, 0.5], 900_000_000_000_000.5],
    [[Number.MAX_VALUE, Number.MAX_VALUE], Infinity],
    [[5e-324, 5e-324], 1e-323],
    [[-0], 0],
    [[], 0]
  ])("exactSum() of %j is %d", (values, sum) => {
    expect(sumOf(...values)).toBe(sum)
  })

  it("exactSum() of a missing or an infinite value is what addition makes of it", () => {
    expect(sumOf(1, Number.NaN, 2)).toBeNaN()
    expect(sumOf(0.1, Infinity)).toBe(Infinity)
    expect(sumOf(Infinity, -Infinity)).toBeNaN()
  })

  it("exactSum() takes the rows from … to alone", () => {
    expect(exactSum(Float64Array.of(9, 0.1, 0.2, 9), 1, 3)).toBe(0.3)
  })

  law("exactSum() of decimals is that of BigInt arithmetic", [decimals], (values) => {
    expect(sumOf(...values)).toBe(naiveSum(values))
  })
  law("exactSum() of values with many digits is that of BigInt arithmetic", [wide], (values) => {
    expect(sumOf(...values)).toBe(naiveSum(values))
  })
  law("exactSum() of any finite values is that of BigInt arithmetic", [anyFinite], (values) => {
    expect(sumOf(...values)).toBe(naiveSum(values))
  })
  law("exactSum() does not depend on order", [wide], (values) => {
    expect(sumOf(...values.toReversed())).toBe(sumOf(...values))
  })
})
