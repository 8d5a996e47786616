/**
 * What stands in bars in which nothing was traded, for readers who want a row in each?
 *
 * Such rows are made on request and never stored: they say what is known already, that the price is still the last
 * one.
 */
import { type Column, missing } from "../../protocol/frame/Column.ts"
import type { Field } from "../../protocol/frame/DataSchema.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { Spacing } from "../../protocol/history/Interval.ts"
import { barCount } from "../../protocol/history/Interval.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import { kindOf } from "./rollUpColumns.ts"

/** Rows with those that were made, and how many were. */
export interface ForwardFilled {
  readonly frame: Frame.Frame
  readonly filledCount: number
}

/** A row for each row of the result: which one it is, or from which one it is made. */
interface Plan {
  readonly eventTimeMs: Float64Array
  readonly from: Uint32Array
  readonly isMade: Uint8Array
}

const prices: ReadonlySet<string> = new Set(["open", "high", "low", "close"])

const closesOf = (frame: Frame.Frame): Float64Array | undefined => {
  const close = frame.columns.find(({ name }) => name === "close")
  return close?.type === "float64" ? close.values : undefined
}

/** The rows of the set and, behind the first in each of its ranges, one for each bar that has none. */
const planRows = (frame: Frame.Frame, close: Float64Array, set: RangeSet, { lengthMs }: Spacing): Plan => {
  const ranges = toPairs(set)
  const rowsMax = ranges.reduce((sum, [start, end]) => sum + (end - start) / lengthMs, 0)
  const [eventTimeMs, from, isMade] = [new Float64Array(rowsMax), new Uint32Array(rowsMax), new Uint8Array(rowsMax)]
  let count = 0
  for (const [start, end] of ranges) {
    let row = Frame.lowerBound(frame, start)
    // a price is not carried over time of which nothing is known
    let priced = -1
    for (let timeMs = start; timeMs < end; timeMs += lengthMs) {
      const isThere = frame.eventTimeMs[row] === timeMs
      if (isThere || priced >= 0) {
        eventTimeMs[count] = timeMs
        from[count] = isThere ? row : priced
        isMade[count] = isThere ? 0 : 1
        count += 1
      }
      if (!isThere) continue
      if (!Number.isNaN(close[row])) priced = row
      row += 1
    }
  }
  return {
    eventTimeMs: eventTimeMs.slice(0, count),
    from: from.slice(0, count),
    isMade: isMade.slice(0, count)
  }
}

/** Puts into the made rows what their columns have in a bar without trades. Writes `column` in place. */
const fillColumn = (
  column: Column,
  field: Pick<Field, "name" | "rollUp">,
  isMade: Uint8Array,
  lastPrices: Float64Array
): void => {
  const kind = kindOf(field)
  const isSum = kind === "sum" || kind === "count"
  for (let row = 0; row < isMade.length; row++) {
    if (isMade[row] === 0) continue
    if (column.type === "int64") column.values[row] = isSum ? 0n : missing.int64
    else if (column.type === "bool" || column.type === "category") column.values[row] = missing[column.type]
    else if (prices.has(column.name)) column.values[row] = lastPrices[row]!
    else column.values[row] = isSum ? 0 : Number.NaN
  }
}

/**
 * The rows of a sealed frame and, for each bar of the set that has none, one with the last close before it in its
 * range as all of its prices, and nothing traded: sums are 0, everything else is missing. It is flagged
 * `forwardFilled`, and nothing but that; its lineage is that of the bar whose price it has. Bars before the first
 * price of a range stay without a row, as all do where there is no column `close`. The ranges are aligned to the
 * interval.
 */
export const forwardFill = (
  frame: Frame.Frame,
  set: RangeSet,
  interval: Spacing,
  fields: ReadonlyArray<Field> = []
): ForwardFilled => {
  const close = closesOf(frame)
  const bars = toPairs(set).reduce((sum, [start, end]) => sum + barCount(interval, start, end), 0)
  if (close === undefined || bars === Frame.length(frame)) return { frame, filledCount: 0 }
  const { eventTimeMs, from, isMade } = planRows(frame, close, set, interval)
  const picked = Frame.pick(frame, from)
  const lastPrices = closesOf(picked)!.slice()
  for (const column of picked.columns) {
    fillColumn(column, fields.find(({ name }) => name === column.name) ?? column, isMade, lastPrices)
  }
  const flags = picked.flags.map((flag, row) => (isMade[row] === 0 ? flag : RowFlag.forwardFilled))
  const filledCount = isMade.reduce((sum, made) => sum + made, 0)
  return { frame: { ...picked, eventTimeMs, flags }, filledCount }
}
