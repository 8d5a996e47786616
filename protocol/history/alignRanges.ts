/** Which whole bars does some time touch, and which does it hold? */
import { alignDown, alignUp, type Spacing } from "./Interval.ts"
import { toPairs } from "./RangePairs.ts"
import * as RangeSet from "./RangeSet.ts"

/**
 * The time of all bars that have any of the set's.
 *
 * @example
 * outward(RangeSet.of(7, 12), { lengthMs: 5, anchorMs: 0 }).edges // => Float64Array [5, 15]
 */
export const outward = (set: RangeSet.RangeSet, spacing: Spacing): RangeSet.RangeSet =>
  RangeSet.make(toPairs(set).map(([start, end]) => [alignDown(spacing, start), alignUp(spacing, end)] as const))

/**
 * The time of the bars of which the set has all.
 *
 * @example
 * inward(RangeSet.of(7, 17), { lengthMs: 5, anchorMs: 0 }).edges // => Float64Array [10, 15]
 */
export const inward = (set: RangeSet.RangeSet, spacing: Spacing): RangeSet.RangeSet =>
  RangeSet.make(toPairs(set).map(([start, end]) => [alignUp(spacing, start), alignDown(spacing, end)] as const))
