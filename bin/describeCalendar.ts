/** Which sessions does a calendar have in a range, and how are they told? */
import { calendarOf } from "../actors/sources/calendarOf.ts"
import { type CalendarSettings, dateOf, weekdayOf } from "../protocol/CalendarSettings.ts"
import type { Range } from "../protocol/history/Range.ts"
import { toPairs } from "../protocol/history/RangePairs.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import * as ZoneClock from "../protocol/history/ZoneClock.ts"
import { isoTime } from "./isoTime.ts"
import { absent, orAbsent, tableOf } from "./tableOf.ts"

/** Open time of one trading day, without a pause; or that the day has none. */
export interface ToldSession {
  readonly day: string
  readonly weekday: string
  /** Epoch milliseconds; null on a holiday. */
  readonly open: number | null
  readonly close: number | null
  readonly note: "" | "holiday" | "early close"
}

const dayMs = 86_400_000

const noteOf = ({ earlyCloses = [], holidays = [] }: CalendarSettings, day: string): ToldSession["note"] => {
  if (holidays.includes(day)) return "holiday"
  return earlyCloses.some(({ date }) => date === day) ? "early close" : ""
}

/** The sessions of the range, by trading day, and the holidays that take one away. */
export const sessionsIn = (settings: CalendarSettings, [from, until]: Range): ReadonlyArray<ToldSession> => {
  const calendar = calendarOf(settings)
  const [start, end] = [Math.max(from, calendar.reach[0]), Math.min(until, calendar.reach[1])]
  const told: Array<ToldSession> = []
  // the zone may be a day off, and a session may be of the day after
  for (let number = Math.floor(start / dayMs) - 2; number <= Math.floor(end / dayMs) + 2; number++) {
    const [day, weekday] = [dateOf(number), weekdayOf(number)]
    const note = noteOf(settings, day)
    const isInRange = toPairs(RangeSet.clip(RangeSet.of(number * dayMs, (number + 1) * dayMs), start, end)).length > 0
    if (note === "holiday" && isInRange) told.push({ day, weekday, open: null, close: null, note })
    for (const [open, close] of toPairs(calendar.openOn(number))) {
      if (toPairs(RangeSet.clip(RangeSet.of(open, close), start, end)).length > 0) {
        told.push({ day, weekday, open, close, note })
      }
    }
  }
  return told
}

const utc = (time: number | null): string => (time === null ? absent : isoTime(time))

/** The sessions as a table: by the clocks of the zone, and in UTC. */
export const calendarTable = (settings: CalendarSettings, sessions: ReadonlyArray<ToldSession>): string => {
  const { offsetMs } = ZoneClock.make(settings.zone)
  const local = (time: number | null) =>
    time === null
      ? absent
      : isoTime(time + offsetMs(time))
          .slice(0, 16)
          .replace("T", " ")
  const table = tableOf(sessions, [
    ["day", ({ day }) => day],
    ["", ({ weekday }) => weekday],
    ["opens there", ({ open }) => local(open)],
    ["closes there", ({ close }) => local(close)],
    ["opens", ({ open }) => utc(open)],
    ["closes", ({ close }) => utc(close)],
    ["note", ({ note }) => orAbsent(note)]
  ])
  return `${settings.name}, version ${settings.version}, by the clocks of ${settings.zone}\n${table}`
}
