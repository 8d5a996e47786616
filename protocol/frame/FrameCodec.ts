/**
 * What are the bytes of a frame?
 *
 * An Arrow IPC stream with one record batch, so that any Arrow library reads it as it is. Event times are
 * timestamp[ms, UTC], flags uint32, and a column's type is its own. A missing number is NaN; in every other type it is
 * a null. A category is plain text, or a dictionary where that is asked for. A reply carries lineage as columns; a
 * stored chunk carries it as runs in its header, and the header under a key of the schema's metadata.
 */
import {
  Bool,
  type Data,
  DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64 as ArrowInt64,
  makeData,
  RecordBatch,
  Schema as ArrowSchema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  TimestampMillisecond,
  Uint32,
  Utf8,
  Vector
} from "apache-arrow"
import * as ArrowTemplate from "./ArrowTemplate.ts"
import * as Bitmap from "./Bitmap.ts"
import * as Category from "./Category.ts"
import { type BoolColumn, type CategoryColumn, type Column, float64, missing } from "./Column.ts"
import { reservedColumns } from "./DataSchema.ts"
import { type Frame, pick } from "./Frame.ts"
import * as Int64 from "./Int64.ts"
import * as Lineage from "./Lineage.ts"
import { presentRows } from "./presentRows.ts"
import * as TextBytes from "./TextBytes.ts"

interface ArrowColumn {
  readonly name: string
  readonly data: Data
  readonly nullable: boolean
}

/** Which rows of a column are null. */
interface Nulls {
  readonly nullCount: number
  readonly nullBitmap: Uint8Array | null
}

const none: Nulls = { nullCount: 0, nullBitmap: null }

const nullsOf = (column: Column): Nulls => {
  const present = presentRows(column)
  return present.missing === 0 ? none : { nullCount: present.missing, nullBitmap: Bitmap.pack(present.bytes) }
}

const timestamps = (timesMs: Float64Array, nulls: Nulls = none): Data => {
  const data = Int64.fromTimes(timesMs)
  return makeData({ type: new TimestampMillisecond("UTC"), length: data.length, ...nulls, data })
}

const texts = ({ bytes, offsets }: TextBytes.TextBytes, nulls: Nulls = none): Data<Utf8> =>
  makeData({ type: new Utf8(), length: offsets.length - 1, ...nulls, valueOffsets: offsets, data: bytes })

const bools = (column: BoolColumn): Data => {
  const length = column.values.length
  const isTrue = column.values.map((value) => (value === 1 ? 1 : 0))
  return makeData({ type: new Bool(), length, ...nullsOf(column), data: Bitmap.pack(isTrue) })
}

/** How a category is written: as plain text, or as places in a dictionary. */
export type CategoryForm = "text" | "dictionary"

const categories = (column: CategoryColumn, form: CategoryForm, id: number): Data => {
  const { dictionary, values } = Category.canonical(column)
  const nulls = nullsOf(column)
  if (form === "text") return texts(TextBytes.fromPlaces(values, dictionary), nulls)
  // also a null has a place within the dictionary, since some readers check all of them
  const places = new Int32Array(values.map((place) => (place === missing.category ? 0 : place)))
  const type = new Dictionary(new Utf8(), new Int32(), id)
  return makeData({
    type,
    length: values.length,
    ...nulls,
    data: places,
    dictionary: new Vector([texts(TextBytes.fromTexts(dictionary))])
  })
}

const valuesOf = (column: Column, form: CategoryForm, id: number): Data => {
  const length = column.values.length
  switch (column.type) {
    case "float64":
      return makeData({ type: new Float64(), length, ...none, data: column.values })
    case "int64":
      return makeData({ type: new ArrowInt64(), length, ...nullsOf(column), data: column.values })
    case "bool":
      return bools(column)
    case "category":
      return categories(column, form, id)
    case "timestamp":
      return timestamps(column.values, nullsOf(column))
  }
}

const ingestTimes = (runs: Lineage.Lineage, rows: number): Data => {
  const out = new Float64Array(rows)
  let row = 0
  for (const run of runs) out.fill(run.ingestAtMs, row, (row += run.rows))
  return timestamps(out)
}

const required = (name: string, data: Data): ArrowColumn => ({ name, data, nullable: false })

