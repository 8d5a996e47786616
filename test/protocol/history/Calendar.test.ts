/** Is a market closed exactly when no session of its calendar says that it is open? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { calendarOf } from "../../../actors/sources/calendarOf.ts"
import { type CalendarSettings, dateOf, minuteOf, weekdayOf } from "../../../protocol/CalendarSettings.ts"
import * as Calendar from "../../../protocol/history/Calendar.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { durationMs, includes } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { intervalOf } from "../../support/rows.ts"

const minuteMs = 60_000
const dayMs = 1440 * minuteMs
const weekend = ["sat", "sun"] as const
const week = ["mon", "tue", "wed", "thu", "fri"] as const

const at = (text: string): number => Date.parse(`${text}Z`)

const base = { version: 1, name: "a" } as const

const newYork: CalendarSettings = {
  ...base,
  zone: "America/New_York",
  sessions: [{ days: week, open: "09:30", close: "16:00" }]
}

/** Open time of a range, as UTC to the minute. */
const openTimes = (settings: CalendarSettings, from: string, until: string): ReadonlyArray<string> => {
  const range: Range = [at(from), at(until)]
  const closed = Calendar.closed(calendarOf(settings), ...range)
  const text = (time: number) => new Date(time).toISOString().slice(5, 16)
  return toPairs(RangeSet.missing(closed, ...range)).map(([start, end]) => `${text(start)}/${text(end)}`)
}

const hoursOf = (settings: CalendarSettings, from: string, until: string): number => {
  const closed = Calendar.closed(calendarOf(settings), at(from), at(until))
  return (at(until) - at(from) - durationMs(closed)) / (60 * minuteMs)
}

