/**
 * In which order do rows stand by their keys?
 */

/**
 * The rows, by number, ascending in the first key, then in the next, and last by arrival. Numbers that can't be
 * compared (NaN) count as equal, so a key that is NaN throughout orders nothing.
 *
 * @example
 * orderRows([Float64Array.of(60, 0, 60)]) // => Uint32Array [1, 0, 2]
 */
export const orderRows = (keys: readonly [Float64Array, ...ReadonlyArray<Float64Array>]): Uint32Array => {
  const order = new Uint32Array(keys[0].length)
  let isOrdered = true
  for (let row = 0; row < order.length; row++) {
    order[row] = row
    isOrdered &&= row === 0 || compareRows(keys, row - 1, row) < 0
  }
  return isOrdered ? order : order.toSorted((a, b) => compareRows(keys, a, b))
}

const compareRows = (keys: ReadonlyArray<Float64Array>, a: number, b: number): number => {
  for (const key of keys) {
    const difference = key[a]! - key[b]!
    if (difference < 0 || difference > 0) return difference
  }
  return a - b
}
