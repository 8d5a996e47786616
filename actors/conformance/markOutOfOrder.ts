/**
 * Which rows came behind a later one, and how far?
 */
import type { Frame } from "../../protocol/frame/Frame.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"

/** How many rows are behind, and how many of them further than is allowed. */
export interface OutOfOrder {
  readonly outOfOrderCount: number
  readonly lateCount: number
}

/**
 * Flags each row whose event time is lower than that of a row before it, and counts them; those are late that are
 * behind by more than `allowedMs`. Writes `flags` in place. Rows of one time are not behind each other.
 */
export const markOutOfOrder = (
  { eventTimeMs, flags }: Pick<Frame, "eventTimeMs" | "flags">,
  allowedMs = Infinity
): OutOfOrder => {
  let highestMs = -Infinity
  let outOfOrderCount = 0
  let lateCount = 0
  for (let row = 0; row < eventTimeMs.length; row++) {
    const timeMs = eventTimeMs[row]!
    if (timeMs < highestMs) {
      flags[row]! |= RowFlag.outOfOrder
      outOfOrderCount += 1
      if (highestMs - timeMs > allowedMs) lateCount += 1
    } else highestMs = timeMs
  }
  return { outOfOrderCount, lateCount }
}

/** Rows by number. */
export interface Sorted {
  readonly punctual: Uint32Array
  readonly late: Uint32Array
}

/** Which rows are no further than `allowedMs` behind one before them, and which are. */
export const sortLate = (eventTimeMs: Float64Array, allowedMs: number): Sorted => {
  const punctual = new Uint32Array(eventTimeMs.length)
  const late = new Uint32Array(eventTimeMs.length)
  let count = 0
  let highestMs = -Infinity
  for (let row = 0; row < eventTimeMs.length; row++) {
    const timeMs = eventTimeMs[row]!
    if (highestMs - timeMs > allowedMs) {
      late[row - count] = row
      continue
    }
    highestMs = Math.max(highestMs, timeMs)
    punctual[count] = row
    count += 1
  }
  return { punctual: punctual.slice(0, count), late: late.slice(0, eventTimeMs.length - count) }
}
