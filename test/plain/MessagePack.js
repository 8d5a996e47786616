// How are requests written and replies read in MessagePack? Plain values only, and arrays of numbers as the extension
// 0x74 (part 3, "Forms" and "The reply in MessagePack"). Whole numbers are written in their shortest form.

const arrayExtension = 0x74
const levelsMax = 64

// By the byte that says the kind: bytes of a value, and how one is read. There is no kind 2.
const numberKinds = [
  [1, (view, at) => view.getInt8(at)],
  [1, (view, at) => view.getUint8(at)],
  undefined,
  [2, (view, at) => view.getInt16(at, true)],
  [2, (view, at) => view.getUint16(at, true)],
  [4, (view, at) => view.getInt32(at, true)],
  [4, (view, at) => view.getUint32(at, true)],
  [4, (view, at) => view.getFloat32(at, true)],
  [8, (view, at) => view.getFloat64(at, true)],
  [8, (view, at) => view.getBigInt64(at, true)]
]

/** An array of numbers as it came: its kind, and its values; those of int64 are big integers. */
export class NumberArray {
  constructor(kind, values) {
    this.kind = kind
    this.values = values
  }
}

/** An extension that this reader does not know. */
export class UnknownExtension {
  constructor(type) {
    this.type = type
  }
}

export function encode(value) {
  const pieces = []
  write(value, pieces, 0)
  return Buffer.concat(pieces)
}

function write(value, pieces, level) {
  if (level > levelsMax) throw new RangeError("a value is nested too deeply")
  if (value === null) pieces.push(Buffer.of(0xc0))
  else if (typeof value === "boolean") pieces.push(Buffer.of(value ? 0xc3 : 0xc2))
  else if (typeof value === "number") pieces.push(writeNumber(value))
  else if (typeof value === "string") writeText(value, pieces)
  else if (Array.isArray(value)) {
    pieces.push(head(value.length, [0x90, 15], [0xdc, 0xdd]))
    for (const item of value) write(item, pieces, level + 1)
  } else if (typeof value === "object") {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined)
    pieces.push(head(entries.length, [0x80, 15], [0xde, 0xdf]))
    for (const [key, field] of entries) {
      writeText(key, pieces)
      write(field, pieces, level + 1)
    }
  } else throw new TypeError(`no value of a request: ${typeof value}`)
}

function head(length, [short, shortMax], [code16, code32]) {
  if (length <= shortMax) return Buffer.of(short | length)
  const bytes = Buffer.alloc(length < 65_536 ? 3 : 5)
  bytes[0] = length < 65_536 ? code16 : code32
  if (length < 65_536) bytes.writeUInt16BE(length, 1)
  else bytes.writeUInt32BE(length, 1)
  return bytes
}

function writeText(text, pieces) {
  const bytes = Buffer.from(text, "utf8")
  if (bytes.length > 31 && bytes.length < 256) pieces.push(Buffer.of(0xd9, bytes.length))
  else pieces.push(head(bytes.length, [0xa0, 31], [0xda, 0xdb]))
  pieces.push(bytes)
}

function writeNumber(value) {
  const isWhole = Number.isSafeInteger(value) && !Object.is(value, -0)
  if (!isWhole) return sized(0xcb, 8, (bytes) => bytes.writeDoubleBE(value, 1))
  if (value >= 0) {
    if (value < 128) return Buffer.of(value)
    if (value < 256) return Buffer.of(0xcc, value)
    if (value < 65_536) return sized(0xcd, 2, (bytes) => bytes.writeUInt16BE(value, 1))
    if (value < 4_294_967_296) return sized(0xce, 4, (bytes) => bytes.writeUInt32BE(value, 1))
    return sized(0xcf, 8, (bytes) => bytes.writeBigUInt64BE(BigInt(value), 1))
  }
  if (value >= -32) return Buffer.of(value + 256)
  if (value >= -128) return sized(0xd0, 1, (bytes) => bytes.writeInt8(value, 1))
  if (value >= -32_768) return sized(0xd1, 2, (bytes) => bytes.writeInt16BE(value, 1))
  if (value >= -2_147_483_648) return sized(0xd2, 4, (bytes) => bytes.writeInt32BE(value, 1))
  return sized(0xd3, 8, (bytes) => bytes.writeBigInt64BE(BigInt(value), 1))
}

function sized(code, length, fill) {
  const bytes = Buffer.alloc(length + 1)
  bytes[0] = code
  fill(bytes)
  return bytes
}

export function decode(bytes) {
  const reader = new Reader(bytes)
  const value = reader.value(0)
  if (reader.at !== bytes.length) throw new RangeError("bytes are left behind the value")
  return value
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = 0
  }

  take(length) {
    const from = this.at
    if (from + length > this.bytes.length) throw new RangeError("the bytes end within a value")
    this.at += length
    return from
  }

  unsigned(length) {
    const from = this.take(length)
    if (length === 1) return this.view.getUint8(from)
    return length === 2 ? this.view.getUint16(from) : this.view.getUint32(from)
  }

  value(level) {
    if (level > levelsMax) throw new RangeError("a value is nested too deeply")
    const code = this.unsigned(1)
    if (code < 0x80) return code
    if (code < 0x90) return this.map(code & 15, level)
    if (code < 0xa0) return this.list(code & 15, level)
    if (code < 0xc0) return this.text(code & 31)
    if (code >= 0xe0) return code - 256
    return this.longValue(code, level)
  }

  longValue(code, level) {
    switch (code) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.extension(this.unsigned(1 << (code - 0xc7)))
      case 0xca:
        return this.view.getFloat32(this.take(4))
      case 0xcb:
        return this.view.getFloat64(this.take(8))
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.unsigned(1 << (code - 0xcc))
      case 0xcf:
        return wholeNumber(this.view.getBigUint64(this.take(8)))
      case 0xd0:
        return this.view.getInt8(this.take(1))
      case 0xd1:
        return this.view.getInt16(this.take(2))
      case 0xd2:
        return this.view.getInt32(this.take(4))
      case 0xd3:
        return wholeNumber(this.view.getBigInt64(this.take(8)))
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(1 << (code - 0xd4))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.unsigned(1 << (code - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.list(this.unsigned(2 << (code - 0xdc)), level)
      case 0xde:
      case 0xdf:
        return this.map(this.unsigned(2 << (code - 0xde)), level)
      default:
        throw new RangeError(`no plain MessagePack: byte ${code}`)
    }
  }

  text(length) {
    const from = this.take(length)
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes.subarray(from, from + length))
  }

  list(length, level) {
    const list = []
    for (let index = 0; index < length; index++) list.push(this.value(level + 1))
    return list
  }

  map(length, level) {
    const map = {}
    for (let index = 0; index < length; index++) {
      const key = this.value(level + 1)
      if (typeof key !== "string") throw new RangeError("a key is no text")
      Object.defineProperty(map, key, {
        value: this.value(level + 1),
        enumerable: true,
        writable: true,
        configurable: true
      })
    }
    return map
  }

  extension(length) {
    const type = this.view.getInt8(this.take(1))
    const from = this.take(length)
    if (type !== arrayExtension || length === 0) return new UnknownExtension(type)
    const kind = this.view.getUint8(from)
    const form = numberKinds[kind]
    if (form === undefined || (length - 1) % form[0] !== 0) return new UnknownExtension(type)
    const values = []
    for (let at = from + 1; at < from + length; at += form[0]) values.push(form[1](this.view, at))
    return new NumberArray(kind, values)
  }
}

const wholeNumber = (value) =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : value
