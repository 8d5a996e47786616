// What do the bytes of a reply say? Reads replies of all three forms into one shape: columns by name as plain lists,
// with NaN for a missing float64 and null for any other missing value, int64 as big integers, and the types of the
// columns that are not float64. It also puts the rows of parts behind each other.

import { readArrowStream } from "./ArrowStream.js"
import { decode, NumberArray } from "./MessagePack.js"
import { flags, mediaTypes } from "./names.js"

/** The columns whose types the page fixes, and which are neither in `types` nor in content hashes, but for the time. */
export const fixedColumns = {
  event_time: "timestamp",
  __source: "text",
  __ingest_at: "timestamp",
  __backfill_job_id: "text",
  __flags: "uint32"
}

export const isFixed = (name) => Object.hasOwn(fixedColumns, name)

const knownTypes = ["float64", "int64", "bool", "category", "timestamp"]

/** What a body says, whatever it is: rows of any form as `{ columns, types, meta }`, and other bodies as they are. */
export function readBody(contentType, bytes) {
  const form = (contentType ?? mediaTypes.json).split(";")[0].trim()
  if (form === mediaTypes.arrow) return readArrowReply(bytes)
  const isMessagePack = ["application/msgpack", "application/x-msgpack", "application/vnd.msgpack"].includes(form)
  if (!isMessagePack && form !== mediaTypes.json) throw new RangeError(`a form that is not known: ${form}`)
  const body = isMessagePack ? decode(bytes) : JSON.parse(Buffer.from(bytes).toString("utf8"))
  if (Array.isArray(body?.results)) return { ...body, results: body.results.map(readRows) }
  return readRows(body)
}

function readRows(body) {
  if (typeof body?.columns !== "object") return body
  const rows = { columns: {}, types: {} }
  for (const [name, values] of Object.entries(body.columns)) {
    const type = isFixed(name) ? fixedColumns[name] : (body.types?.[name] ?? "float64")
    const read = readColumn(type, values)
    if (read === null) continue
    rows.columns[name] = read
    if (!isFixed(name) && type !== "float64") rows.types[name] = type
  }
  if (body.meta !== undefined) rows.meta = body.meta
  return rows
}

function readColumn(type, given) {
  if (!isTypeKnown(type)) return null
  const values = given instanceof NumberArray ? given.values : given
  if (!Array.isArray(values)) return null
  if (type === "float64") return values.map((value) => value ?? NaN)
  if (type === "int64") return values.map(readInt64)
  if (type === "timestamp") return values.map((value) => (Number.isNaN(value) ? null : value))
  return values
}

const isTypeKnown = (type) => knownTypes.includes(type) || type === "text" || type === "uint32"

function readInt64(value) {
  if (value === null || value === -(2n ** 63n)) return null
  return BigInt(value)
}

const typesOfArrow = { float64: "float64", int64: "int64", bool: "bool", utf8: "category", timestamp: "timestamp" }

export function readArrowReply(bytes) {
  const stream = readArrowStream(bytes)
  const rows = { columns: {}, types: {} }
  for (const { name, type, values } of stream.columns) {
    const ownType = typesOfArrow[type]
    if (!isFixed(name) && ownType === undefined) continue
    rows.columns[name] = values
    if (!isFixed(name) && ownType !== "float64") rows.types[name] = ownType
  }
  const meta = stream.metadata["seamless.meta"]
  if (meta !== undefined) rows.meta = JSON.parse(meta)
  return rows
}

export const rowCount = (rows) => rows.columns.event_time.length

export function joinParts(parts) {
  const types = {}
  for (const part of parts) {
    for (const name of Object.keys(part.columns)) {
      const type = part.types[name] ?? (isFixed(name) ? fixedColumns[name] : "float64")
      types[name] = types[name] === undefined ? type : widerType(types[name], type)
    }
  }
  const rows = { columns: {}, types: {} }
  for (const [name, type] of Object.entries(types)) {
    rows.columns[name] = parts.flatMap((part) => columnOf(part, name, type))
    if (!isFixed(name) && type !== "float64") rows.types[name] = type
  }
  const meta = parts.at(-1)?.meta
  if (meta !== undefined) rows.meta = meta
  return rows
}

// The page names one pair only, float64 beside int64. All others have room as text alone, which is a guess.
function widerType(left, right) {
  if (left === right) return left
  return [left, right].every((type) => ["float64", "int64"].includes(type)) ? "float64" : "category"
}

function columnOf(part, name, type) {
  const values = part.columns[name]
  if (values === undefined) return new Array(rowCount(part)).fill(type === "float64" ? NaN : null)
  const own = part.types[name] ?? (isFixed(name) ? type : "float64")
  if (own === type) return values
  if (type === "float64") return values.map((value) => (value === null ? NaN : Number(value)))
  return values.map((value) => (value === null || Number.isNaN(value) ? null : String(value)))
}

/** The rows at the places for which `isKept` says so. */
export function selectRows(rows, isKept) {
  const places = []
  for (let place = 0; place < rowCount(rows); place++) if (isKept(place)) places.push(place)
  const columns = Object.entries(rows.columns).map(([name, values]) => [name, places.map((place) => values[place])])
  return { columns: Object.fromEntries(columns), types: rows.types }
}

/** Rows as they are stored: without those that `fill` made. */
export const storedRows = (rows) =>
  rows.columns.__flags === undefined
    ? rows
    : selectRows(rows, (place) => (rows.columns.__flags[place] & flags.FWD_FILLED) === 0)
