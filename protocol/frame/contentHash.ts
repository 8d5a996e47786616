/**
 * Are two frames the same data?
 *
 * The content hash covers event times and all columns of the frame in which there is anything: the schema's and the
 * extra ones that its source gives. What a schema says beside that is no data: not the order of columns, nor a column
 * without any value, nor whether a number that both hold is a float64 or an int64. So rows keep their hash when their
 * schema changes. Lineage and flags are not covered: rows fetched twice, by other hosts, at other times, have one hash.
 * NaN and zero are made canonical first, since a float64 has many NaNs and two zeros.
 */
import { createHash, type Hash } from "node:crypto"
import * as Category from "./Category.ts"
import { type CategoryColumn, type Column, float64 } from "./Column.ts"
import { floatsOf } from "./convertNumbers.ts"
import type { Frame } from "./Frame.ts"
import { hasValue } from "./hasValue.ts"

const canonicalValue = (value: number): number => (value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value)

/** The values with one bit pattern for each NaN and each zero; the given memory where nothing is to change. */
const canonical = (values: Float64Array): Float64Array => {
  let row = 0
  while (row < values.length && !Object.is(values[row], -0) && !Number.isNaN(values[row])) row++
  if (row === values.length) return values
  const out = values.slice()
  for (; row < out.length; row++) out[row] = canonicalValue(out[row]!)
  return out
}

const bytesOf = ({ buffer, byteLength, byteOffset }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** The texts as a list in JSON, then the place of each row: what `pandas.factorize` gives. */
const addCategory = (hash: Hash, column: CategoryColumn): void => {
  const { dictionary, values } = Category.canonical(column)
  hash.update(`${JSON.stringify(dictionary)}\n`)
  hash.update(bytesOf(values))
}

const addColumn = (hash: Hash, column: Column): void => {
  hash.update(column.type === "float64" ? `${column.name}\n` : `${column.name}\n${column.type}\n`)
  switch (column.type) {
    case "float64":
    case "timestamp":
      hash.update(bytesOf(canonical(column.values)))
      return
    case "int64":
    case "bool":
      hash.update(bytesOf(column.values))
      return
    case "category":
      addCategory(hash, column)
  }
}

/** What stands first, in this order, whatever a schema says. */
const barColumns = ["open", "high", "low", "close", "volume"]

const rankOf = ({ name }: Column): number => {
  const rank = barColumns.indexOf(name)
  return rank < 0 ? barColumns.length : rank
}

/** Whether one text comes before, with or behind another as their bytes in UTF-8 do: by code points. */
const compareTexts = (a: string, b: string): number => {
  const [left, right] = [Array.from(a), Array.from(b)]
  const at = left.findIndex((character, place) => character !== right[place])
  if (at < 0) return left.length - right.length
  return left[at]!.codePointAt(0)! - (right[at]?.codePointAt(0) ?? -1)
}

const inOrder = (columns: ReadonlyArray<Column>): ReadonlyArray<Column> =>
  columns.toSorted((a, b) => {
    const [left, right] = [rankOf(a), rankOf(b)]
    return left === right ? compareTexts(a.name, b.name) : left - right
  })

/** An int64 as the float64 that says the same, where there is one. */
const plain = (column: Column): Column => {
  const floats = column.type === "int64" ? floatsOf(column.values) : undefined
  return floats === undefined ? column : float64(column.name, floats)
}

/**
 * SHA-256, in hex, over the number of rows, then event times as float64, then each column that has any value as its
 * name, its type unless that is float64, and its values; all little-endian. The columns of a bar come first, the others
 * by name. An int64 whose values all are within 2^53 counts as float64. A missing value is what it is in the frame:
 * NaN, the lowest int64, 255, or the highest place. A category counts by its texts, whatever its dictionary. Of no rows
 * there is one hash, with the names of the columns of a bar. The frame is sealed.
 */
export const contentHash = ({ columns, eventTimeMs }: Frame): string => {
  const hash = createHash("sha256")
  hash.update(`${eventTimeMs.length}\n`)
  if (eventTimeMs.length === 0) for (const name of barColumns) hash.update(`${name}\n`)
  hash.update(bytesOf(canonical(eventTimeMs)))
  for (const column of inOrder(columns)) if (hasValue(column)) addColumn(hash, plain(column))
  return hash.digest("hex")
}

/** SHA-256 of bytes or text, in hex. */
export const sha256 = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex")