describe("closed()", () => {
  it("closed() leaves the sessions of the week, by the clocks of the zone", () => {
    // Friday and Monday around the end of summer time
    expect(openTimes(newYork, "2013-11-01T00:00", "2013-11-05T00:00")).toEqual([
      "11-01T13:30/11-01T20:00",
      "11-04T14:30/11-04T21:00"
    ])
  })

  it("closed() knows sessions that open on the day before, also on Sunday evening, and join over midnight", () => {
    const futures: CalendarSettings = {
      ...base,
      zone: "America/Chicago",
      sessions: [{ days: week, open: "-1d 17:00", close: "16:00" }]
    }
    expect(openTimes(futures, "2013-10-05T00:00", "2013-10-09T00:00")).toEqual([
      "10-06T22:00/10-07T21:00",
      "10-07T22:00/10-08T21:00",
      "10-08T22:00/10-09T00:00"
    ])
    const forex: CalendarSettings = { ...futures, sessions: [{ days: week, open: "-1d 17:00", close: "17:00" }] }
    expect(openTimes(forex, "2013-10-05T00:00", "2013-10-13T00:00")).toEqual(["10-06T22:00/10-11T22:00"])
  })

  it("closed() knows sessions that close on the day after, also behind the week's end", () => {
    const nightly: CalendarSettings = {
      ...base,
      zone: "UTC",
      sessions: [{ days: ["fri", "sun"], open: "20:00", close: "+1d 02:30" }]
    }
    expect(openTimes(nightly, "2013-10-04T00:00", "2013-10-08T00:00")).toEqual([
      "10-04T20:00/10-05T02:30",
      "10-06T20:00/10-07T02:30"
    ])
  })

  it("closed() has breaks, holidays and early closes, and what is left of a break that it cuts", () => {
    const tokyo: CalendarSettings = {
      ...base,
      zone: "Asia/Tokyo",
      sessions: [{ days: week, open: "09:00", close: "15:00", breaks: [{ from: "11:30", until: "12:30" }] }],
      holidays: ["2013-10-08"],
      earlyCloses: [
        { date: "2013-10-09", close: "12:00" },
        { date: "2013-10-10", close: "13:00" }
      ]
    }
    expect(openTimes(tokyo, "2013-10-07T00:00", "2013-10-11T00:00")).toEqual([
      "10-07T00:00/10-07T02:30",
      "10-07T03:30/10-07T06:00",
      "10-09T00:00/10-09T02:30",
      "10-10T00:00/10-10T02:30",
      "10-10T03:30/10-10T04:00"
    ])
  })

  it("closed() leaves out a session that would open after an early close", () => {
    const twice: CalendarSettings = {
      ...base,
      zone: "UTC",
      sessions: [
        { days: week, open: "08:00", close: "10:00" },
        { days: week, open: "12:00", close: "14:00" }
      ],
      earlyCloses: [{ date: "2013-10-07", close: "12:00" }]
    }
    expect(openTimes(twice, "2013-10-07T00:00", "2013-10-08T00:00")).toEqual(["10-07T08:00/10-07T10:00"])
  })

  it("closed() gives days on which clocks are changed 23 and 25 hours", () => {
    const always: CalendarSettings = {
      ...newYork,
      sessions: [{ days: [...week, "sun"], open: "00:00", close: "24:00" }]
    }
    // Saturday is closed on either side of the Sundays, so these hours are theirs
    expect(hoursOf(always, "2013-03-09T06:00", "2013-03-11T04:00")).toBe(23)
    expect(hoursOf(always, "2013-11-02T05:00", "2013-11-04T05:00")).toBe(25)
    expect(hoursOf(always, "2013-11-09T06:00", "2013-11-11T05:00")).toBe(24)
    const santiago = { ...always, zone: "America/Santiago" }
    // its clocks skip the midnight with which the Sunday begins
    expect(hoursOf(santiago, "2023-09-02T05:00", "2023-09-04T03:00")).toBe(23)
  })

  it("closed() is open from the first time that clocks show the open until the last time that they show the close", () => {
    const edges = (open: string, close: string): CalendarSettings => ({
      ...newYork,
      sessions: [{ days: ["sun"], open, close }]
    })
    const set = (of: CalendarSettings) => openTimes(of, "2013-11-03T00:00", "2013-11-04T00:00")
    expect(set(edges("01:15", "03:00"))).toEqual(["11-03T05:15/11-03T08:00"])
    expect(set(edges("00:00", "01:45"))).toEqual(["11-03T04:00/11-03T06:45"])
    // 02:30 is skipped
    expect(openTimes(edges("02:30", "04:00"), "2013-03-10T00:00", "2013-03-11T00:00")).toEqual([
      "03-10T07:00/03-10T08:00"
    ])
  })

  it("closed() says nothing of time that the calendar does not speak of, nor of a market that never closes", () => {
    const spoken: CalendarSettings = { ...newYork, from: "2013-10-07", until: "2013-10-08" }
    expect(openTimes(spoken, "2013-10-05T00:00", "2013-10-10T00:00")).toEqual([
      "10-05T00:00/10-07T04:00",
      "10-07T13:30/10-07T20:00",
      "10-08T04:00/10-10T00:00"
    ])
    expect(toPairs(Calendar.closed(Calendar.alwaysOpen, 0, 1e12))).toEqual([])
    expect(toPairs(Calendar.closed(calendarOf(newYork), -8e15, at("1970-01-01T05:00")))).toEqual([])
    expect(toPairs(Calendar.closed(calendarOf(newYork), Number.NaN, 0))).toEqual([])
  })

  it("closed() is quick to say of a year of minutes, and of a century of days", () => {
    const calendar = calendarOf(newYork)
    const year: Range = [at("2013-01-01T00:00"), at("2014-01-01T00:00")]
    expect(toPairs(Calendar.closed(calendar, ...year))).toHaveLength(262)
    const begun = performance.now()
    for (let times = 0; times < 100; times++) Calendar.closed(calendar, ...year)
    expect((performance.now() - begun) / 100).toBeLessThan(20)
    expect(durationMs(Calendar.closed(calendar, at("1970-01-01T05:00"), at("2100-01-01T05:00")))).toBeGreaterThan(0)
  })
})

describe("closedBars()", () => {
  it("closedBars() has bars that are closed as a whole", () => {
    const range: Range = [at("2013-10-07T00:00"), at("2013-10-08T00:00")]
    const hours = (interval: string) =>
      toPairs(Calendar.closedBars(calendarOf(newYork), intervalOf(interval), range)).map((pair) =>
        pair.map((time) => (time - range[0]) / (60 * minuteMs))
      )
    expect(hours("1h")).toEqual([
      [0, 13],
      [20, 24]
    ])
    expect(hours("30m")).toEqual([
      [0, 13.5],
      [20, 24]
    ])
    expect(hours("1d")).toEqual([])
    const saturday: Range = [at("2013-10-12T00:00"), at("2013-10-13T00:00")]
    expect(toPairs(Calendar.closedBars(calendarOf(newYork), intervalOf("1d"), saturday))).toEqual([saturday])
  })
})

