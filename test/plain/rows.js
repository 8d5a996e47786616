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
  const rows = { columns: {}, types: {} }
  for (const name of new Set(parts.flatMap((part) => Object.keys(part.columns)))) {
    const type = isFixed(name) ? fixedColumns[name] : commonType(parts, name)
    rows.columns[name] = parts.flatMap((part) => columnOf(part, name, type))
    if (!isFixed(name) && type !== "float64") rows.types[name] = type
  }
  const meta = parts.at(-1)?.meta
  if (meta !== undefined) rows.meta = meta
  return rows
}

const isMissing = (value) => value === null || Number.isNaN(value)

/** The type that a column has behind each other; a part without a value in it has no say. */
function commonType(parts, name) {
  const given = parts.filter((part) => part.columns[name] !== undefined)
  const telling = given.filter((part) => !part.columns[name].every(isMissing))
  const types = new Set((telling.length === 0 ? given.slice(0, 1) : telling).map((part) => typeOf(part, name)))
  if (types.size === 1) return [...types][0]
  const fitsNumber = (part) =>
    typeOf(part, name) === "float64" ||
    (typeOf(part, name) === "int64" &&
      part.columns[name].every((value) => value === null || Number.isSafeInteger(Number(value))))
  return telling.every(fitsNumber) ? "float64" : "category"
}

const typeOf = (part, name) => part.types[name] ?? "float64"

function columnOf(part, name, type) {
  const values = part.columns[name]
  const blank = type === "float64" ? NaN : null
  if (values === undefined) return new Array(rowCount(part)).fill(blank)
  if (isFixed(name) || typeOf(part, name) === type) return values
  return values.map((value) => {
    if (isMissing(value)) return blank
    return type === "float64" ? Number(value) : String(value)
  })
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
