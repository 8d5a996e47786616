/** Are the bars that time touches, and those that it holds, just these? */
import * as fc from "fast-check"
import { describe, expect } from "vitest"
import { inward, outward } from "../../../protocol/history/alignRanges.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { bitmap, rangeSet } from "../../support/rangeSets.ts"

const spacing = fc.record({ lengthMs: fc.integer({ min: 1, max: 9 }), anchorMs: fc.integer({ min: -9, max: 9 }) })

/** The starts of the bars of which `some` or `every` of the times are in the set, one by one. */
const barsOf = (
  set: RangeSet.RangeSet,
  { anchorMs, lengthMs }: { anchorMs: number; lengthMs: number },
  all: boolean
) => {
  const bits = bitmap(toPairs(set))
  const isIn = (time: number): boolean => bits[time + 40] === true
  const first = anchorMs - lengthMs * 60
  const starts = Array.from({ length: 300 }, (_, bar) => first + bar * lengthMs)
  const times = (start: number) => Array.from({ length: lengthMs }, (_, at) => start + at)
  const wanted = starts.filter((start) => (all ? times(start).every(isIn) : times(start).some(isIn)))
  return RangeSet.make(wanted.map((start) => [start, start + lengthMs] as const))
}

describe("outward()", () => {
  law("outward() is the time of all bars that have any of the set's", [rangeSet, spacing], (set, grid) => {
    expect(toPairs(outward(set, grid))).toEqual(toPairs(barsOf(set, grid, false)))
  })
})

describe("inward()", () => {
  law("inward() is the time of all bars that the set has all of", [rangeSet, spacing], (set, grid) => {
    expect(toPairs(inward(set, grid))).toEqual(toPairs(barsOf(set, grid, true)))
  })
})
