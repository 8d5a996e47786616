/**
 * What is one stretch of time?
 *
 * Half-open `[start, end)` in integer milliseconds since the Unix epoch is the only kind of range there is.
 */

/** One half-open stretch of time: `start` belongs to it, `end` is the first millisecond after it. */
export type Range = readonly [start: number, end: number]

/**
 * Whether `[start, end)` holds any time at all. NaN on either side makes it false.
 *
 * @example
 * isRange(0, 60) // => true
 * isRange(60, 60) // => false
 */
export const isRange = (start: number, end: number): boolean => start < end
