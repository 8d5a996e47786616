/** Is a local time found at the moments at which clocks show it, on the days on which they are changed, too? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as ZoneClock from "../../../protocol/history/ZoneClock.ts"
import { law } from "../../support/law.ts"

const hourMs = 3_600_000
const zones = ["UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago"]
const clocks = new Map(zones.map((zone) => [zone, ZoneClock.make(zone)]))

const shown = (zone: string, local: string): ReadonlyArray<string> => {
  const { first, last } = ZoneClock.shown(ZoneClock.make(zone), Date.parse(`${local}:00Z`))
  return [first, last].map((moment) => new Date(moment).toISOString().slice(0, 16))
}

describe("shown()", () => {
  it.each([
    ["in winter", "America/New_York", "2013-01-07T09:30", ["2013-01-07T14:30", "2013-01-07T14:30"]],
    ["in summer", "America/New_York", "2013-10-07T09:30", ["2013-10-07T13:30", "2013-10-07T13:30"]],
    [
      "twice, when clocks are set back",
      "America/New_York",
      "2013-11-03T01:30",
      ["2013-11-03T05:30", "2013-11-03T06:30"]
    ],
    [
      "never, when they are set forward",
      "America/New_York",
      "2013-03-10T02:30",
      ["2013-03-10T07:00", "2013-03-10T07:00"]
    ],
    ["at a midnight that is skipped", "America/Santiago", "2023-09-03T00:00", ["2023-09-03T04:00", "2023-09-03T04:00"]],
    [
      "where half an hour is skipped",
      "Australia/Lord_Howe",
      "2023-10-01T02:15",
      ["2023-09-30T15:30", "2023-09-30T15:30"]
    ],
    ["before there were zones", "America/New_York", "1880-01-01T00:00", ["1880-01-01T04:56", "1880-01-01T04:56"]]
  ])("shown() finds a time %s", (_, zone, local, moments) => {
    expect(shown(zone, local)).toEqual(moments)
  })

  law(
    "shown() gives the first and the last moment at which clocks show the time, or none shows it",
    [fc.constantFrom(...zones), fc.integer({ min: 0, max: 60 * 365 * 24 * 4 })],
    (zone, quarter) => {
      const localMs = quarter * 900_000
      const clock = clocks.get(zone)!
      const { first, is, last } = ZoneClock.shown(clock, localMs)
      const quarters = Array.from({ length: 30 * 4 }, (_, index) => localMs + (index - 60) * 900_000)
      const truly = quarters.filter((moment) => moment + clock.offsetMs(moment) === localMs)
      expect(is).toBe(["never", "once", "twice"][truly.length])
      if (truly.length > 0) expect([first, last]).toEqual([truly[0], truly.at(-1)])
      else {
        // set forward over it
        expect(first).toBe(last)
        expect(first - 1 + clock.offsetMs(first - 1)).toBeLessThan(localMs)
        expect(first + clock.offsetMs(first)).toBeGreaterThan(localMs - 1)
      }
    }
  )

  law("shown() never goes back while local time goes on", [fc.integer({ min: 0, max: 20_000 })], (day) => {
    const clock = clocks.get("America/New_York")!
    const moments = Array.from({ length: 26 }, (_, hour) => ZoneClock.shown(clock, (day * 24 + hour) * hourMs))
    for (const [index, { first, last }] of moments.entries()) {
      expect(last).toBeGreaterThanOrEqual(first)
      if (index > 0) expect(first).toBeGreaterThanOrEqual(moments[index - 1]!.first)
    }
  })
})
