/**
 * Which rows have values that no bar can have?
 *
 * Each looks at a row by itself, so it makes no difference how rows were split into pages. Numbers of rows go into
 * `found`, some of them more than once where several columns are looked at.
 */

/** Columns of numbers; NaN where a value is missing. */
export type Numbers = ReadonlyArray<Float64Array>

/** Rows with a value below zero. */
export const findNegative = (columns: Numbers, found: Array<number>): void => {
  for (const values of columns) {
    for (let row = 0; row < values.length; row++) if (values[row]! < 0) found.push(row)
  }
}

/** Rows with a value of zero. */
export const findZero = (columns: Numbers, found: Array<number>): void => {
  for (const values of columns) {
    let row = 0
    // a product is above zero in size unless one of them is zero or missing, or they are very small
    for (; row + 4 <= values.length; row += 4) {
      const product = values[row]! * values[row + 1]! * values[row + 2]! * values[row + 3]!
      if (!(Math.abs(product) > 0)) addZero(values, [row, row + 4], found)
    }
    addZero(values, [row, values.length], found)
  }
}

/** The first of some rows, and the row behind the last. */
type Span = readonly [from: number, to: number]

const addZero = (values: Float64Array, [from, to]: Span, found: Array<number>): void => {
  for (let row = from; row < to; row++) if (values[row] === 0) found.push(row)
}

/** Rows with a value that is missing or infinite: only of finite numbers is the difference to themselves zero. */
export const findNonFinite = (columns: Numbers, found: Array<number>): void => {
  for (const values of columns) {
    let row = 0
    // four at a time, since hardly ever is there one among them
    for (; row + 4 <= values.length; row += 4) {
      const sum = values[row]! + values[row + 1]! + values[row + 2]! + values[row + 3]!
      if (sum - sum !== 0) addNonFinite(values, [row, row + 4], found)
    }
    addNonFinite(values, [row, values.length], found)
  }
}

const addNonFinite = (values: Float64Array, [from, to]: Span, found: Array<number>): void => {
  for (let row = from; row < to; row++) if (!Number.isFinite(values[row])) found.push(row)
}

/** Rows whose `high` is below `low`, or whose `open` or `close` is outside of them. What is missing proves nothing. */
export const findDisorder = ([open, high, low, close]: Numbers, found: Array<number>): void => {
  if (open === undefined || high === undefined || low === undefined || close === undefined) return
  for (let row = 0; row < open.length; row++) {
    const top = high[row]!
    const bottom = low[row]!
    const first = open[row]!
    const last = close[row]!
    if (top < bottom || first > top || last > top || first < bottom || last < bottom) found.push(row)
  }
}
