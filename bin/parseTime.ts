/**
 * Which moment does a person mean?
 *
 * Digits alone are epoch milliseconds, but for those that look like a day or like seconds, which are refused;
 * everything else is ISO 8601, from a day to a fraction of a second. A text without a zone is UTC, wherever the machine
 * stands. `Date.parse` is not asked: it takes 30 February and local time.
 */
import { isoTime } from "./isoTime.ts"

const epochForm = /^-?\d{1,16}$/

const isoForm =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,3})0*)?)?)?(?:\s?([Zz])|([+-])(\d\d):?(\d\d)?)?$/

const minuteMs = 60_000
const dayMs = 86_400_000

const inRange = (value: number, highest: number): boolean => value <= highest

/** The UTC day; undefined where the calendar has none such. */
const dayStart = (year: number, month: number, day: number): number | undefined => {
  // Date.UTC takes years below 100 for 19xx, the setter doesn't
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined
}

interface Clock {
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

/** Milliseconds since midnight; 24:00 is the end of the day, and nothing comes after it. */
const sinceMidnight = ({ hour, millisecond, minute, second }: Clock): number | undefined => {
  if (!inRange(minute, 59) || !inRange(second, 59)) return undefined
  const time = hour * 60 * minuteMs + minute * minuteMs + second * 1000 + millisecond
  return inRange(time, dayMs) ? time : undefined
}

const offsetMs = (sign: string | undefined, hours: number, minutes: number): number | undefined => {
  if (!inRange(hours, 23) || !inRange(minutes, 59)) return undefined
  return (sign === "-" ? -1 : 1) * (hours * 60 + minutes) * minuteMs
}

const numberOf = (digits: string | undefined): number => Number(digits ?? 0)

const parseIso = (text: string): number | undefined => {
  const found = isoForm.exec(text)
  if (found === null) return undefined
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHours, zoneMinutes] = found
  const date = dayStart(numberOf(year), numberOf(month), numberOf(day))
  const time = sinceMidnight({
    hour: numberOf(hour),
    minute: numberOf(minute),
    second: numberOf(second),
    millisecond: numberOf(fraction?.padEnd(3, "0"))
  })
  const offset = offsetMs(sign, numberOf(zoneHours), numberOf(zoneMinutes))
  return date === undefined || time === undefined || offset === undefined ? undefined : date + time - offset
}

const parseEpoch = (text: string): number | undefined => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

const daysForm = /^(\d{4})(\d\d)(\d\d)$/
const secondsForm = /^\d{10}$/

/**
 * What is likely to be meant by digits that would be a moment of 1970: a day without dashes, or seconds. Undefined
 * where they are just milliseconds.
 *
 * @example
 * likelyMeant("20221213") // => "2022-12-13"
 */
export const likelyMeant = (text: string): string | undefined => {
  if (secondsForm.test(text)) return isoTime(Number(text) * 1000)
  const [, year, month, day] = daysForm.exec(text) ?? []
  if (year === undefined) return undefined
  const date = `${year}-${month}-${day}`
  return parseIso(date) === undefined ? "epoch milliseconds with all their digits" : date
}

/** What a text that is no moment would have to be. */
export const timeProblem = (text: string): string => {
  const meant = likelyMeant(text)
  const form = "epoch milliseconds or ISO 8601 (UTC without a zone), such as 1670889600000 or 2022-12-13T00:00"
  return meant === undefined ? form : `${form}; did you mean ${meant}?`
}

/**
 * The moment in epoch milliseconds; undefined where the text is none, or would be one of 1970 by mistake.
 *
 * @example
 * parseTime("2022-12-13T00:00") // => 1670889600000
 * parseTime("2022-12-13T01:00+01:00") // => 1670889600000
 */
export const parseTime = (text: string): number | undefined => {
  if (likelyMeant(text) !== undefined) return undefined
  return epochForm.test(text) ? parseEpoch(text) : parseIso(text)
}
