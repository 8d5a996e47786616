/**
 * Which bar does each row belong to?
 */
import { stampAheadMs, type TimeRules } from "../../protocol/frame/ConformanceRules.ts"
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"

/**
 * Event times down to the start of their bars, and how many were not there already. Where none moves the array is the
 * one given; where one does it is a copy, since the one given may be the source's.
 *
 * A source that stamps bars with their end means the time up to its stamp: a row at a boundary belongs to the bar that
 * ends there, and one inside a bar to that bar. Such a row is moved where it does not stand at a boundary.
 */
export const alignToInterval = (
  eventTimeMs: Float64Array,
  interval: Interval,
  stamped: NonNullable<TimeRules["stamped"]> = "open"
): { readonly eventTimeMs: Float64Array; readonly movedToBar: number } =>
  stamped === "open" ? alignStarts(eventTimeMs, interval) : alignEnds(eventTimeMs, interval, stampAheadMs({ stamped }))

const alignStarts = (eventTimeMs: Float64Array, interval: Interval) => {
  let out = eventTimeMs
  let movedToBar = 0
  // most bars follow each other, and a sum is far cheaper than a remainder
  let expectedMs = Number.NaN
  for (let row = 0; row < eventTimeMs.length; row++) {
    const timeMs = eventTimeMs[row]!
    const startMs = timeMs === expectedMs ? timeMs : alignDown(interval, timeMs)
    expectedMs = startMs + interval.lengthMs
    if (startMs === timeMs) continue
    if (movedToBar === 0) out = eventTimeMs.slice()
    out[row] = startMs
    movedToBar += 1
  }
  return { eventTimeMs: out, movedToBar }
}

const alignEnds = (eventTimeMs: Float64Array, interval: Interval, aheadMs: number) => {
  const out = new Float64Array(eventTimeMs.length)
  let movedToBar = 0
  for (let row = 0; row < out.length; row++) {
    const startMs = alignDown(interval, eventTimeMs[row]! - aheadMs)
    if (startMs + interval.lengthMs !== eventTimeMs[row]) movedToBar += 1
    out[row] = startMs
  }
  return { eventTimeMs: out, movedToBar }
}
