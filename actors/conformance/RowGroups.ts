/**
 * Which rows make up each longer bar, and what comes of their values?
 */
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"

/** Neighbouring rows taken together, one group a bar. */
export interface RowGroups {
  /** The start of each group's bar, in epoch milliseconds UTC. */
  readonly startMs: Float64Array
  /** The first row of each group; one entry more than there are groups, the last being the number of rows. */
  readonly firstRow: Uint32Array
}

/** Makes one value of `values[from … to)`, which are never none. */
export type Reducer = (values: Float64Array, from: number, to: number) => number

/** Groups rows by the bar that they fall into. Event times ascend. */
export const byBar = (eventTimeMs: Float64Array, interval: Interval): RowGroups => {
  const firstRow = new Uint32Array(eventTimeMs.length + 1)
  let count = 0
  let endMs = -Infinity
  for (let row = 0; row < eventTimeMs.length; row++) {
    if (eventTimeMs[row]! < endMs) continue
    endMs = alignDown(interval, eventTimeMs[row]!) + interval.lengthMs
    firstRow[count] = row
    count += 1
  }
  firstRow[count] = eventTimeMs.length
  const startMs = new Float64Array(count)
  for (let group = 0; group < count; group++) startMs[group] = alignDown(interval, eventTimeMs[firstRow[group]!]!)
  return { startMs, firstRow: firstRow.slice(0, count + 1) }
}

/** One value a group. */
export const reduce = ({ firstRow, startMs }: RowGroups, values: Float64Array, reducer: Reducer): Float64Array => {
  const out = new Float64Array(startMs.length)
  for (let group = 0; group < out.length; group++) out[group] = reducer(values, firstRow[group]!, firstRow[group + 1]!)
  return out
}

/** The first value, missing or not. */
export const first: Reducer = (values, from) => values[from]!

/** The last value, missing or not. */
export const last: Reducer = (values, _from, to) => values[to - 1]!

/** The highest value; missing where one of them is. */
export const highest: Reducer = (values, from, to) => {
  let out = values[from]!
  for (let row = from + 1; row < to; row++) out = Math.max(out, values[row]!)
  return out
}

/** The lowest value; missing where one of them is. */
export const lowest: Reducer = (values, from, to) => {
  let out = values[from]!
  for (let row = from + 1; row < to; row++) out = Math.min(out, values[row]!)
  return out
}
