/**
 * How long is an absence, where the market is closed for a part of it?
 *
 * Pure. Closed time has no length here: it is walked over, however much of it there is.
 */
import { isRange } from "../../protocol/history/Range.ts"
import { at, durationMs, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** Open time in `[from, until)`, in milliseconds; 0 where there is none. */
export const openMs = (closed: RangeSet.RangeSet, from: number, until: number): number =>
  Math.max(0, until - from) - durationMs(RangeSet.clip(closed, from, until))

/** The latest moment from which there is so much open time until `until`. */
export const openBefore = (closed: RangeSet.RangeSet, until: number, lengthMs: number): number => {
  const before = RangeSet.clip(closed, -Infinity, until)
  let [edge, rest] = [until, lengthMs]
  for (let index = size(before) - 1; index >= 0; index--) {
    const [start, end] = at(before, index)
    if (!isRange(edge - rest, end)) break
    rest -= edge - end
    edge = start
  }
  return edge - rest
}

/** The earliest moment until which there is so much open time from `from` on. */
export const openBehind = (closed: RangeSet.RangeSet, from: number, lengthMs: number): number => {
  const behind = RangeSet.clip(closed, from, Infinity)
  let [edge, rest] = [from, lengthMs]
  for (let index = 0; index < size(behind); index++) {
    const [start, end] = at(behind, index)
    if (!isRange(start, edge + rest)) break
    rest -= start - edge
    edge = end
  }
  return edge + rest
}
