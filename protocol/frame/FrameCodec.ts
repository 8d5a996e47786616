/**
 * What are the bytes of a frame?
 *
 * An Arrow IPC stream with one record batch and no dictionaries, so that any Arrow library reads it as it is. Event
 * times are timestamp[ms, UTC], values float64, flags uint32. A reply carries lineage as columns; a stored chunk
 * carries it as runs in its header, and the header under a key of the schema's metadata.
 */
import {
  type Data,
  Field,
  Float64,
  makeData,
  RecordBatch,
  Schema as ArrowSchema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  TimestampMillisecond,
  Uint32,
  Utf8
} from "apache-arrow"
import { type Column, float64 } from "./Column.ts"
import { reservedColumns } from "./DataSchema.ts"
import type { Frame } from "./Frame.ts"
import * as Int64 from "./Int64.ts"
import * as Lineage from "./Lineage.ts"

type ArrowColumn = readonly [name: string, data: Data]

const timestamps = (eventTimeMs: Float64Array): Data => {
  const data = Int64.fromTimes(eventTimeMs)
  return makeData({ type: new TimestampMillisecond("UTC"), length: data.length, nullCount: 0, data })
}

const floats = (data: Float64Array): Data => makeData({ type: new Float64(), length: data.length, nullCount: 0, data })

const textEncoder = new TextEncoder()

/** Repeats what is at the start of `bytes` until it fills them; each step copies all that is there. */
const repeat = (bytes: Uint8Array, length: number): void => {
  for (let filled = length; filled > 0 && filled < bytes.length; filled *= 2) bytes.copyWithin(filled, 0, filled)
}

/** A text column made of runs: each run's text is encoded once and its bytes are repeated. */
const texts = (runs: Lineage.Lineage, textOf: (run: Lineage.LineageRun) => string): Data => {
  const encoded = runs.map((run) => ({ rows: run.rows, bytes: textEncoder.encode(textOf(run)) }))
  const length = runs.reduce((rows, run) => rows + run.rows, 0)
  const data = new Uint8Array(encoded.reduce((sum, { bytes, rows }) => sum + bytes.length * rows, 0))
  const valueOffsets = new Int32Array(length + 1)
  let row = 0
  for (const { bytes, rows } of encoded) {
    const start = valueOffsets[row]!
    data.set(bytes, start)
    repeat(data.subarray(start, start + bytes.length * rows), bytes.length)
    for (const last = row + rows; row < last; row++) valueOffsets[row + 1] = valueOffsets[row]! + bytes.length
  }
  return makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets, data })
}

const ingestTimes = (runs: Lineage.Lineage, rows: number): Data => {
  const out = new Float64Array(rows)
  let row = 0
  for (const run of runs) out.fill(run.ingestAtMs, row, (row += run.rows))
  return timestamps(out)
}

const lineageColumns = ({ eventTimeMs, lineage }: Frame): ReadonlyArray<ArrowColumn> => [
  [reservedColumns.source, texts(lineage, (run) => run.source)],
  [reservedColumns.ingestAt, ingestTimes(lineage, eventTimeMs.length)],
  [reservedColumns.jobId, texts(lineage, (run) => run.jobId)]
]

/** How to write a frame: lineage as columns (replies) or not at all (chunks), and the schema's metadata. */
export interface EncodeOptions {
  readonly lineage: "columns" | "none"
  readonly metadata: ReadonlyMap<string, string>
}

/** The bytes of a sealed frame as an Arrow IPC stream. */
export const encode = (frame: Frame, { lineage, metadata }: EncodeOptions): Uint8Array => {
  const length = frame.eventTimeMs.length
  const columns: ReadonlyArray<ArrowColumn> = [
    [reservedColumns.eventTime, timestamps(frame.eventTimeMs)],
    ...frame.columns.map(({ name, values }): ArrowColumn => [name, floats(values as Float64Array)]),
    ...(lineage === "columns" ? lineageColumns(frame) : []),
    [reservedColumns.flags, makeData({ type: new Uint32(), length, nullCount: 0, data: frame.flags })]
  ]
  const fields = columns.map(([name, data]) => new Field(name, data.type, false))
  const children = columns.map(([, data]) => data)
  const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children })
  return tableToIPC(new Table([new RecordBatch(new ArrowSchema(fields, new Map(metadata)), rows)]), "stream")
}

