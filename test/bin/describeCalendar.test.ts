/** Are sessions told by their trading day, and are those that come along what the exchange had? */
import { Effect, Result, Schema } from "effect"
import { assert, describe, it } from "vitest"
import { shippedCalendars } from "../../bin/calendarFiles.ts"
import { calendarTable, sessionsIn } from "../../bin/describeCalendar.ts"
import { readYaml } from "../../bin/readYaml.ts"
import { CalendarSettings } from "../../protocol/CalendarSettings.ts"
import type { Range } from "../../protocol/history/Range.ts"

const hourMs = 3_600_000

const shipped = (name: string): Promise<CalendarSettings> =>
  Effect.runPromise(readYaml(shippedCalendars().get(name) ?? "")).then((content) =>
    Result.getOrThrow(Schema.decodeUnknownResult(CalendarSettings, { onExcessProperty: "error" })(content))
  )

const days = (from: string, to: string): Range => [Date.parse(`${from}T00:00Z`), Date.parse(`${to}T00:00Z`)]

describe("sessionsIn()", () => {
  const overnight: CalendarSettings = {
    version: 1,
    name: "overnight",
    zone: "America/Chicago",
    until: "2013-10-10",
    sessions: [
      { days: ["mon", "tue", "wed"], open: "-1d 17:00", close: "16:00", breaks: [{ from: "08:00", until: "09:00" }] }
    ],
    holidays: ["2013-10-08"],
    earlyCloses: [{ date: "2013-10-09", close: "12:00" }]
  }

  it("sessionsIn() tells sessions by their trading day, each part between pauses, and holidays", () => {
    const told = sessionsIn(overnight, days("2013-10-07", "2013-10-20")).map(({ close, day, note, open }) => [
      day,
      open === null ? "" : new Date(open).toISOString().slice(5, 16),
      close === null ? "" : new Date(close).toISOString().slice(5, 16),
      note
    ])
    assert.deepStrictEqual(told, [
      ["2013-10-07", "10-06T22:00", "10-07T13:00", ""],
      ["2013-10-07", "10-07T14:00", "10-07T21:00", ""],
      ["2013-10-08", "", "", "holiday"],
      ["2013-10-09", "10-08T22:00", "10-09T13:00", "early close"],
      ["2013-10-09", "10-09T14:00", "10-09T17:00", "early close"]
    ])
    assert.deepStrictEqual(sessionsIn(overnight, days("2013-10-11", "2013-10-20")), [])
  })

  it("calendarTable() shows the clocks of the zone beside UTC", () => {
    const [heading, , row, ...rest] = calendarTable(
      overnight,
      sessionsIn(overnight, days("2013-10-09", "2013-10-20"))
    ).split("\n")
    assert.strictEqual(heading, "overnight, version 1, by the clocks of America/Chicago")
    assert.match(
      row ?? "",
      /^2013-10-09 +wed +2013-10-08 17:00 +2013-10-09 08:00 +2013-10-08T22:00:00Z +2013-10-09T13:00:00Z/
    )
    assert.lengthOf(rest, 1)
  })
})

describe("the calendars that come along", () => {
  it.each(Array.from(shippedCalendars().keys()))("%s is a calendar that bears its file's name", async (name) => {
    assert.strictEqual((await shipped(name)).name, name)
  })

  // counts that the exchange has published for its years
  it.each([
    [2011, 252],
    [2012, 250],
    [2013, 252],
    [2014, 252],
    [2016, 252],
    [2018, 251],
    [2021, 252],
    [2022, 251],
    [2024, 252],
    [2025, 250]
  ])("nyse-regular has in %i as many trading days as the exchange", async (year, count) => {
    const sessions = sessionsIn(await shipped("nyse-regular"), days(`${year}-01-01`, `${year + 1}-01-01`))
    assert.lengthOf(
      sessions.filter(({ open }) => open !== null),
      count
    )
  })

  it("nyse-regular and nyse-extended have the same days, and the one lies within the other", async () => {
    const range = days("2010-01-01", "2029-01-01")
    const [regular, extended] = [await shipped("nyse-regular"), await shipped("nyse-extended")].map((of) =>
      sessionsIn(of, range)
    )
    assert.deepStrictEqual(
      regular?.map(({ day, note }) => `${day} ${note}`),
      extended?.map(({ day, note }) => `${day} ${note}`)
    )
    const hours = new Set(regular?.map(({ close, note, open }) => `${note} ${((close ?? 0) - (open ?? 0)) / hourMs}`))
    assert.sameMembers(Array.from(hours), [" 6.5", "holiday 0", "early close 3.5"])
    const longer = new Set(extended?.map(({ close, note, open }) => `${note} ${((close ?? 0) - (open ?? 0)) / hourMs}`))
    assert.sameMembers(Array.from(longer), [" 16", "holiday 0", "early close 13"])
  })
})
