/**
 * In which form does a caller get rows?
 *
 * By column, under the names of the wire: `event_time`, the schema's columns, what its source gives beyond them, then
 * where each row came from. Columns are typed arrays, so that 50,000 bars are a dozen objects.
 */
import { reservedColumns } from "../protocol/frame/DataSchema.ts"
import type { Frame } from "../protocol/frame/Frame.ts"
import * as FrameJson from "../protocol/frame/FrameJson.ts"

/** The values of one column: times and prices as float64, flags as bits, names as text. */
export type ColumnValues = Float64Array | Uint32Array | ReadonlyArray<string>

/** Rows by column; every column has `length` values. */
export interface HistoryFrame {
  readonly length: number
  /** By name, in the order of the wire. Times are epoch milliseconds; a missing value is NaN. */
  readonly columns: Readonly<Record<string, ColumnValues>>
  /** The columns as plain arrays, as a reply in JSON has them: ready for `JSON.stringify`; a missing value is null. */
  readonly toColumns: () => FrameJson.JsonColumns
}

const rowsOf = (column: FrameJson.JsonColumns[string] = []): ReadonlyArray<string> => column.map(String)

const columnsOf = (frame: Frame): HistoryFrame["columns"] => {
  // lineage is held as runs, and is as short as its texts are long: only that part is worth taking from the plain form
  const lineage = FrameJson.toJson({ ...frame, columns: [] })
  return {
    [reservedColumns.eventTime]: frame.eventTimeMs,
    ...Object.fromEntries(frame.columns.map(({ name, values }) => [name, values])),
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
  toColumns: () => FrameJson.toJson(frame)
})
