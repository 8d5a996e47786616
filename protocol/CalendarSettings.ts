/**
 * How is a trading calendar written down?
 *
 * The week's sessions by the clocks of one zone, and the days that are not as the week has them. Times are text as
 * people write them, so that a file can be held against the page of the exchange that it was taken from.
 */
import { Schema } from "effect"

const dayMs = 86_400_000
const dayMinutes = 24 * 60

/** Sessions, breaks of one and days of each kind: more than any market has. */
const sessionsMax = 64
const daysMax = 5000

/** Days of the week; the first is that of 1970-01-01. */
export const weekdays = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"] as const

const timeForm = /^(?:([+-])1d )?([01]\d|2[0-4]):([0-5]\d)$/

/**
 * Minutes since the midnight with which the trading day begins; NaN where the text is no time of day.
 *
 * @example
 * minuteOf("09:30") // => 570
 * minuteOf("-1d 18:00") // => -360
 */
export const minuteOf = (text: string): number => {
  const [, sign, hour, minute] = timeForm.exec(text) ?? []
  const minutes = Number(hour) * 60 + Number(minute)
  if (!(minutes <= dayMinutes)) return Number.NaN
  return minutes + (sign === undefined ? 0 : Number(`${sign}${dayMinutes}`))
}

/**
 * The number of a day, counted from 1970-01-01; NaN where no calendar has the day.
 *
 * @example
 * dayOf("1970-01-02") // => 1
 */
export const dayOf = (text: string): number => {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []
  const timeMs = Date.UTC(Number(year), Number(month) - 1, Number(day))
  // another text where a month has no such day: it would be one of the next month
  return dateOf(timeMs / dayMs) === text ? timeMs / dayMs : Number.NaN
}

/** The date of a day; empty where the number is none. */
export const dateOf = (day: number): string =>
  Number.isNaN(day) ? "" : new Date(day * dayMs).toISOString().slice(0, 10)

/** The name of a day in the week, such as `mon`. */
export const weekdayOf = (day: number): (typeof weekdays)[number] => weekdays[((day % 7) + 7) % 7]!

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone }).format(0) !== ""
  } catch {
    return false
  }
}

const quoted = (value: unknown): string => JSON.stringify(value)

const Count = Schema.Int.check(Schema.isGreaterThan(0))

const Zone = Schema.String.check(
  Schema.makeFilter((zone) => isZone(zone) || `${quoted(zone)} is no time zone of IANA, such as America/New_York`)
)

const TimeOfDay = Schema.String.check(
  Schema.makeFilter(
    (text) =>
      !Number.isNaN(minuteOf(text)) ||
      `${quoted(text)} is no time of day: from 00:00 to 24:00, such as 09:30, with "-1d " before it on the day ` +
        `before, and with "+1d " on the day after`
  )
)

const CivilDate = Schema.String.check(
  Schema.makeFilter((text) => !Number.isNaN(dayOf(text)) || `${quoted(text)} is no day: such as 2013-12-25`)
)

/** A pause within a session. */
const Break = Schema.Struct({ from: TimeOfDay, until: TimeOfDay })