const lineageColumns = ({ eventTimeMs, lineage }: Frame): ReadonlyArray<ArrowColumn> => {
  const textsOf = (textOf: (run: Lineage.LineageRun) => string) =>
    texts(TextBytes.fromRuns(lineage.map((run) => ({ rows: run.rows, text: textOf(run) }))))
  return [
    required(
      reservedColumns.source,
      textsOf((run) => run.source)
    ),
    required(reservedColumns.ingestAt, ingestTimes(lineage, eventTimeMs.length)),
    required(
      reservedColumns.jobId,
      textsOf((run) => run.jobId)
    )
  ]
}

/** How to write a frame: lineage as columns (replies) or not at all (chunks), and the schema's metadata. */
export interface EncodeOptions {
  readonly lineage: "columns" | "none"
  readonly metadata: ReadonlyMap<string, string>
  /** Text unless a dictionary is asked for. */
  readonly categories?: CategoryForm
}

const columnsOf = (frame: Frame, { categories: form = "text", lineage }: EncodeOptions): ReadonlyArray<ArrowColumn> => [
  required(reservedColumns.eventTime, timestamps(frame.eventTimeMs)),
  ...frame.columns.map((column, index) => ({
    name: column.name,
    data: valuesOf(column, form, index),
    // by its type alone, so that replies with nulls and without have one schema
    nullable: column.type !== "float64"
  })),
  ...(lineage === "columns" ? lineageColumns(frame) : []),
  required(
    reservedColumns.flags,
    makeData({ type: new Uint32(), length: frame.flags.length, nullCount: 0, data: frame.flags })
  )
]

/** By Arrow's own writer, which can write all there is, takes its time, and wants columns that share no memory. */
const writeAnew = (
  columns: ReadonlyArray<ArrowColumn>,
  length: number,
  metadata: EncodeOptions["metadata"]
): Uint8Array => {
  const fields = columns.map(({ data, name, nullable }) => new Field(name, data.type, nullable))
  const children = columns.map(({ data }) => data)
  const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children })
  return tableToIPC(new Table([new RecordBatch(new ArrowSchema(fields, new Map(metadata)), rows)]), "stream")
}

/** A stream of one row that has the columns and the dictionaries of the frame's. */
const sampleOf = (frame: Frame, columns: ReadonlyArray<ArrowColumn>, options: EncodeOptions): Uint8Array => {
  const first = columnsOf(pick(frame, Uint32Array.of(0)), options)
  const sample = columns.map((column, index) =>
    DataType.isDictionary(column.data.type) ? { ...column, data: column.data.slice(0, 1) } : first[index]!
  )
  return writeAnew(sample, 1, options.metadata)
}

const bytesOf = (values: ArrayBufferView | undefined | null): Uint8Array =>
  values ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength) : new Uint8Array(0)

/** What Arrow's writer takes of a column, in its order. */
const buffersOf = (data: Data): ArrowTemplate.ArrowBuffers => ({
  nullCount: data.nullCount,
  buffers: [
    bytesOf(data.nullCount === 0 ? null : data.nullBitmap),
    ...(DataType.isUtf8(data.type) ? [bytesOf(data.valueOffsets)] : []),
    bytesOf(data.values)
  ]
})

const withoutNulls = (
  ...buffers: ReadonlyArray<Uint8Array | ArrowTemplate.WrittenInPlace>
): ArrowTemplate.ArrowBuffers => ({ nullCount: 0, buffers: [new Uint8Array(0), ...buffers] })

const wordsIn = ({ buffer, byteLength, byteOffset }: Uint8Array): Int32Array =>
  new Int32Array(buffer, byteOffset, byteLength / 4)

const textsInPlace = (runs: TextBytes.EncodedRuns): ArrowTemplate.ArrowBuffers => {
  let offsets: Int32Array = new Int32Array(0)
  return withoutNulls(
    { length: (runs.rows + 1) * 4, write: (out) => void (offsets = wordsIn(out)) },
    // behind the offsets, which are written with them
    { length: runs.byteLength, write: (out) => runs.write(offsets, out) }
  )
}

const timesInPlace = (rows: number, write: (words: Int32Array) => void): ArrowTemplate.ArrowBuffers =>
  withoutNulls({ length: rows * 8, write: (out) => write(wordsIn(out)) })

