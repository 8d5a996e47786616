/**
 * How are rows taken out of a column?
 *
 * Neighbours are a view of the same memory; rows in any other order are copied.
 */
import type { Column } from "./Column.ts"

/** Rows `[from, to)`, sharing memory with the column. */
export const slice = (column: Column, from: number, to: number): Column => {
  switch (column.type) {
    case "float64":
    case "timestamp":
      return { ...column, values: column.values.subarray(from, to) }
    case "int64":
      return { ...column, values: column.values.subarray(from, to) }
    case "bool":
      return { ...column, values: column.values.subarray(from, to) }
    case "category":
      return { ...column, values: column.values.subarray(from, to) }
  }
}

interface Indexed<Value> {
  readonly length: number
  [row: number]: Value
}

const pickInto = <Value, Values extends Indexed<Value>>(out: Values, values: Values, order: Uint32Array): Values => {
  for (let row = 0; row < order.length; row++) out[row] = values[order[row]!]!
  return out
}

/** The numbers of the rows named by `order`, in that order; memory of its own. */
export const pickFloats = (values: Float64Array, order: Uint32Array): Float64Array =>
  pickInto(new Float64Array(order.length), values, order)

/** The flags or places of the rows named by `order`, in that order; memory of its own. */
export const pickUints = (values: Uint32Array, order: Uint32Array): Uint32Array =>
  pickInto(new Uint32Array(order.length), values, order)

/** The rows named by `order`, in that order; memory of its own. */
export const pick = (column: Column, order: Uint32Array): Column => {
  switch (column.type) {
    case "float64":
    case "timestamp":
      return { ...column, values: pickFloats(column.values, order) }
    case "int64":
      return { ...column, values: pickInto(new BigInt64Array(order.length), column.values, order) }
    case "bool":
      return { ...column, values: pickInto(new Uint8Array(order.length), column.values, order) }
    case "category":
      return { ...column, values: pickUints(column.values, order) }
  }
}
