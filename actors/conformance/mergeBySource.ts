/**
 * Which source's row is a reader given?
 *
 * Sources stay apart in storage. A read takes each stretch of time from the first source, in the order of preference,
 * whose answer covers it; where the rules of a series say so, each bar is that of the last writer instead.
 */
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import { mergeFrames, rowsIn } from "./mergeFrames.ts"

/** What one source has of a window. */
export interface SourceRows {
  readonly source: string
  /** The time that its answers cover. */
  readonly ranges: RangeSet.RangeSet
  readonly frame: Frame
}

/** Rows for a reader, and whose they are. */
export interface Merged {
  readonly frame: Frame
  /** Per source, the time that was taken from it. */
  readonly contributions: ReadonlyMap<string, RangeSet.RangeSet>
}

/** The rows of `wanted` time, each stretch from the first of the sources that covers it; `empty` gives the columns. */
export const mergeBySource = (sources: ReadonlyArray<SourceRows>, wanted: RangeSet.RangeSet, empty: Frame): Merged => {
  const contributions = new Map<string, RangeSet.RangeSet>()
  const parts: Array<Frame> = []
  let open = wanted
  for (const { frame, ranges, source } of sources) {
    const taken = RangeSet.intersect(ranges, open)
    if (isEmpty(taken)) continue
    contributions.set(source, taken)
    parts.push(...rowsIn(frame, taken))
    open = RangeSet.subtract(open, taken)
  }
  return { frame: mergeFrames([empty, ...parts]), contributions }
}
