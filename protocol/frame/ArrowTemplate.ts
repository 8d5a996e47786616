/**
 * How are the bytes of an Arrow stream written, when one with the same columns was written before?
 *
 * Arrow's own writer takes several times as long to say what columns there are as it takes to copy them. Two streams of
 * the same columns differ in few places: in the text of their metadata, in how many rows there are, and in where each
 * buffer lies. So the first one is kept as a template, and its like are written by filling these places in. The bytes
 * are those that Arrow's writer gives.
 */

/** The parts of a stream of one record batch, as Arrow's writer made it. */
export interface Template {
  /** The message that says what columns there are, up to where the text of its metadata begins; or all of it. */
  readonly schema: Uint8Array
  /** What is behind the text: the rest of the message, and dictionaries. */
  readonly schemaRest: Uint8Array
  /** Where in `schema` the text's length is; none where there is no text. */
  readonly textAt: number | undefined
  /** Where in `schema` distances are that lead to behind the text. */
  readonly distancesAt: ReadonlyArray<number>
  /** The message before the buffers. */
  readonly batch: Uint8Array
  readonly rowsAt: number
  readonly bodyBytesAt: number
  readonly nodesAt: number
  readonly buffersAt: number
}

/** Bytes that are made where they are to be: memory of their own would only be copied and thrown away. */
export interface WrittenInPlace {
  readonly length: number
  /** Writes all of them; they begin at a multiple of 8 of the memory. */
  readonly write: (out: Uint8Array) => void
}

/** One column's values as Arrow has them: the buffers in their order, one without bytes where there is none. */
export interface ArrowBuffers {
  readonly nullCount: number
  readonly buffers: ReadonlyArray<Uint8Array | WrittenInPlace>
}

/** What differs between streams of one template. */
export interface Content {
  readonly text: Uint8Array
  readonly rows: number
  readonly columns: ReadonlyArray<ArrowBuffers>
}

/** Texts of lengths that are apart by multiples of it lie alike. */
const alignment = 8

const endOfStream = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)

/** Before each message: four bytes of ones, and its length. */
const prefixBytes = 8

const padded = (bytes: number): number => (bytes + alignment - 1) & -alignment

/** How long a text may be that a template can be filled with: as long as its own, but for whole steps. */
export const textStep = (text: Uint8Array): number => text.length % alignment

const viewOf = ({ buffer, byteLength, byteOffset }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

// Flatbuffers: a distance leads forward from where it stands; a table begins with how far back its list of fields is.

const follow = (view: DataView, at: number): number => at + view.getUint32(at, true)

/** Where a field of a table is; 0 where the table has none, since that is where no field can be. */
const fieldAt = (view: DataView, table: number, field: number): number => {
  const fields = table - view.getInt32(table, true)
  const place = 4 + 2 * field
  if (place >= view.getUint16(fields, true)) return 0
  const distance = view.getUint16(fields + place, true)
  return distance === 0 ? 0 : table + distance
}

const Message = { headerType: 1, header: 2, bodyLength: 3 } as const
const ArrowSchema = { fields: 1, metadata: 2 } as const
const KeyValue = { key: 0, value: 1 } as const
const RecordBatch = { length: 0, nodes: 1, buffers: 2 } as const

const recordBatchType = 3

/** A message of a stream with its prefix, and where in it its table and that of its header are. */
interface Found {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly table: number
  readonly header: number
}

const messageAt = (stream: Uint8Array, at: number): Found => {
  const length = viewOf(stream).getInt32(at + 4, true)
  const bytes = stream.slice(at, at + prefixBytes + length)
  const view = viewOf(bytes)
  const table = follow(view, prefixBytes)
  return { bytes, view, table, header: follow(view, fieldAt(view, table, Message.header)) }
}

/** The schema's message, cut in two where its only text is. */
const cutSchema = ({
  bytes,
  header,
  view
}: Found): Pick<Template, "schema" | "schemaRest" | "textAt" | "distancesAt"> => {
  const metadata = fieldAt(view, header, ArrowSchema.metadata)
  if (metadata === 0) return { schema: bytes, schemaRest: new Uint8Array(0), textAt: undefined, distancesAt: [] }
  const entry = follow(view, follow(view, metadata) + 4)
  const textAt = follow(view, fieldAt(view, entry, KeyValue.value))
  const textEnd = textAt + 4 + view.getUint32(textAt, true)
  return {
    schema: bytes.slice(0, textAt + 4),
    schemaRest: bytes.slice(textEnd),
    textAt,
    // the columns and the key were written before the text, and lie behind it
    distancesAt: [fieldAt(view, header, ArrowSchema.fields), fieldAt(view, entry, KeyValue.key)]
  }
}

/** The message before the only record batch of a stream. */
const batchIn = (stream: Uint8Array): Found & { readonly at: number } => {
  for (let at = 0; ;) {
    const found = messageAt(stream, at)
    const { bytes, table, view } = found
    if (view.getUint8(fieldAt(view, table, Message.headerType)) === recordBatchType) return { ...found, at }
    const body = fieldAt(view, table, Message.bodyLength)
    at += bytes.length + (body === 0 ? 0 : Number(view.getBigInt64(body, true)))
  }
}

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const out = new Uint8Array(first.length + second.length)
  out.set(first)
  out.set(second, first.length)
  return out
}

