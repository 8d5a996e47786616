/** How is a moment written in a message? */

// the furthest time that a date can show
const dateMsMax = 8.64e15

/** ISO 8601 in UTC, milliseconds only where there are some; a number beyond the calendar stays a number. */
export const isoTime = (timeMs: number): string =>
  Math.abs(timeMs) <= dateMsMax ? new Date(timeMs).toISOString().replace(".000Z", "Z") : String(timeMs)
