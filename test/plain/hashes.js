// Are two batches of rows the same data? Computes content hashes of rows, fingerprints of answers, ids of chunks and
// pages, and hashes of roots (parts 4 and 5 of the protocol page).

import { createHash } from "node:crypto"
import { parseInterval, windowOf } from "./names.js"
import { isFixed, rowCount, storedRows } from "./rows.js"

const barColumns = ["open", "high", "low", "close", "volume"]

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex")

/** The id of a page and the hash of a root: of the record as JSON without blanks, its fields in their order. */
export const recordHash = (record) => sha256(JSON.stringify(record))

export function contentHash(rows) {
  const count = rowCount(rows)
  const hash = createHash("sha256").update(`${count}\n`)
  if (count === 0) return hash.update(barColumns.map((name) => `${name}\n`).join("")).digest("hex")
  hash.update(float64Bytes(rows.columns.event_time))
  for (const name of columnOrder(rows.columns)) {
    const type = rows.types?.[name] ?? "float64"
    const values = rows.columns[name]
    if (values.every((value) => value === null || Number.isNaN(value))) continue
    hash.update(`${name}\n`)
    hashValues(hash, type, values)
  }
  return hash.digest("hex")
}

function columnOrder(columns) {
  const names = Object.keys(columns).filter((name) => !isFixed(name))
  const others = names.filter((name) => !barColumns.includes(name))
  others.sort((left, right) => Buffer.compare(Buffer.from(left, "utf8"), Buffer.from(right, "utf8")))
  return [...barColumns.filter((name) => names.includes(name)), ...others]
}

function hashValues(hash, type, values) {
  const isSmall = type === "int64" && values.every((value) => value === null || Number.isSafeInteger(Number(value)))
  if (type === "float64" || isSmall) {
    hash.update(float64Bytes(values))
    return
  }
  hash.update(`${type}\n`)
  if (type === "timestamp") hash.update(float64Bytes(values))
  else if (type === "int64") hash.update(int64Bytes(values))
  else if (type === "bool") hash.update(Uint8Array.from(values, (value) => (value === null ? 255 : Number(value))))
  else hashCategory(hash, values)
}

function float64Bytes(values) {
  const bytes = Buffer.alloc(8 * values.length)
  values.forEach((value, index) => {
    const number = value === null ? NaN : Number(value)
    if (Number.isNaN(number)) bytes.writeBigUInt64LE(0x7ff8000000000000n, 8 * index)
    else bytes.writeDoubleLE(number === 0 ? 0 : number, 8 * index)
  })
  return bytes
}

function int64Bytes(values) {
  const bytes = Buffer.alloc(8 * values.length)
  values.forEach((value, index) => bytes.writeBigInt64LE(value ?? -(2n ** 63n), 8 * index))
  return bytes
}

function hashCategory(hash, values) {
  const places = new Map()
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, index) => {
    if (value !== null && !places.has(value)) places.set(value, places.size)
    bytes.writeUInt32LE(value === null ? 0xffffffff : places.get(value), 4 * index)
  })
  hash.update(`${JSON.stringify([...places.keys()])}\n`).update(bytes)
}

/** What of the ranges lies within `[start, end)`. */
export const clip = (ranges, [start, end]) =>
  ranges.map((range) => [Math.max(range[0], start), Math.min(range[1], end)]).filter((range) => range[0] < range[1])

export function fingerprint({ nodeId, interval, range, coverageRanges, windowBars }, rows) {
  const { canonical, lengthMs } = parseInterval(interval)
  const covered = clip(coverageRanges, range)
  const lines = [
    "seamless-fingerprint 1",
    JSON.stringify([nodeId, canonical]),
    JSON.stringify(range),
    JSON.stringify(covered)
  ]
  const stored = storedRows(rows)
  const windowMs = lengthMs * windowBars
  const starts = new Set()
  for (const [start, end] of covered) {
    const first = windowOf(canonical, windowBars, start).windowStart
    for (let windowStart = first; windowStart < end; windowStart += windowMs) starts.add(windowStart)
  }
  const times = stored.columns.event_time
  for (const windowStart of [...starts].sort((left, right) => left - right)) {
    const own = selectBetween(stored, times, windowStart, windowStart + windowMs)
    lines.push(`${windowStart} ${contentHash(own)}`)
  }
  return `sha256:${sha256(lines.map((line) => `${line}\n`).join(""))}`
}

function selectBetween(rows, times, start, end) {
  const from = lowerBound(times, start)
  const to = lowerBound(times, end)
  if (from === 0 && to === times.length) return rows
  const columns = Object.entries(rows.columns).map(([name, values]) => [name, values.slice(from, to)])
  return { columns: Object.fromEntries(columns), types: rows.types }
}

function lowerBound(times, time) {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle] < time) low = middle + 1
    else high = middle
  }
  return low
}
