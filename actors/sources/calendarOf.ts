/** What is made of a calendar that is written down? */
import { alwaysOpen, type CalendarSettings, dayOf, minuteOf, weekdays } from "../../protocol/CalendarSettings.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import type { Configuration } from "../../protocol/Settings.ts"

/** What a calendar speaks of that does not say it. */
const firstDate = "1970-01-01"
const endDate = "2100-01-01"

/** The calendar of its settings. */
export const calendarOf = (settings: CalendarSettings): Calendar.Calendar =>
  Calendar.make({
    zone: settings.zone,
    firstDay: dayOf(settings.from ?? firstDate),
    endDay: dayOf(settings.until ?? endDate),
    sessions: settings.sessions.map(({ breaks = [], close, days, open }) => ({
      weekdays: new Set(days.map((day) => weekdays.indexOf(day))),
      open: minuteOf(open),
      close: minuteOf(close),
      breaks: breaks.map(({ from, until }) => [minuteOf(from), minuteOf(until)] as const)
    })),
    holidays: new Set((settings.holidays ?? []).map(dayOf)),
    earlyCloses: new Map((settings.earlyCloses ?? []).map(({ close, date }) => [dayOf(date), minuteOf(close)]))
  })

/** The calendars of a configuration by name, each made once: series that share one share what it keeps. */
export const calendarsOf = ({
  calendars = {}
}: Pick<Configuration, "calendars">): ReadonlyMap<string, Calendar.Calendar> =>
  new Map([
    [alwaysOpen, Calendar.alwaysOpen],
    ...Object.entries(calendars).map(([name, settings]) => {
      const label = `calendar ${name} of version ${settings.version}`
      return [name, { ...calendarOf(settings), label }] as const
    })
  ])
