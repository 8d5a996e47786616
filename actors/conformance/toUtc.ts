/**
 * When was each row, in epoch milliseconds UTC?
 */
import { Result } from "effect"
import { reservedColumns } from "../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import { ConformanceFailed, quote } from "./ConformanceFailed.ts"

/**
 * Numbers are epoch milliseconds; text is an ISO 8601 date or date and time, in UTC where it names no zone. A
 * `Float64Array` is checked and passed on as it is. Fails at the first row whose time can't be read or is no date.
 */
export const toUtc = (eventTime: RawRows["eventTime"]): Result.Result<Float64Array, ConformanceFailed> => {
  const out = eventTime instanceof Float64Array ? eventTime : Float64Array.from(eventTime, readTime)
  for (let row = 0; row < out.length; row++) {
    if (isDate(out[row]!)) continue
    const column = reservedColumns.eventTime
    const message = `${column}, row ${row}: ${quote(eventTime[row]!)} is no time`
    return Result.fail(new ConformanceFailed({ step: "toUtc", column, row, message }))
  }
  return Result.succeed(out)
}

// How far a Date reaches to either side of the epoch. Times in nanoseconds are beyond it, so they are caught as well.
const dateMsMax = 8.64e15

const isDate = (timeMs: number): boolean => Math.abs(timeMs) <= dateMsMax

const readTime = (given: number | string): number => (typeof given === "number" ? given : parseIso(given))

const isoForm = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

const parseIso = (text: string): number => {
  const [, date, time = "00:00", zone = "Z"] = isoForm.exec(text) ?? []
  if (date === undefined || !isInCalendar(date)) return Number.NaN
  return Date.parse(`${date}T${time}${canonicalZone(zone)}`)
}

// Date.parse makes 1 March of 30 February.
const isInCalendar = (date: string): boolean => new Date(date).getUTCDate() === Number(date.slice(-2))

// Date.parse reads "+05:30" alone; "+0530" and "+05" are ISO 8601 as well.
const canonicalZone = (zone: string): string =>
  zone.length === 1 ? "Z" : `${zone.slice(0, 3)}:${zone.length === 3 ? "00" : zone.slice(-2)}`
