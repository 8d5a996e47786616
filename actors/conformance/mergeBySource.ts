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

/** What of `wanted` time is taken from each of them: each stretch from the first that covers it. */
export const shareOut = <Has extends Pick<SourceRows, "ranges">>(
  sources: ReadonlyArray<Has>,
  wanted: RangeSet.RangeSet
): ReadonlyArray<readonly [of: Has, taken: RangeSet.RangeSet]> => {
  let open = wanted
  return sources.flatMap((each) => {
    const taken = RangeSet.intersect(each.ranges, open)
    if (isEmpty(taken)) return []
    open = RangeSet.subtract(open, taken)
    return [[each, taken] as const]
  })
}

/** The rows of `wanted` time, each stretch from the first of the sources that covers it; `empty` gives the columns. */
export const mergeBySource = (sources: ReadonlyArray<SourceRows>, wanted: RangeSet.RangeSet, empty: Frame): Merged => {
  const shares = shareOut(sources, wanted)
  return {
    frame: mergeFrames([empty, ...shares.flatMap(([{ frame }, taken]) => rowsIn(frame, taken))]),
    contributions: new Map(shares.map(([{ source }, taken]) => [source, taken]))
  }
}
