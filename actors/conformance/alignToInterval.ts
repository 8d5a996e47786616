/**
 * Which bar does each row belong to?
 */
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"

/**
 * Event times down to the start of their bars, and how many were not there already. Where none moves the array is the
 * one given; where one does it is a copy, since the one given may be the source's.
 */
export const alignToInterval = (
  eventTimeMs: Float64Array,
  interval: Interval
): { readonly eventTimeMs: Float64Array; readonly movedToBar: number } => {
  let out = eventTimeMs
  let movedToBar = 0
  for (let row = 0; row < eventTimeMs.length; row++) {
    const timeMs = eventTimeMs[row]!
    const startMs = alignDown(interval, timeMs)
    if (startMs === timeMs) continue
    if (movedToBar === 0) out = eventTimeMs.slice()
    out[row] = startMs
    movedToBar += 1
  }
  return { eventTimeMs: out, movedToBar }
}
