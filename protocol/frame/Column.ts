/**
 * What is one typed column?
 *
 * Values are float64. A missing value is NaN: a column needs no bitmap beside it, and readers in all languages know it.
 */

/** A named column of float64 values; NaN where a value is missing. */
export interface Column {
  readonly name: string
  readonly values: Float64Array
}

/** The values of the rows named by `order`, in that order; memory of its own. */
export const pickFloats = (values: Float64Array, order: Uint32Array): Float64Array => {
  const out = new Float64Array(order.length)
  for (let row = 0; row < order.length; row++) out[row] = values[order[row]!]!
  return out
}
