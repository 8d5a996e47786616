/**
 * Which rows of a column have a value?
 */
import { type Column, missing } from "./Column.ts"

/** A byte for each row, 1 where it has a value, and how many have none. */
export interface Present {
  readonly bytes: Uint8Array
  readonly missing: number
}

// the words of the lowest int64, which stands for a missing one: comparing BigInts would take several times as long
const lowestHigh = -(2 ** 31)

const ofInts = (values: BigInt64Array, bytes: Uint8Array): number => {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  let absent = 0
  for (let row = 0; row < bytes.length; row++) {
    if (words[row * 2] === 0 && words[row * 2 + 1] === lowestHigh) absent += 1
    else bytes[row] = 1
  }
  return absent
}

const ofFloats = (values: Float64Array, bytes: Uint8Array): number => {
  let absent = 0
  for (let row = 0; row < bytes.length; row++) {
    if (Number.isNaN(values[row])) absent += 1
    else bytes[row] = 1
  }
  return absent
}

const ofNumbers = (values: Uint8Array | Uint32Array, bytes: Uint8Array, absentValue: number): number => {
  let absent = 0
  for (let row = 0; row < bytes.length; row++) {
    if (values[row] === absentValue) absent += 1
    else bytes[row] = 1
  }
  return absent
}

const countAbsent = (column: Column, bytes: Uint8Array): number => {
  switch (column.type) {
    case "float64":
    case "timestamp":
      return ofFloats(column.values, bytes)
    case "int64":
      return ofInts(column.values, bytes)
    case "bool":
    case "category":
      return ofNumbers(column.values, bytes, missing[column.type])
  }
}

/** The rows of the column that have a value. */
export const presentRows = (column: Column): Present => {
  const bytes = new Uint8Array(column.values.length)
  return { missing: countAbsent(column, bytes), bytes }
}