/** Times at which no clock of the zones below is changed. */
const timeOfDay = fc
  .tuple(fc.integer({ min: 4, max: 22 }), fc.constantFrom("00", "15", "40"))
  .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${minute}`)

const day = fc.constantFrom(...week, ...weekend)

const hours = fc
  .tuple(
    fc.uniqueArray(day, { minLength: 1, maxLength: 7 }),
    fc.tuple(fc.constantFrom("-1d ", "", ""), timeOfDay),
    fc.tuple(fc.constantFrom("+1d ", "", ""), timeOfDay),
    fc.boolean()
  )
  .map(([days, [before, open], [behind, close], hasBreak]) => {
    const session = {
      days: [days[0]!, ...days.slice(1)] as const,
      open: `${before}${open}`,
      close: `${behind}${close}`
    }
    return hasBreak ? { ...session, breaks: [{ from: "11:00", until: "12:20" }] } : session
  })
  .filter(({ close, open }) => minuteOf(open) < minuteOf(close))

/** Days around which the clocks of some of the zones are changed. */
const firstDays = ["2013-03-07", "2013-03-28", "2013-10-24", "2013-10-31", "2013-07-01", "2012-12-28"].map(
  (text) => at(`${text}T00:00`) / dayMs
)

const settings: fc.Arbitrary<CalendarSettings> = fc
  .record({
    zone: fc.constantFrom("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata"),
    sessions: fc.array(hours, { minLength: 1, maxLength: 3 }),
    holidays: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 2 }),
    early: fc.option(fc.tuple(fc.integer({ min: 0, max: 6 }), timeOfDay)),
    first: fc.constantFrom(...firstDays)
  })
  .map(({ early, first, holidays, sessions, zone }) => ({
    ...base,
    zone,
    sessions: [sessions[0]!, ...sessions.slice(1)] as const,
    holidays: holidays.map((offset) => dateOf(first + offset)),
    ...(early && { earlyCloses: [{ date: dateOf(first + early[0]), close: early[1] }] })
  }))

const stretch = fc
  .tuple(fc.constantFrom(...firstDays), fc.integer({ min: 0, max: 1440 }), fc.integer({ min: 1, max: 6 * 1440 }))
  .map(([first, minute, length]): Range => {
    const start = first * dayMs + minute * minuteMs
    return [start, start + length * minuteMs]
  })

/** What clocks of the zone show, as the day and the minute of it. */
const wallClock = (zone: string) => {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" })
  return (time: number) => {
    const [date = "", clock = ""] = format.format(time).split(" ")
    return { day: at(`${date}T00:00`) / dayMs, minute: minuteOf(clock) }
  }
}

/** Whether a session of the day has the minute, counted from the day's midnight. */
const isInSession = (of: CalendarSettings, ofDay: number, minute: number): boolean => {
  const date = dateOf(ofDay)
  if (of.holidays?.includes(date)) return false
  const early = of.earlyCloses?.find((each) => each.date === date)
  if (early !== undefined && minute >= minuteOf(early.close)) return false
  return of.sessions.some(
    ({ breaks = [], close, days, open }) =>
      days.includes(weekdayOf(ofDay)) &&
      minute >= minuteOf(open) &&
      minute < minuteOf(close) &&
      !breaks.some(({ from, until }) => minute >= minuteOf(from) && minute < minuteOf(until))
  )
}

describe("closed() against a model", () => {
  law(
    "closed() and its rest share the time between them, cut as it may be",
    [settings, stretch, stretch],
    (of, a, b) => {
      const calendar = calendarOf(of)
      const closed = Calendar.closed(calendar, ...a)
      expect(RangeSet.contains(RangeSet.of(...a), closed)).toBe(true)
      expect(toPairs(RangeSet.union(closed, RangeSet.missing(closed, ...a)))).toEqual([a])
      // a part of it is no different for being asked about alone
      const part = RangeSet.intersect(RangeSet.of(...a), RangeSet.of(...b))
      for (const range of toPairs(part)) {
        expect(toPairs(Calendar.closed(calendar, ...range))).toEqual(toPairs(RangeSet.clip(closed, ...range)))
      }
    }
  )

  it("closed() has each minute in which no session is, by what the clocks show then", () => {
    const property = fc.property(settings, stretch, (of, [start, end]) => {
      const closed = Calendar.closed(calendarOf(of), start, end)
      const shown = wallClock(of.zone)
      for (let time = start; time < end; time += minuteMs) {
        const { day, minute } = shown(time)
        const isOpen = [-1, 0, 1].some((offset) => isInSession(of, day + offset, minute - offset * 1440))
        if (isOpen === includes(closed, time)) {
          expect.fail(`${new Date(time).toISOString()} is ${isOpen ? "open" : "closed"} by the clocks`)
        }
      }
    })
    fc.assert(property, { numRuns: 60 })
  })
})
