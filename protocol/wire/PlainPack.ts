/**
 * How does plain data become MessagePack that any language reads?
 *
 * What JSON can say, and nothing else: nil, booleans, numbers, text, lists, and maps with text keys. A whole number is
 * an integer in its shortest form, any other number a float64; what JSON has no number for is nil. The one extension,
 * an array of numbers, is only written.
 */
/** Bytes of a value that are written as they are, one chunk behind the other. */
export class Packed {
  readonly chunks: ReadonlyArray<Uint8Array>
  constructor(...chunks: ReadonlyArray<Uint8Array>) {
    this.chunks = chunks
  }
}

/** Chunks as one. */
export const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const out = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    out.set(chunk, at)
    at += chunk.length
  }
  return out
}

/** The extension that holds numbers of one type, and the kinds of them that are written. */
const typedArrayExtension = 0x74
const kinds = { uint32: 6, float64: 8, int64: 9 } as const

const initialBytes = 1024

const textEncoder = new TextEncoder()

/** The first bytes of something that has a length: the shortest of those that hold it. */
const lengthHead = (
  length: number,
  head: { readonly fix?: number; readonly codes: ReadonlyArray<number> }
): number[] => {
  const [code8 = 0, code16 = 0, code32 = 0] = head.codes
  if (head.fix !== undefined && length < (head.fix === 0xa0 ? 32 : 16)) return [head.fix | length]
  if (length < 0x1_00 && code8 !== 0) return [code8, length]
  if (length < 0x1_00_00) return [code16, length >>> 8, length & 0xff]
  return [code32, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff]
}

/** The first bytes of a list of so many. */
export const listHead = (length: number): Uint8Array =>
  Uint8Array.from(lengthHead(length, { fix: 0x90, codes: [0, 0xdc, 0xdd] }))

/** The bytes of a text. */
export const packText = (text: string): Uint8Array => {
  const bytes = textEncoder.encode(text)
  const head = lengthHead(bytes.length, { fix: 0xa0, codes: [0xd9, 0xda, 0xdb] })
  const out = new Uint8Array(head.length + bytes.length)
  out.set(head)
  out.set(bytes, head.length)
  return out
}

/** Numbers of one type as the extension for them, little-endian: the memory in which they lie, and no copy of it. */
export const packNumbers = (values: Float64Array | BigInt64Array | Uint32Array): Packed => {
  const kind =
    values instanceof Float64Array ? kinds.float64 : values instanceof Uint32Array ? kinds.uint32 : kinds.int64
  // the kind counts: so no length is one of those that have a fixed form
  const head = [...lengthHead(values.byteLength + 1, { codes: [0xc7, 0xc8, 0xc9] }), typedArrayExtension, kind]
  return new Packed(Uint8Array.from(head), new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
}

/** Bytes that grow as they are written. */
const makeWriter = () => {
  const before: Array<Uint8Array> = []
  let bytes = new Uint8Array(initialBytes)
  let view = new DataView(bytes.buffer)
  let length = 0
  const reserve = (count: number): number => {
    const at = length
    length += count
    if (length > bytes.length) {
      const grown = new Uint8Array(Math.max(length, bytes.length * 2))
      grown.set(bytes.subarray(0, at))
      bytes = grown
      view = new DataView(bytes.buffer)
    }
    return at
  }
  const putBytes = (chunk: ArrayLike<number>): void => {
    // grows before `bytes` is read
    const at = reserve(chunk.length)
    bytes.set(chunk, at)
  }
  return {
    put: (...each: ReadonlyArray<number>): void => putBytes(each),
    putBytes,
    putWide: (code: number, set: (view: DataView, at: number) => void): void => {
      const at = reserve(9)
      bytes[at] = code
      set(view, at + 1)
    },
    /** Puts chunks behind what was written, without a copy of them. */
    putChunks: (chunks: ReadonlyArray<Uint8Array>): void => {
      before.push(bytes.slice(0, length), ...chunks)
      length = 0
    },
    taken: (): Uint8Array =>
      before.length === 0 ? bytes.subarray(0, length) : joined([...before, bytes.subarray(0, length)])
  }
}

type Writer = ReturnType<typeof makeWriter>

const writeWhole = ({ put, putWide }: Writer, value: number): void => {
  if (value >= 0) {
    if (value < 0x80) return put(value)
    if (value < 0x1_00) return put(0xcc, value)
    if (value < 0x1_00_00) return put(0xcd, value >>> 8, value & 0xff)
    if (value < 2 ** 32) return put(0xce, value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
    return putWide(0xcf, (view, at) => view.setBigUint64(at, BigInt(value)))
  }
  if (value >= -32) return put(value & 0xff)
  if (value >= -0x80) return put(0xd0, value & 0xff)
  if (value >= -0x80_00) return put(0xd1, (value >>> 8) & 0xff, value & 0xff)
  if (value >= -(2 ** 31))
    return put(0xd2, (value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
  return putWide(0xd3, (view, at) => view.setBigInt64(at, BigInt(value)))
}

const writeNumber = (writer: Writer, value: number): void => {
  if (Number.isSafeInteger(value)) return writeWhole(writer, value)
  if (!Number.isFinite(value)) return writer.put(0xc0)
  writer.putWide(0xcb, (view, at) => view.setFloat64(at, value))
}

const writeMap = (writer: Writer, entries: ReadonlyArray<readonly [string, unknown]>): void => {
  const told = entries.filter(([, value]) => value !== undefined)
  writer.put(...lengthHead(told.length, { fix: 0x80, codes: [0, 0xde, 0xdf] }))
  for (const [key, value] of told) {
    writer.putBytes(packText(key))
    write(writer, value)
  }
}

const write = (writer: Writer, value: unknown): void => {
  if (typeof value === "number") return writeNumber(writer, value)
  if (typeof value === "string") return writer.putBytes(packText(value))
  if (typeof value === "boolean") return writer.put(value ? 0xc3 : 0xc2)
  if (value instanceof Packed) return writer.putChunks(value.chunks)
  if (Array.isArray(value)) {
    writer.putBytes(listHead(value.length))
    for (const each of value) write(writer, each)
    return undefined
  }
  if (value instanceof Map) return writeMap(writer, Array.from(value as ReadonlyMap<string, unknown>))
  if (typeof value === "object" && value !== null) return writeMap(writer, Object.entries(value))
  return writer.put(0xc0)
}

/** Plain data as MessagePack; of an object what is undefined is left out, and a `Map` keeps the order of its keys. */
export const pack = (value: unknown): Uint8Array => {
  const writer = makeWriter()
  write(writer, value)
  return writer.taken()
}
