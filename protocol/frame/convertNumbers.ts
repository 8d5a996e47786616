/**
 * What are the numbers of a column in the other type of numbers?
 */
import { type Column, type ColumnType, float64, missing } from "./Column.ts"

const toInts = (values: Float64Array): BigInt64Array =>
  BigInt64Array.from(values, (value) => (Number.isSafeInteger(value) ? BigInt(value) : missing.int64))

const toFloats = (values: BigInt64Array): Float64Array =>
  Float64Array.from(values, (value) => {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : Number.NaN
  })

/**
 * The column as int64 or as float64, where it is the other one: whole numbers of up to 53 bits stay, and others are
 * missing. The column itself in all other cases.
 */
export const convertNumbers = (column: Column, type: ColumnType): Column => {
  if (type === "int64" && column.type === "float64") return { name: column.name, type, values: toInts(column.values) }
  if (type === "float64" && column.type === "int64") return float64(column.name, toFloats(column.values))
  return column
}