const lineageBuffers = ({ eventTimeMs, lineage }: Frame): ReadonlyArray<ArrowTemplate.ArrowBuffers> => [
  textsInPlace(TextBytes.encodeRuns(lineage.map(({ rows, source }) => ({ rows, text: source })))),
  timesInPlace(eventTimeMs.length, (words) => {
    let row = 0
    for (const { ingestAtMs, rows } of lineage) Int64.writeTime(words, ingestAtMs, row, (row += rows))
  }),
  textsInPlace(TextBytes.encodeRuns(lineage.map(({ jobId, rows }) => ({ rows, text: jobId }))))
]

/** The same buffers as those of `columnsOf`; what is most of an answer is copied once, or not at all. */
const contentOf = (
  frame: Frame,
  { categories: form = "text", lineage }: EncodeOptions
): ReadonlyArray<ArrowTemplate.ArrowBuffers> => [
  timesInPlace(frame.eventTimeMs.length, (words) => Int64.writeTimes(words, frame.eventTimeMs)),
  ...frame.columns.map((column, index) =>
    column.type === "float64" ? withoutNulls(bytesOf(column.values)) : buffersOf(valuesOf(column, form, index))
  ),
  ...(lineage === "columns" ? lineageBuffers(frame) : []),
  withoutNulls(bytesOf(frame.flags))
]

/** Kinds of streams that are known at once; a host serves few schemas, and each has one kind for each text length. */
const templatesMax = 512
const templates = new Map<string, ArrowTemplate.Template>()

const templateOf = (kind: string, make: () => ArrowTemplate.Template): ArrowTemplate.Template => {
  const known = templates.get(kind)
  if (known !== undefined) return known
  const [oldest] = templates.keys()
  if (templates.size >= templatesMax && oldest !== undefined) templates.delete(oldest)
  const template = make()
  templates.set(kind, template)
  return template
}

const textEncoder = new TextEncoder()

/** The bytes of a sealed frame as an Arrow IPC stream. Equal frames have equal bytes, whatever their dictionaries. */
export const encode = (frame: Frame, options: EncodeOptions): Uint8Array => {
  const rows = frame.eventTimeMs.length
  const { metadata } = options
  // a stream without rows has nothing to be filled in, and rows without lineage have nulls in its columns
  const hasAll = options.lineage === "none" || Lineage.rowsOf(frame.lineage) === rows
  if (rows === 0 || metadata.size > 1 || !hasAll) return writeAnew(columnsOf(frame, options), rows, metadata)
  const [[key, value] = ["", ""]] = metadata
  const text = textEncoder.encode(value)
  const makeTemplate = () => ArrowTemplate.make(sampleOf(frame, columnsOf(frame, options), options))
  const types = frame.columns.map(({ name, type }) => [name, type])
  const kind = JSON.stringify([types, options.lineage, metadata.size, key, ArrowTemplate.textStep(text)])
  // a dictionary is of one frame alone
  const hasDictionary = options.categories === "dictionary" && frame.columns.some(({ type }) => type === "category")
  const template = hasDictionary ? makeTemplate() : templateOf(kind, makeTemplate)
  return ArrowTemplate.fill(template, { text, rows, columns: contentOf(frame, options) })
}

/** The only batch of a column as it lies in the bytes: a view, not a copy. */
const dataOf = (table: Table, name: string): Data | undefined => table.getChild(name)?.data[0]

/** The values of a column; none where it is not there, or of another type. */
const view = <Values extends object>(data: Data | undefined, kind: new (length: number) => Values): Values => {
  const values: unknown = data?.values
  return values instanceof kind ? values : new kind(0)
}

const timesOf = (data: Data | undefined): Float64Array => Int64.toTimes(view(data, BigInt64Array))

// the bytes of an odd number of uint32 are padded, and Arrow's view includes the padding
const flagsOf = (table: Table): Uint32Array =>
  view(dataOf(table, reservedColumns.flags), Uint32Array).subarray(0, table.numRows)

const textsOf = (data: Data | undefined): TextBytes.TextBytes => ({
  bytes: view(data, Uint8Array),
  offsets: data?.valueOffsets ?? new Int32Array(1)
})

