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
    for (let row = 0; row < values.length; row++) if (values[row] === 0) found.push(row)
  }
}

/** Rows with a value that is missing or infinite: only of finite numbers is the difference to themselves zero. */
export const findNonFinite = (columns: Numbers, found: Array<number>): void => {
  for (const values of columns) {
    // four at a time, since hardly ever is there one among them
    for (let row = 0; row < values.length; row += 4) {
      const to = Math.min(row + 4, values.length)
      if (to === row + 4) {
        const sum = values[row]! + values[row + 1]! + values[row + 2]! + values[row + 3]!
        if (sum - sum === 0) continue
      }
      for (let each = row; each < to; each++) if (values[each]! - values[each]! !== 0) found.push(each)
    }
  }
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
