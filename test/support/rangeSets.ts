/**
 * Which range sets do the laws run on, and what is the naive set that they are compared with?
 *
 * Times are drawn from a short stretch around zero, so that ranges meet, touch and coincide in most cases.
 */
import * as fc from "fast-check"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** All times that the arbitraries below give are in `[first, end)`. */
export const stretch = { first: -40, end: 240 } as const

/** A time in the stretch. */
export const time = fc.integer({ min: stretch.first, max: 120 })

/** Pairs in any order, with empty and reversed ones among them. */
export const pairs: fc.Arbitrary<Array<Range>> = fc.array(
  fc.tuple(time, fc.integer({ min: -3, max: 20 })).map(([start, length]): Range => [start, start + length]),
  { maxLength: 12 }
)

/** A canonical set. */
export const rangeSet: fc.Arbitrary<RangeSet.RangeSet> = pairs.map(RangeSet.make)

/** A frame `[start, end)`, empty in some cases. */
export const frame: fc.Arbitrary<Range> = fc
  .tuple(time, fc.integer({ min: 0, max: 90 }))
  .map(([start, length]) => [start, start + length])

/** The naive model: one truth for each time of the stretch. */
export const bitmap = (ranges: Iterable<Range>): Array<boolean> => {
  const bits = Array.from({ length: stretch.end - stretch.first }, () => false)
  for (const [start, end] of ranges) {
    for (let time = start; time < end; time++) bits[time - stretch.first] = true
  }
  return bits
}

/** The times whose bit is set. */
export const timesOf = (bits: ReadonlyArray<boolean>): ReadonlyArray<number> =>
  bits.flatMap((bit, index) => (bit ? [index + stretch.first] : []))
