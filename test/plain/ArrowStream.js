// How is an Arrow IPC stream read without a library? Only what replies and chunks have: one schema with its metadata,
// dictionaries of utf8, record batches that are not compressed, and the types float64, int64, uint32 and int32, bool,
// utf8, and timestamps of milliseconds. A column of any other type is passed over.

const messageTypes = { schema: 1, dictionaryBatch: 2, recordBatch: 3 }

/** A table of a FlatBuffer: fields by their number. */
class Table {
  constructor(view, at) {
    this.view = view
    this.at = at
    this.fields = at - view.getInt32(at, true)
  }

  offset(field) {
    const entry = 4 + 2 * field
    if (entry >= this.view.getUint16(this.fields, true)) return 0
    const distance = this.view.getUint16(this.fields + entry, true)
    return distance === 0 ? 0 : this.at + distance
  }

  read(field, otherwise, get) {
    const at = this.offset(field)
    return at === 0 ? otherwise : get(at)
  }

  uint8(field, otherwise = 0) {
    return this.read(field, otherwise, (at) => this.view.getUint8(at))
  }
  int16(field, otherwise = 0) {
    return this.read(field, otherwise, (at) => this.view.getInt16(at, true))
  }
  int32(field, otherwise = 0) {
    return this.read(field, otherwise, (at) => this.view.getInt32(at, true))
  }
  int64(field, otherwise = 0) {
    return this.read(field, otherwise, (at) => Number(this.view.getBigInt64(at, true)))
  }
  target(at) {
    return at + this.view.getUint32(at, true)
  }
  table(field) {
    return this.read(field, null, (at) => new Table(this.view, this.target(at)))
  }
  text(field) {
    return this.read(field, "", (at) => textAt(this.view, this.target(at)))
  }

  /** Of a vector: where its items begin, and how many they are. */
  vector(field) {
    return this.read(field, { from: 0, length: 0 }, (at) => {
      const from = this.target(at)
      return { from: from + 4, length: this.view.getUint32(from, true) }
    })
  }

  tables(field) {
    const { from, length } = this.vector(field)
    return Array.from({ length }, (_, index) => new Table(this.view, this.target(from + 4 * index)))
  }

