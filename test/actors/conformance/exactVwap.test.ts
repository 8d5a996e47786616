/** Is the average price by volume exact, and rounded once? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { exactVwap } from "../../../actors/conformance/exactVwap.ts"
import { law } from "../../support/law.ts"
import { decimal } from "../../support/rows.ts"

const vwap = (...pairs: ReadonlyArray<readonly [price: number, amount: number]>): number =>
  exactVwap(
    Float64Array.from(pairs, ([price]) => price),
    Float64Array.from(pairs, ([, amount]) => amount)
  )

/** A decimal of few places as a whole number of millionths. */
const asBig = (value: number): bigint => {
  const [whole = "", fraction = ""] = value.toFixed(6).split(".")
  return BigInt(whole + fraction)
}

const bits = new DataView(new ArrayBuffer(8))

/** The float64 that is so many behind a positive one. */
const neighbour = (value: number, by: bigint): number => {
  bits.setFloat64(0, value)
  bits.setBigInt64(0, bits.getBigInt64(0) + by)
  return bits.getFloat64(0)
}

const binaryPlaces = 1_200n

/** The exact value of a positive float64, as a whole number of its smallest parts. */
const exactOf = (value: number): bigint => {
  bits.setFloat64(0, value)
  const raw = bits.getBigInt64(0)
  const exponent = raw >> 52n
  const mantissa = raw & ((1n << 52n) - 1n)
  const [digits, power] = exponent === 0n ? [mantissa, -1_074n] : [mantissa + (1n << 52n), exponent - 1_075n]
  return digits << (binaryPlaces + power)
}

/** Whether none of its neighbours is nearer to the quotient; in whole numbers, so that nothing is rounded. */
const isNearest = (value: number, turnover: bigint, amount: bigint): boolean => {
  const distance = (other: number): bigint => {
    const off = exactOf(other) * amount - (turnover << binaryPlaces)
    return off < 0n ? -off : off
  }
  return [-1n, 1n].every((by) => distance(neighbour(value, by)) >= distance(value))
}

describe("exactVwap()", () => {
  it("exactVwap() weighs prices by amounts, and rounds once", () => {
    expect(vwap([10, 1], [20, 3])).toBe(17.5)
    expect(vwap([0.1, 3], [0.2, 3], [0.3, 3])).toBe(0.2)
    expect(vwap([0.1, 0.1], [0.1, 0.2], [0.1, 0.3])).toBe(0.1)
    expect(vwap([0.1, 2], [0.3, 1])).toBe(0.5 / 3)
  })

  it("exactVwap() passes over rows without amount, and is missing where there is no other", () => {
    expect(vwap([Number.NaN, 0], [7, 2])).toBe(7)
    expect(vwap([7, 0])).toBeNaN()
    expect(vwap()).toBeNaN()
  })

  it("exactVwap() is missing where a price or an amount is", () => {
    expect(vwap([Number.NaN, 1], [7, 2])).toBeNaN()
    expect(vwap([1, Number.NaN], [7, 2])).toBeNaN()
    expect(vwap([Infinity, 1], [7, 2])).toBeNaN()
  })

  it("exactVwap() takes digits that no float64 has", () => {
    expect(vwap([123456789.12345678, 0.12345678901234], [123456789.12345678, 98765.4321])).toBe(123456789.12345678)
    expect(vwap([1e-300, 1e300], [3e-300, 1e300])).toBe(2e-300)
    expect(vwap([-1.5, 1e-8], [2.5, 1e8])).toBeCloseTo(2.5, 12)
  })

  law(
    "exactVwap() of one price is that price",
    [
      decimal,
      fc.array(
        decimal.filter((amount) => amount > 0),
        { minLength: 1, maxLength: 8 }
      )
    ],
    (price, amounts) => {
      expect(vwap(...amounts.map((amount) => [price, amount] as const))).toBe(price)
    }
  )

  law(
    "exactVwap() is the float64 nearest to the quotient of the exact sums",
    [
      fc.array(
        fc.tuple(
          decimal,
          decimal.filter((amount) => amount > 0)
        ),
        { minLength: 1, maxLength: 8 }
      )
    ],
    (pairs) => {
      const turnover = pairs.reduce((sum, [price, each]) => sum + asBig(price) * asBig(each), 0n)
      const amount = pairs.reduce((sum, [, each]) => sum + asBig(each), 0n) * 10n ** 6n
      const value = vwap(...pairs)
      expect(value === 0 ? turnover === 0n : isNearest(value, turnover, amount)).toBe(true)
    }
  )

  law(
    "exactVwap() does not depend on the order, and lies between the prices",
    [
      fc.array(
        fc.tuple(
          decimal,
          decimal.filter((amount) => amount > 0)
        ),
        { minLength: 1, maxLength: 8 }
      )
    ],
    (pairs) => {
      const prices = pairs.map(([price]) => price)
      expect(vwap(...pairs.toReversed())).toBe(vwap(...pairs))
      expect(vwap(...pairs)).toBeGreaterThanOrEqual(Math.min(...prices))
      expect(vwap(...pairs)).toBeLessThanOrEqual(Math.max(...prices))
    }
  )
})
