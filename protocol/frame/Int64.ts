/**
 * How do whole milliseconds become the int64 that Arrow wants, and come back?
 *
 * By their two 32-bit words, low before high. A BigInt for each value would take most of the time of writing a frame.
 * A time that is missing, NaN, is the lowest int64.
 */

const wordSize = 2 ** 32
const lowestHigh = -(2 ** 31)

const highOf = (timeMs: number): number => (Number.isNaN(timeMs) ? lowestHigh : Math.floor(timeMs / wordSize))

/** Writes the times, two words each, as `fromTimes` has them. */
export const writeTimes = (words: Int32Array, timesMs: Float64Array): void => {
  for (let row = 0; row < timesMs.length; row++) {
    const timeMs = timesMs[row]!
    // a typed array keeps the low 32 bits of what it is given, also of a negative number
    words[row * 2] = timeMs
    words[row * 2 + 1] = highOf(timeMs)
  }
}

/** Writes one time into all rows `[from, to)`. */
export const writeTime = (words: Int32Array, timeMs: number, from: number, to: number): void => {
  const high = highOf(timeMs)
  for (let row = from; row < to; row++) {
    words[row * 2] = timeMs
    words[row * 2 + 1] = high
  }
}

/** The times as int64, little-endian. They are whole and exact, of any sign, or NaN. */
export const fromTimes = (timesMs: Float64Array): BigInt64Array<ArrayBuffer> => {
  const out = new BigInt64Array(timesMs.length)
  writeTimes(new Int32Array(out.buffer), timesMs)
  return out
}

/** The times that `fromTimes` wrote. */
export const toTimes = (values: BigInt64Array): Float64Array => {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  const out = new Float64Array(values.length)
  for (let row = 0; row < out.length; row++) {
    const high = words[row * 2 + 1]!
    // no other time has this word: whole milliseconds that a number holds exactly end at 2^53
    out[row] = high === lowestHigh ? Number.NaN : high * wordSize + (words[row * 2]! >>> 0)
  }
  return out
}
