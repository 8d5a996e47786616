/**
 * Are two frames the same data?
 *
 * The content hash covers event times and all columns of the frame in which there is anything: the schema's and, behind
 * them, the extra ones that its source gives. A column without any value says nothing: rows are the same data before
 * and after their schema got it. Lineage and flags are not covered: rows fetched twice, by other hosts, at other times,
 * have one hash. NaN and zero are made canonical first, since a float64 has many NaNs and two zeros.
 */
import { createHash, type Hash } from "node:crypto"
import * as Category from "./Category.ts"
import type { CategoryColumn, Column } from "./Column.ts"
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

/**
 * SHA-256, in hex, over the number of rows, then event times as float64, then each column that has any value as its
 * name, its type unless that is float64, and its values; all little-endian. A missing value is what it is in the frame:
 * NaN, the lowest int64, 255, or the highest place. A category counts by its texts, whatever its dictionary. The frame
 * is sealed.
 */
export const contentHash = (frame: Frame): string => {
  const hash = createHash("sha256")
  hash.update(`${frame.eventTimeMs.length}\n`)
  hash.update(bytesOf(canonical(frame.eventTimeMs)))
  for (const column of frame.columns) if (hasValue(column)) addColumn(hash, column)
  return hash.digest("hex")
}

/** SHA-256 of bytes or text, in hex. */
export const sha256 = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex")
