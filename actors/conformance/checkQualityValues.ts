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
    for (let row = 0; row < values.length; row++) if (values[row]! - values[row]! !== 0) found.push(row)
  }
}

/** Rows whose `high` is below `low`, or whose `open` or `close` is outside of them. What is missing proves nothing. */
export const findDisorder = ([open, high, low, close]: Numbers, found: Array<number>): void => {
  if (open === undefined || high === undefined || low === undefined || close === undefined) return
  for (let row = 0; row < open.length; row++) {
    const [o, h, l, c] = [open[row]!, high[row]!, low[row]!, close[row]!]
    if (h < l || o > h || c > h || o < l || c < l) found.push(row)
  }
}