/**
 * The template of a stream that Arrow's writer gave: one record batch with at least one row, and one text of metadata
 * or none. Dictionaries stay as they are.
 */
export const make = (stream: Uint8Array): Template => {
  const schema = messageAt(stream, 0)
  const { at, bytes, header, table, view } = batchIn(stream)
  const cut = cutSchema(schema)
  return {
    ...cut,
    schemaRest: joined(cut.schemaRest, stream.subarray(schema.bytes.length, at)),
    batch: bytes,
    bodyBytesAt: fieldAt(view, table, Message.bodyLength),
    rowsAt: fieldAt(view, header, RecordBatch.length),
    // behind the number of entries
    nodesAt: follow(view, fieldAt(view, header, RecordBatch.nodes)) + 4,
    buffersAt: follow(view, fieldAt(view, header, RecordBatch.buffers)) + 4
  }
}

const bodyBytesOf = (columns: ReadonlyArray<ArrowBuffers>): number => {
  let bytes = 0
  for (const { buffers } of columns) for (const { length } of buffers) bytes += padded(length)
  return bytes
}

// numbers of bytes and rows are far below 2^53: their upper word is what is left
const setLong = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, value, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}

/** Writes the schema's message; gives where it ends. */
const writeSchema = (out: Uint8Array, { distancesAt, schema, schemaRest, textAt }: Template, text: Uint8Array) => {
  out.set(schema)
  if (textAt === undefined) {
    out.set(schemaRest, schema.length)
    return schema.length + schemaRest.length
  }
  const view = viewOf(out)
  const more = text.length - view.getUint32(textAt, true)
  for (const at of distancesAt) view.setUint32(at, view.getUint32(at, true) + more, true)
  view.setUint32(4, view.getUint32(4, true) + more, true)
  view.setUint32(textAt, text.length, true)
  out.set(text, schema.length)
  out.set(schemaRest, schema.length + text.length)
  return schema.length + text.length + schemaRest.length
}

/** Writes the buffers, each upon a multiple of 8, and says in the message before them where each is. */
const writeBody = (out: Uint8Array, batchAt: number, { batch, buffersAt, nodesAt }: Template, content: Content) => {
  const view = viewOf(out)
  const bodyAt = batchAt + batch.length
  let node = batchAt + nodesAt
  let region = batchAt + buffersAt
  let at = bodyAt
  for (const { buffers, nullCount } of content.columns) {
    setLong(view, node, content.rows)
    setLong(view, node + 8, nullCount)
    node += 16
    for (const buffer of buffers) {
      setLong(view, region, at - bodyAt)
      setLong(view, region + 8, padded(buffer.length))
      region += 16
      if (buffer instanceof Uint8Array) out.set(buffer, at)
      else buffer.write(out.subarray(at, at + buffer.length))
      at += padded(buffer.length)
    }
  }
  return at
}

/** The stream of this content, whose text is as long as the template's but for whole steps; it has a row or more. */
export const fill = (template: Template, content: Content): Uint8Array => {
  const { batch, bodyBytesAt, rowsAt, schema, schemaRest, textAt } = template
  const bodyBytes = bodyBytesOf(content.columns)
  const textBytes = textAt === undefined ? 0 : content.text.length
  const headBytes = schema.length + textBytes + schemaRest.length + batch.length
  const out = new Uint8Array(headBytes + bodyBytes + endOfStream.length)
  const batchAt = writeSchema(out, template, content.text)
  out.set(batch, batchAt)
  const view = viewOf(out)
  setLong(view, batchAt + rowsAt, content.rows)
  setLong(view, batchAt + bodyBytesAt, bodyBytes)
  out.set(endOfStream, writeBody(out, batchAt, template, content))
  return out
}
