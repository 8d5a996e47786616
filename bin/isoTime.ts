/** How is a moment written for a person? */

/**
 * ISO 8601 in UTC; milliseconds only where there are some. A number beyond the calendar stays a number.
 *
 * @example
 * isoTime(1670889600000) // => "2022-12-13T00:00:00Z"
 */
export const isoTime = (timeMs: number): string => {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString().replace(".000Z", "Z")
}