/** The only batch of a column as it lies in the bytes: a view, not a copy. */
const dataOf = (table: Table, name: string): Data | undefined => table.getChild(name)?.data[0]

/** The values of a column; none where it is not there, or of another type. */
const view = <Values extends object>(data: Data | undefined, kind: new (length: number) => Values): Values => {
  const values: unknown = data?.values
  return values instanceof kind ? values : new kind(0)
}

const times = (table: Table, name: string): Float64Array => Int64.toTimes(view(dataOf(table, name), BigInt64Array))

// the bytes of an odd number of uint32 are padded, and Arrow's view includes the padding
const flagsOf = (table: Table): Uint32Array =>
  view(dataOf(table, reservedColumns.flags), Uint32Array).subarray(0, table.numRows)

// a mark at the beginning is part of the text, not of its encoding
const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Whether the text at `[start, end)` is the one that ends where it starts and begins at `before`. */
const repeats = (bytes: Uint8Array, before: number, start: number, end: number): boolean => {
  const length = end - start
  if (start - before !== length) return false
  for (let byte = start; byte < end; byte++) if (bytes[byte] !== bytes[byte - length]) return false
  return true
}

/** A text column by its bytes, so that a text is made only where it is asked for. */
interface TextRows {
  /** Whether the row's text is that of the row before. */
  readonly goesOn: (row: number) => boolean
  readonly at: (row: number) => string
}

const textRows = (table: Table, name: string): TextRows | undefined => {
  const data = dataOf(table, name)
  if (data === undefined) return undefined
  const bytes = view(data, Uint8Array)
  const offsets: Int32Array = data.valueOffsets
  return {
    goesOn: (row) => repeats(bytes, offsets[row - 1]!, offsets[row]!, offsets[row + 1]!),
    at: (row) => textDecoder.decode(bytes.subarray(offsets[row], offsets[row + 1]))
  }
}

const lineageOf = (table: Table): Lineage.Lineage => {
  const source = textRows(table, reservedColumns.source)
  const jobId = textRows(table, reservedColumns.jobId)
  if (source === undefined || jobId === undefined) return []
  const ingestAtMs = times(table, reservedColumns.ingestAt)
  return Lineage.fromRows({
    rows: ingestAtMs.length,
    goesOn: (row) => ingestAtMs[row] === ingestAtMs[row - 1] && source.goesOn(row) && jobId.goesOn(row),
    at: (row) => ({ source: source.at(row), ingestAtMs: ingestAtMs[row]!, jobId: jobId.at(row) })
  })
}

const isReserved = (name: string): boolean => (Object.values(reservedColumns) as ReadonlyArray<string>).includes(name)

/**
 * The frame and the metadata in the bytes of an Arrow IPC stream that `encode` wrote. Value columns are views of the
 * bytes where those are aligned to 8; lineage is empty where the bytes have none. Bytes that are no Arrow stream throw.
 */
export const decode = (
  bytes: Uint8Array
): { readonly frame: Frame; readonly metadata: ReadonlyMap<string, string> } => {
  // Arrow reads in place only at aligned addresses, and a received payload starts anywhere in its buffer
  const table = tableFromIPC(bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes))
  const names = table.schema.fields.map((field) => field.name).filter((name) => !isReserved(name))
  const frame: Frame = {
    eventTimeMs: times(table, reservedColumns.eventTime),
    columns: names.map((name): Column => float64(name, view(dataOf(table, name), Float64Array))),
    flags: flagsOf(table),
    lineage: lineageOf(table)
  }
  return { frame, metadata: table.schema.metadata }
}
