/** Do milliseconds become int64 and come back, of any sign and size? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Int64 from "../../../protocol/frame/Int64.ts"
import { law } from "../../support/law.ts"

const times = fc.array(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -5, max: 5 })))

describe("Int64", () => {
  law("fromTimes() writes what BigInt does", [times], (drawn) =>
    expect(Int64.fromTimes(Float64Array.from(drawn))).toEqual(BigInt64Array.from(drawn, BigInt))
  )
  law("toTimes() gives back what fromTimes() took", [times], (drawn) =>
    expect(Array.from(Int64.toTimes(Int64.fromTimes(Float64Array.from(drawn))))).toEqual(drawn.map((time) => time + 0))
  )
  it("fromTimes() carries into the high word at its edges", () => {
    const edges = [-1, 0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31), -(2 ** 32), -(2 ** 32) - 1, 2 ** 53 - 1]
    expect(Int64.fromTimes(Float64Array.from(edges))).toEqual(BigInt64Array.from(edges, BigInt))
  })
  it("toTimes() gives back NaN, which is the lowest int64", () => {
    const written = Int64.fromTimes(Float64Array.of(Number.NaN, 0))
    expect(written).toEqual(BigInt64Array.of(-(2n ** 63n), 0n))
    expect(Int64.toTimes(written)).toEqual(Float64Array.of(Number.NaN, 0))
  })
  it("toTimes() reads a part of a longer buffer", () => {
    expect(Int64.toTimes(BigInt64Array.of(1n, -2n, 3n).subarray(1))).toEqual(Float64Array.of(-2, 3))
  })
})
