/** How is a set kept small, where more time than there is does no harm? Pure. */
import { at, size } from "./RangeMeasure.ts"
import * as RangeSet from "./RangeSet.ts"

/**
 * The set in at most `rangesMax` ranges, which is 1 or more: the ranges with the least time between them are joined
 * over it.
 *
 * @example
 * coarsen(RangeSet.make([[0, 1], [2, 3], [9, 10]]), 2) // => [0, 3) and [9, 10)
 */
export const coarsen = (set: RangeSet.RangeSet, rangesMax: number): RangeSet.RangeSet => {
  const count = size(set)
  if (count <= rangesMax) return set
  const gaps = Array.from({ length: count - 1 }, (_, index) => [at(set, index)[1], at(set, index + 1)[0]] as const)
  const smallest = gaps.toSorted((a, b) => a[1] - a[0] - (b[1] - b[0])).slice(0, count - rangesMax)
  return RangeSet.union(set, RangeSet.make(smallest))
}
