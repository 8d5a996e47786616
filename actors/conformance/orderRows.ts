/**
 * In which order do rows stand by their keys?
 */

type Keys = readonly [Float64Array, ...ReadonlyArray<Float64Array>]

/**
 * The rows, by number, ascending in the first key, then in the next, and last by arrival. Numbers that can't be
 * compared (NaN) count as equal, so a key that is NaN throughout orders nothing.
 *
 * Takes time by how many rows are out of order, not by how many there are: those that are in order as they lie are
 * left in it, and the others are sorted and put between them.
 *
 * @example
 * orderRows([Float64Array.of(60, 0, 60)]) // => Uint32Array [1, 0, 2]
 */
export const orderRows = (keys: Keys): Uint32Array => {
  const { late, punctual } = separate(keys)
  if (late.length === 0) return punctual
  return merge(keys, punctual, sortPacked(keys, late) ?? late.toSorted((a, b) => compareRows(keys, a, b)))
}

const compareRows = (keys: Keys, a: number, b: number): number => {
  for (const key of keys) {
    const difference = key[a]! - key[b]!
    if (difference < 0 || difference > 0) return difference
  }
  return a - b
}

/** The rows that are behind none before them, and those that are behind one. */
const separate = (keys: Keys): { readonly punctual: Uint32Array; readonly late: Uint32Array } => {
  const [key] = keys
  const punctual = new Uint32Array(key.length)
  const late = new Uint32Array(key.length)
  let [punctualCount, lateCount, latest] = [0, 0, 0]
  for (let row = 0; row < key.length; row++) {
    if (punctualCount > 0 && compareRows(keys, latest, row) > 0) {
      late[lateCount] = row
      lateCount += 1
    } else {
      punctual[punctualCount] = row
      punctualCount += 1
      latest = row
    }
  }
  return { punctual: punctual.slice(0, punctualCount), late: late.slice(0, lateCount) }
}

const merge = (keys: Keys, a: Uint32Array, b: Uint32Array): Uint32Array => {
  const out = new Uint32Array(a.length + b.length)
  let [nextA, nextB] = [0, 0]
  for (let at = 0; at < out.length; at++) {
    const isA = nextB === b.length || (nextA < a.length && compareRows(keys, a[nextA]!, b[nextB]!) < 0)
    out[at] = isA ? a[nextA]! : b[nextB]!
    if (isA) nextA += 1
    else nextB += 1
  }
  return out
}

/**
 * The rows by one key of whole numbers, if it and the row's place fit into one float64: those are sorted without a
 * comparison in JavaScript for each pair, which takes a fraction of the time. Undefined where they do not fit.
 */
const sortPacked = (keys: Keys, rows: Uint32Array): Uint32Array | undefined => {
  const [key, ...others] = keys
  const spread = others.length === 0 ? spreadOf(key, rows) : undefined
  if (spread === undefined || (spread.span + 1) * rows.length > Number.MAX_SAFE_INTEGER) return undefined
  const packed = new Float64Array(rows.length)
  for (let at = 0; at < rows.length; at++) {
    packed[at] = ((key[rows[at]!]! - spread.lowest) / spread.unit) * rows.length + at
  }
  packed.sort()
  const out = new Uint32Array(rows.length)
  for (let at = 0; at < rows.length; at++) out[at] = rows[packed[at]! % rows.length]!
  return out
}

/** From where to where whole numbers reach, in the largest unit that all of their distances are multiples of. */
const spreadOf = (
  key: Float64Array,
  rows: Uint32Array
): { readonly lowest: number; readonly span: number; readonly unit: number } | undefined => {
  let [lowest, highest, unit] = [Infinity, -Infinity, 0]
  const first = key[rows[0]!]!
  for (const row of rows) {
    const value = key[row]!
    if (!Number.isSafeInteger(value)) return undefined
    lowest = Math.min(lowest, value)
    highest = Math.max(highest, value)
    const distance = Math.abs(value - first)
    if (distance !== 0 && distance % unit !== 0) unit = commonDivisor(unit, distance)
  }
  return { lowest, unit: Math.max(unit, 1), span: (highest - lowest) / Math.max(unit, 1) }
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b))