const lineageOf = (table: Table): Lineage.Lineage => {
  const [sources, jobIds] = [dataOf(table, reservedColumns.source), dataOf(table, reservedColumns.jobId)]
  if (sources === undefined || jobIds === undefined) return []
  const [source, jobId] = [textsOf(sources), textsOf(jobIds)]
  const ingestAtMs = timesOf(dataOf(table, reservedColumns.ingestAt))
  return Lineage.fromRows({
    rows: ingestAtMs.length,
    goesOn: (row) =>
      ingestAtMs[row] === ingestAtMs[row - 1] &&
      TextBytes.isSameText(source, row - 1, row) &&
      TextBytes.isSameText(jobId, row - 1, row),
    at: (row) => ({
      source: TextBytes.textAt(source, row),
      ingestAtMs: ingestAtMs[row]!,
      jobId: TextBytes.textAt(jobId, row)
    })
  })
}

const presentIn = (data: Data | undefined, rows: number): Uint8Array | undefined =>
  data === undefined || data.nullCount === 0 ? undefined : Bitmap.unpack(data.nullBitmap, rows)

const boolsOf = (data: Data | undefined, rows: number): Uint8Array => {
  const values = Bitmap.unpack(view(data, Uint8Array), rows)
  const present = presentIn(data, rows)
  return present === undefined ? values : values.map((value, row) => (present[row] === 0 ? missing.bool : value))
}

const placesOf = (data: Data | undefined, rows: number): Uint32Array => {
  const places = Uint32Array.from(view(data, Int32Array).subarray(0, rows))
  const present = presentIn(data, rows)
  return present === undefined ? places : places.map((place, row) => (present[row] === 0 ? missing.category : place))
}

const dictionaryOf = (data: Data | undefined): ReadonlyArray<string> => {
  const held = data?.dictionary?.data[0]
  return TextBytes.textsAt(
    textsOf(held),
    Array.from({ length: held?.length ?? 0 }).map((_, place) => place)
  )
}

/** A column of one of our types; none where its type is none of them. */
const columnOf = (table: Table, { name, type }: Field): Column | undefined => {
  const data = dataOf(table, name)
  const rows = table.numRows
  if (DataType.isFloat(type)) return float64(name, view(data, Float64Array))
  if (DataType.isInt(type) && type.bitWidth === 64) return { name, type: "int64", values: view(data, BigInt64Array) }
  if (DataType.isBool(type)) return { name, type: "bool", values: boolsOf(data, rows) }
  if (DataType.isTimestamp(type)) return { name, type: "timestamp", values: timesOf(data) }
  if (DataType.isUtf8(type))
    return { name, type: "category", ...TextBytes.toPlaces(textsOf(data), rows, presentIn(data, rows)) }
  if (!DataType.isDictionary(type)) return undefined
  return { name, type: "category", values: placesOf(data, rows), dictionary: dictionaryOf(data) }
}

const isReserved = (name: string): boolean => (Object.values(reservedColumns) as ReadonlyArray<string>).includes(name)

/** The table in the bytes of an Arrow IPC stream, in place where those are aligned to 8. Others than Arrow's throw. */
export const toTable = (bytes: Uint8Array): Table =>
  // Arrow reads in place only at aligned addresses, and a received payload starts anywhere in its buffer
  tableFromIPC(bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes))

/** The frame in a table of one batch. */
export const frameOf = (table: Table): Frame => ({
  eventTimeMs: timesOf(dataOf(table, reservedColumns.eventTime)),
  columns: table.schema.fields.filter(({ name }) => !isReserved(name)).flatMap((field) => columnOf(table, field) ?? []),
  flags: flagsOf(table),
  lineage: lineageOf(table)
})

/**
 * The frame and the metadata in the bytes of an Arrow IPC stream that `encode` wrote. Columns of float64 and int64 are
 * views of the bytes where those are aligned to 8; lineage is empty where the bytes have none. A column of a type that
 * no schema names is passed over. Bytes that are no Arrow stream throw.
 */
export const decode = (
  bytes: Uint8Array
): { readonly frame: Frame; readonly metadata: ReadonlyMap<string, string> } => {
  const table = toTable(bytes)
  return { frame: frameOf(table), metadata: table.schema.metadata }
}