/** When trading begins and ends on some days of the week. */
const SessionHours = Schema.Struct({
  /** The trading days, whenever it opens: that of Monday may open on Sunday evening. */
  days: Schema.NonEmptyArray(Schema.Literals(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
  open: TimeOfDay,
  close: TimeOfDay,
  breaks: Schema.optionalKey(Schema.Array(Break).check(Schema.isMaxLength(sessionsMax)))
})
type SessionHours = typeof SessionHours.Type

const EarlyClose = Schema.Struct({ date: CivilDate, close: TimeOfDay })

interface Problem {
  readonly path: ReadonlyArray<PropertyKey>
  readonly issue: string
}

const isBefore = (a: string, b: string): boolean => minuteOf(a) < minuteOf(b)

const checkHours = ({ breaks = [], close, open }: SessionHours): ReadonlyArray<Problem> => {
  if (!isBefore(open, close)) {
    const right = 'where it passes midnight, write "+1d " before the close, or "-1d " before the open'
    return [{ path: ["close"], issue: `${quoted(close)} is not later than the open, ${quoted(open)}; ${right}` }]
  }
  return breaks.flatMap(({ from, until }, index) => {
    if (!isBefore(from, until)) {
      const issue = `${quoted(until)} is not later than from, which is ${quoted(from)}`
      return [{ path: ["breaks", index, "until"], issue }]
    }
    if (isBefore(open, from) && isBefore(until, close)) return []
    return [{ path: ["breaks", index], issue: `is not within the session, which is from ${open} to ${close}` }]
  })
}

/** Days that stand in the list again. */
const checkTwice = (list: string, dates: ReadonlyArray<string>): ReadonlyArray<Problem> =>
  dates.flatMap((date, index) => {
    const first = dates.indexOf(date)
    return first === index ? [] : [{ path: [list, index], issue: `${date} stands at ${list}[${first}] already` }]
  })

interface Days {
  readonly from?: string
  readonly until?: string
  readonly sessions: ReadonlyArray<SessionHours>
  readonly holidays?: ReadonlyArray<string>
  readonly earlyCloses?: ReadonlyArray<typeof EarlyClose.Type>
}

const checkEarlyCloses = ({ earlyCloses = [], holidays = [], sessions }: Days): ReadonlyArray<Problem> =>
  earlyCloses.flatMap(({ close, date }, index) => {
    const path = ["earlyCloses", index]
    if (holidays.includes(date))
      return [{ path: [...path, "date"], issue: `${date} is a holiday, and has no session to cut` }]
    const weekday = weekdayOf(dayOf(date))
    const own = sessions.filter(({ days }) => days.includes(weekday))
    if (own.length === 0) return [{ path: [...path, "date"], issue: `${date} (${weekday}) has no session to cut` }]
    if (own.some((hours) => isBefore(close, hours.close))) return []
    const closes = own.map((hours) => hours.close).join(", ")
    return [{ path: [...path, "close"], issue: `${quoted(close)} is no earlier than sessions close: ${closes}` }]
  })

/** The days that a calendar may speak of: what is worked out of them is kept. */
const firstDate = "1900-01-01"
const endDate = "2200-01-01"

const checkReach = ({ from, until }: Days): ReadonlyArray<Problem> => {
  const [first, end] = [dayOf(from ?? firstDate), dayOf(until ?? endDate)]
  if (first < dayOf(firstDate)) return [{ path: ["from"], issue: `${from} is before ${firstDate}` }]
  if (end > dayOf(endDate)) return [{ path: ["until"], issue: `${until} is later than ${endDate}` }]
  return first < end ? [] : [{ path: ["until"], issue: `${until} is not later than from, which is ${from}` }]
}

const checkDays = (calendar: Days): ReadonlyArray<Problem> => {
  const { earlyCloses = [], holidays = [] } = calendar
  return [
    ...checkReach(calendar),
    ...calendar.sessions.flatMap((hours, index) =>
      checkHours(hours).map(({ issue, path }) => ({ path: ["sessions", index, ...path], issue }))
    ),
    ...checkTwice("holidays", holidays),
    ...checkTwice(
      "earlyCloses",
      earlyCloses.map(({ date }) => date)
    ),
    ...checkEarlyCloses(calendar)
  ]
}

/** When a market is open, and so when it is closed. */
export const CalendarSettings = Schema.Struct({
  /** Raised with each change of what the file says. */
  version: Count,
  name: Schema.NonEmptyString,
  /** Whose clocks the times are read from, by the name that IANA has for the zone. */
  zone: Zone,
  /** The first day that it speaks of: nothing is closed before. 1970-01-01 without it. */
  from: Schema.optionalKey(CivilDate),
  /** The day before which it ends: nothing is closed from then on. 2100-01-01 without it. */
  until: Schema.optionalKey(CivilDate),
  sessions: Schema.NonEmptyArray(SessionHours).check(Schema.isMaxLength(sessionsMax)),
  /** Trading days without a session. */
  holidays: Schema.optionalKey(Schema.Array(CivilDate).check(Schema.isMaxLength(daysMax))),
  /** Trading days on which nothing is open after `close`. */
  earlyCloses: Schema.optionalKey(Schema.Array(EarlyClose).check(Schema.isMaxLength(daysMax)))
}).check(Schema.makeFilter(checkDays))
export type CalendarSettings = typeof CalendarSettings.Type

/** The calendar of markets that never close, which is that of a series that names none. */
export const alwaysOpen = "24x7"
