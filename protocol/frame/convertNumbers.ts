/**
 * What are the numbers of a column in the other type of numbers?
 */
import { type Column, type ColumnType, float64, missing } from "./Column.ts"

const wordSize = 2 ** 32
const lowestHigh = -(2 ** 31)
// numbers beyond these words are not each a float64 of their own
const highMax = 2 ** 21

const toInts = (values: Float64Array): BigInt64Array =>
  BigInt64Array.from(values, (value) => (Number.isSafeInteger(value) ? BigInt(value) : missing.int64))

/**
 * The numbers as float64, NaN where one is missing; undefined where one is beyond 2^53 - 1 in size. By their words: a
 * BigInt for each would take several times as long.
 */
export const floatsOf = (values: BigInt64Array): Float64Array | undefined => {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  const out = new Float64Array(values.length)
  for (let row = 0; row < out.length; row++) {
    const [low, high] = [words[row * 2]! >>> 0, words[row * 2 + 1]!]
    if (high === lowestHigh && low === 0) out[row] = Number.NaN
    else if (high >= highMax || high < -highMax || (high === -highMax && low === 0)) return undefined
    else out[row] = high * wordSize + low
  }
  return out
}

/** The column as int64 or as float64, where it is the other one and its numbers are the same; else as it is. */
export const convertNumbers = (column: Column, type: ColumnType): Column => {
  if (type === "int64" && column.type === "float64") return { name: column.name, type, values: toInts(column.values) }
  const floats = type === "float64" && column.type === "int64" ? floatsOf(column.values) : undefined
  return floats === undefined ? column : float64(column.name, floats)
}
