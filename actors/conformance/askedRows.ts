/**
 * Which of the rows given are of the time that their source was asked about?
 *
 * A source may give more than it was asked for. Of what lies beside the question nothing is taken but that it is there:
 * a value there that can't be read is no reason to refuse the rows that were wanted.
 */
import { pick, pickFloats } from "../../protocol/frame/ColumnRows.ts"
import type { RawColumn, RawRows } from "../../protocol/frame/RawRows.ts"
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import { ConformanceFailed } from "./ConformanceFailed.ts"

/** Rows by number, in their order; `"all"` where none is left out. */
export type Asked = Uint32Array | "all"

/** The rows of `[start, end)`, by times that are within their bars. */
export const askedOf = (timeMs: Float64Array, [start, end]: Range): Asked => {
  const isAsked = (time: number): boolean => !isRange(time, start) && isRange(time, end)
  // most pages have nothing else
  if (timeMs.every(isAsked)) return "all"
  return Uint32Array.from(timeMs.keys()).filter((row) => isAsked(timeMs[row]!))
}

/** The same rows where they are counted from the last to the first. */
export const countedBack = (asked: Asked, length: number): Asked =>
  asked === "all" ? asked : asked.map((row) => length - 1 - row).toReversed()

const pickColumn = (column: RawColumn, rows: Uint32Array): RawColumn => {
  if ("type" in column) return pick(column, rows)
  const { name, values } = column
  if (values instanceof Float64Array) return { name, values: pickFloats(values, rows) }
  if (values instanceof BigInt64Array) return { name, values: BigInt64Array.from(rows, (row) => values[row]!) }
  return { name, values: Array.from(rows, (row) => values[row] ?? null) }
}

/** Those of the rows; a column that is longer or shorter than they are stays as it is, and is found at fault. */
export const pickRows = (given: RawRows, asked: Asked): RawRows => {
  if (asked === "all") return given
  const { columns, eventTime } = given
  return {
    eventTime: Array.from(asked, (row) => eventTime[row]!),
    columns: columns.map((each) => (each.values.length === eventTime.length ? pickColumn(each, asked) : each))
  }
}

/** The failure with the number of the row among all that were given, and its time: a number alone says little. */
export const asGiven = (
  failed: ConformanceFailed,
  asked: Asked,
  timeOf: (row: number) => number
): ConformanceFailed => {
  const { column, row, step } = failed
  const given = asked === "all" || row === undefined ? row : asked[row]
  if (given === undefined) return failed
  const message = `${failed.message.replace(`row ${row}:`, `row ${given}:`)} (in the row of ${isoTime(timeOf(given))})`
  return new ConformanceFailed({ step, ...(column !== undefined && { column }), row: given, message })
}

/** The starts of the bars of these rows and of others, ascending, each once. */
export const barStarts = (startMs: Float64Array, others: ReadonlyArray<number>, interval: Interval): Float64Array =>
  others.length === 0
    ? startMs
    : Float64Array.from(new Set([...startMs, ...others.map((timeMs) => alignDown(interval, timeMs))])).toSorted()
