/**
 * What do the bytes of a MessagePack request say?
 *
 * Plain data alone: extensions, binary data, keys that are no text, and nesting beyond all need are refused, and so is
 * whatever follows the value. Nothing is set aside for a length that the bytes only claim.
 */
import { Option } from "effect"

/** Requests are flat; whoever nests deeper wants to exhaust the reader. */
const depthMax = 64

// a text may begin with the character that elsewhere marks the order of bytes
const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Bytes, and how far they are read. */
interface Reading {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number
  /** Something was no plain data: what is read from then on does not count. */
  isBad: boolean
}

const bad = (reading: Reading): undefined => {
  reading.isBad = true
  return undefined
}

/** Goes on by so many bytes; gives where they begin. Beyond the end, a view reads nothing and fails. */
const pass = (reading: Reading, count: number): number => {
  const from = reading.at
  reading.at += count
  return from
}

const uint8 = (reading: Reading): number => reading.view.getUint8(pass(reading, 1))
const uint16 = (reading: Reading): number => reading.view.getUint16(pass(reading, 2))
const uint32 = (reading: Reading): number => reading.view.getUint32(pass(reading, 4))

const text = (reading: Reading, length: number): unknown => {
  const from = pass(reading, length)
  return reading.at > reading.bytes.length ? bad(reading) : textDecoder.decode(reading.bytes.subarray(from, reading.at))
}

const list = (reading: Reading, length: number, depth: number): unknown => {
  const out: Array<unknown> = []
  while (out.length < length && !reading.isBad) out.push(valueAt(reading, depth + 1))
  return out
}

const map = (reading: Reading, length: number, depth: number): unknown => {
  const entries: Array<readonly [string, unknown]> = []
  while (entries.length < length && !reading.isBad) {
    const key = valueAt(reading, depth + 1)
    if (typeof key !== "string") return bad(reading)
    entries.push([key, valueAt(reading, depth + 1)])
  }
  return Object.fromEntries(entries)
}

/** By code: how the rest of a value is read. */
const byCode: Readonly<Record<number, (reading: Reading, depth: number) => unknown>> = {
  0xc0: () => null,
  0xc2: () => false,
  0xc3: () => true,
  0xca: (reading) => reading.view.getFloat32(pass(reading, 4)),
  0xcb: (reading) => reading.view.getFloat64(pass(reading, 8)),
  0xcc: uint8,
  0xcd: uint16,
  0xce: uint32,
  0xcf: (reading) => Number(reading.view.getBigUint64(pass(reading, 8))),
  0xd0: (reading) => reading.view.getInt8(pass(reading, 1)),
  0xd1: (reading) => reading.view.getInt16(pass(reading, 2)),
  0xd2: (reading) => reading.view.getInt32(pass(reading, 4)),
  0xd3: (reading) => Number(reading.view.getBigInt64(pass(reading, 8))),
  0xd9: (reading) => text(reading, uint8(reading)),
  0xda: (reading) => text(reading, uint16(reading)),
  0xdb: (reading) => text(reading, uint32(reading)),
  0xdc: (reading, depth) => list(reading, uint16(reading), depth),
  0xdd: (reading, depth) => list(reading, uint32(reading), depth),
  0xde: (reading, depth) => map(reading, uint16(reading), depth),
  0xdf: (reading, depth) => map(reading, uint32(reading), depth)
}

const valueAt = (reading: Reading, depth: number): unknown => {
  if (depth > depthMax) return bad(reading)
  const code = uint8(reading)
  if (code < 0x80) return code
  if (code < 0x90) return map(reading, code & 0x0f, depth)
  if (code < 0xa0) return list(reading, code & 0x0f, depth)
  if (code < 0xc0) return text(reading, code & 0x1f)
  if (code >= 0xe0) return code - 0x1_00
  return byCode[code]?.(reading, depth) ?? (code === 0xc0 ? null : bad(reading))
}

/** The value of plain MessagePack bytes; none where they are anything else. Integers beyond 53 bits are rounded. */
export const unpackPlain = (bytes: Uint8Array): Option.Option<unknown> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const reading: Reading = { bytes, view, at: 0, isBad: false }
  const found = Option.liftThrowable(valueAt)(reading, 0)
  return reading.isBad || reading.at !== bytes.length ? Option.none() : found
}