  pairs(field) {
    const { from, length } = this.vector(field)
    const read = (at) => Number(this.view.getBigInt64(at, true))
    return Array.from({ length }, (_, index) => [read(from + 16 * index), read(from + 16 * index + 8)])
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const textBetween = (view, from, to) => utf8.decode(new Uint8Array(view.buffer, view.byteOffset + from, to - from))
const textAt = (view, at) => textBetween(view, at + 4, at + 4 + view.getUint32(at, true))

/** Gives `{ metadata, columns: [{ name, type, nullable, values }], rows }`. */
export function readArrowStream(bytes) {
  const dictionaries = new Map()
  let schema = null
  const stream = { metadata: {}, columns: [], rows: 0 }
  for (const { header, headerType, body } of messages(bytes)) {
    if (headerType === messageTypes.schema) {
      schema = header.tables(1).map(readField)
      stream.metadata = Object.fromEntries(header.tables(2).map((pair) => [pair.text(0), pair.text(1)]))
      stream.columns = schema.map(({ name, type, nullable }) => ({ name, type, nullable, values: [] }))
    } else if (headerType === messageTypes.dictionaryBatch) {
      const id = header.int64(0)
      const field = schema.find((candidate) => candidate.dictionary?.id === id)
      const [texts] = readBatch(header.table(1), body, [{ ...field, dictionary: null }], dictionaries)
      const isDelta = header.uint8(2) !== 0
      dictionaries.set(id, isDelta ? [...(dictionaries.get(id) ?? []), ...texts] : texts)
    } else if (headerType === messageTypes.recordBatch) {
      stream.rows += header.int64(0)
      readBatch(header, body, schema, dictionaries).forEach((values, index) => {
        for (const value of values) stream.columns[index].values.push(value)
      })
    }
  }
  if (schema === null) throw new RangeError("the bytes have no schema of Arrow")
  stream.columns = stream.columns.filter((column) => column.type !== "unknown")
  return stream
}

function* messages(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 8 <= bytes.length;) {
    if (view.getUint32(at, true) !== 0xffffffff) throw new RangeError("the bytes are no stream of Arrow")
    const length = view.getInt32(at + 4, true)
    if (length === 0) return
    const from = at + 8
    const message = new Table(view, from + view.getUint32(from, true))
    const bodyFrom = from + length
    at = bodyFrom + message.int64(3)
    if (at > bytes.length) throw new RangeError("the stream of Arrow ends within a message")
    const body = new DataView(bytes.buffer, bytes.byteOffset + bodyFrom, at - bodyFrom)
    yield { headerType: message.uint8(1), header: message.table(2), body }
  }
}

function readField(field) {
  const encoding = field.table(4)
  return {
    name: field.text(0),
    nullable: field.uint8(1) !== 0,
    type: typeOf(field.uint8(2), field.table(3)),
    buffers: bufferCounts[field.uint8(2)],
    dictionary: encoding === null ? null : { id: encoding.int64(0), indexType: indexTypeOf(encoding.table(1)) }
  }
}

function typeOf(code, type) {
  if (code === 2) {
    const name = `${type.uint8(1) === 0 ? "u" : ""}int${type.int32(0)}`
    return ["int32", "uint32", "int64"].includes(name) ? name : "unknown"
  }
  if (code === 3) return type.int16(0) === 2 ? "float64" : "unknown"
  if (code === 5) return "utf8"
  if (code === 6) return "bool"
  if (code === 10) return type.int16(0) === 1 ? "timestamp" : "unknown"
  return "unknown"
}

// By the type's number: how many buffers a column of it has, so that one can be passed over. Null has none, binary data
// and texts have three; all others that are not nested have two. Of nested ones nothing is known here.
const bufferCounts = { 1: 0, 2: 2, 3: 2, 4: 3, 5: 3, 6: 2, 7: 2, 8: 2, 9: 2, 10: 2, 11: 2, 15: 2, 18: 2, 19: 3, 20: 3 }

const indexTypeOf = (type) => (type === null ? "int32" : typeOf(2, type))

const readers = {
  float64: (view, row) => view.getFloat64(8 * row, true),
  int32: (view, row) => view.getInt32(4 * row, true),
  uint32: (view, row) => view.getUint32(4 * row, true),
  int64: (view, row) => view.getBigInt64(8 * row, true),
  timestamp: (view, row) => Number(view.getBigInt64(8 * row, true)),
  bool: (view, row) => bitAt(view, row)
}

const bitAt = (view, row) => ((view.getUint8(row >> 3) >> (row & 7)) & 1) === 1

function readBatch(batch, body, fields, dictionaries) {
  if (batch.offset(3) !== 0) throw new RangeError("a batch of Arrow is compressed")
  const nodes = batch.pairs(1)
  const buffers = batch.pairs(2).map(([from, length]) => new DataView(body.buffer, body.byteOffset + from, length))
  let next = 0
  return fields.map((field, index) => {
    const [rows, missing] = nodes[index]
    const stored = field.dictionary === null ? field.type : field.dictionary.indexType
    if (stored === "unknown") {
      if (field.buffers === undefined) throw new RangeError(`the column ${field.name} is of a nested type`)
      next += field.dictionary === null ? field.buffers : 2
      return []
    }
    const validity = buffers[next]
    const isText = stored === "utf8"
    const own = buffers[next + 1]
    const values = isText ? textReader(own, buffers[next + 2]) : readers[stored].bind(null, own)
    next += isText ? 3 : 2
    const texts = field.dictionary === null ? null : dictionaries.get(field.dictionary.id)
    return Array.from({ length: rows }, (_, row) => {
      if (missing > 0 && !bitAt(validity, row)) return null
      return texts === null ? values(row) : texts[values(row)]
    })
  })
}

const textReader = (offsets, data) => (row) =>
  textBetween(data, offsets.getInt32(4 * row, true), offsets.getInt32(4 * row + 4, true))
