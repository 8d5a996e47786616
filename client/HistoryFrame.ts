/**
 * In which form does a caller get rows?
 *
 * By column, under the names of the wire: `event_time`, the schema's columns, what its source gives beyond them, then
 * where each row came from. Columns of numbers and times are typed arrays, so that 50,000 bars are a dozen objects. The
 * other types have no number that says "missing" by itself, as NaN does: their values are plain ones, null where one is
 * missing, so that a hole never counts as data.
 */
import * as Category from "../protocol/frame/Category.ts"
import { type Column, missing } from "../protocol/frame/Column.ts"
import { reservedColumns } from "../protocol/frame/DataSchema.ts"
import type { Frame } from "../protocol/frame/Frame.ts"
import * as FrameJson from "../protocol/frame/FrameJson.ts"

/** The values of one column: times and prices as float64, flags as bits, int64 exact, names and categories as text. */
export type ColumnValues =
  | Float64Array
  | Uint32Array
  | ReadonlyArray<string>
  | ReadonlyArray<bigint | null>
  | ReadonlyArray<boolean | null>
  | ReadonlyArray<string | null>

/** Rows by column; every column has `length` values. */
export interface HistoryFrame {
  readonly length: number
  /**
   * By name, in the order of the wire. Times are epoch milliseconds. A missing float64 or time is NaN; of the other
   * types it is null.
   */
  readonly columns: Readonly<Record<string, ColumnValues>>
  /** Of each column of the series that is not float64, its type: `int64`, `bool`, `category` or `timestamp`. */
  readonly types: FrameJson.JsonTypes
  /**
   * The columns as plain arrays, as a reply in JSON has them: ready for `JSON.stringify`. A missing value is null, and
   * an int64 is decimal text.
   */
  readonly toColumns: () => FrameJson.JsonColumns
}

const rowsOf = (column: FrameJson.JsonColumns[string] = []): ReadonlyArray<string> => column.map(String)

const intsOf = (values: BigInt64Array): ReadonlyArray<bigint | null> =>
  Array.from(values, (value) => (value === missing.int64 ? null : value))

const boolsOf = (values: Uint8Array): ReadonlyArray<boolean | null> =>
  Array.from(values, (value) => (value === missing.bool ? null : value === 1))

const valuesOf = (column: Column): ColumnValues => {
  switch (column.type) {
    case "float64":
    case "timestamp":
      return column.values
    case "int64":
      return intsOf(column.values)
    case "bool":
      return boolsOf(column.values)
    case "category":
      return Category.toTexts(column)
  }
}

const columnsOf = (frame: Frame): HistoryFrame["columns"] => {
  // lineage is held as runs, and is as short as its texts are long: only that part is worth taking from the plain form
  const lineage = FrameJson.toJson({ ...frame, columns: [] })
  return {
    [reservedColumns.eventTime]: frame.eventTimeMs,
    ...Object.fromEntries(frame.columns.map((column) => [column.name, valuesOf(column)])),
    [reservedColumns.source]: rowsOf(lineage[reservedColumns.source]),
    [reservedColumns.ingestAt]: Float64Array.from(lineage[reservedColumns.ingestAt] ?? [], Number),
    [reservedColumns.jobId]: rowsOf(lineage[reservedColumns.jobId]),
    [reservedColumns.flags]: frame.flags
  }
}

/** The frame as a caller sees it. */
export const fromFrame = (frame: Frame): HistoryFrame => ({
  length: frame.eventTimeMs.length,
  columns: columnsOf(frame),
  types: FrameJson.typesOf(frame),
  toColumns: () => FrameJson.toJson(frame)
})
