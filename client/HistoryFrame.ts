/**
 * In which form does a caller get rows?
 *
 * As an Arrow table, just as it came: nothing is copied until it is asked for. Beside what Arrow offers, columns can
 * be had by name: `event_time`, the schema's columns, what its source gives beyond them, then where each row came
 * from. Columns of numbers and times are typed arrays, so that 50,000 bars are a dozen objects. The other types have no
 * number that says "missing" by itself, as NaN does: their values are plain ones, null where one is missing, so that a
 * hole never counts as data.
 */
import { Table, type TypeMap, util } from "apache-arrow"
import * as Category from "../protocol/frame/Category.ts"
import { type Column, missing } from "../protocol/frame/Column.ts"
import { reservedColumns } from "../protocol/frame/DataSchema.ts"
import * as Frame from "../protocol/frame/Frame.ts"
import * as FrameCodec from "../protocol/frame/FrameCodec.ts"
import * as FrameJson from "../protocol/frame/FrameJson.ts"

/** The values of one column: times and prices as float64, flags as bits, int64 exact, names and categories as text. */
export type ColumnValues =
  | Float64Array
  | Uint32Array
  | ReadonlyArray<string>
  | ReadonlyArray<bigint | null>
  | ReadonlyArray<boolean | null>
  | ReadonlyArray<string | null>

/** By name, in the order of the wire; every column has as many values as there are rows. */
type Columns = Readonly<Record<string, ColumnValues>>

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

const columnsOf = (frame: Frame.Frame): Columns => {
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

/**
 * Rows, as an Arrow table and by column. What Arrow's own methods (`slice`, `select`, `concat`) make of it is a plain
 * table.
 */
export class HistoryFrame extends Table<TypeMap> {
  #frame: Frame.Frame | undefined
  #columns: Columns | undefined

  /** The rows as the protocol has them, made once. */
  get #rows(): Frame.Frame {
    this.#frame ??= Frame.concat(
      this.batches.length < 2
        ? [FrameCodec.frameOf(this)]
        : this.batches.map((batch) => FrameCodec.frameOf(new Table([batch])))
    )
    return this.#frame
  }

  /** How many rows. */
  get length(): number {
    return this.numRows
  }

  /**
   * By name, in the order of the wire. Times are epoch milliseconds. A missing float64 or time is NaN; of the other
   * types it is null. Made when they are first asked for.
   */
  get columns(): Columns {
    this.#columns ??= columnsOf(this.#rows)
    return this.#columns
  }

  /** Of each column of the series that is not float64, its type: `int64`, `bool`, `category` or `timestamp`. */
  get types(): FrameJson.JsonTypes {
    return FrameJson.typesOf(this.#rows)
  }

  /**
   * The columns as plain arrays, as a reply in JSON has them: ready for `JSON.stringify`. A missing value is null, and
   * an int64 is decimal text.
   */
  toColumns(): FrameJson.JsonColumns {
    return FrameJson.toJson(this.#rows)
  }
}

/** The table of an answer with its columns by name. */
export const toHistoryFrame = ({ batches, schema }: Table): HistoryFrame => new HistoryFrame(schema, batches)

/** The frame as a caller sees it. */
export const fromFrame = (frame: Frame.Frame, metadata: ReadonlyMap<string, string> = new Map()): HistoryFrame =>
  toHistoryFrame(
    FrameCodec.toTable(FrameCodec.encode(frame, { lineage: "columns", metadata, categories: "dictionary" }))
  )

/**
 * The rows of all parts of an answer, one after another, under the metadata of the last. Nothing is copied where all
 * have the same columns; one that lacks a column has it missing.
 */
export const join = (parts: ReadonlyArray<HistoryFrame>): HistoryFrame => {
  const last = parts.at(-1)
  if (last === undefined || parts.length === 1) return last ?? new HistoryFrame()
  if (parts.every(({ schema }) => util.compareSchemas(schema, last.schema))) {
    return new HistoryFrame(
      last.schema,
      parts.flatMap(({ batches }) => batches)
    )
  }
  const frames = parts.map((part) => FrameCodec.frameOf(part))
  return fromFrame(Frame.concat(frames), last.schema.metadata)
}
