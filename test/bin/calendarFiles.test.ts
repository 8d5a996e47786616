/** Is a calendar found by its name or in its file, and does a file hear all that is wrong with it? */
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { shippedCalendars } from "../../bin/calendarFiles.ts"
import { configurationHash, load } from "../../bin/configuration.ts"

const good = `
sources:
  binance: { kind: exchange, exchange: binance }
series:
  - { node: a, intervals: [1m], sources: [binance], symbol: BTC/BUSD }
`

const calendar = `
version: 1
name: mine
zone: America/New_York
sessions:
  - { days: [mon, tue], open: -1d 18:00, close: 16:00, breaks: [{ from: 11:30, until: 12:30 }] }
holidays: [2013-12-24]
earlyCloses: [{ date: 2013-12-23, close: 13:00 }]
`

/** A configuration whose series has a calendar, and whose folder has files. */
const withFiles = (series: string, rest: string, files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const folder = mkdtempSync(join(tmpdir(), "seamless-"))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const file = join(folder, "a.yaml")
    writeFileSync(file, `${good.replace("symbol: BTC/BUSD", `symbol: BTC/BUSD, ${series}`)}${rest}`)
    return yield* load(file)
  }).pipe(Effect.scoped, Effect.runPromise)

const refusalOf = (series: string, rest: string, files: Readonly<Record<string, string>> = {}) =>
  withFiles(series, rest, files).then(
    () => "",
    (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))
  )

describe("calendars", () => {
  it("load() has what a calendar's file says in the place of its path, as if it stood there, and in the hash", async () => {
    const named = await withFiles("calendar: mine", "calendars: { mine: cal.yaml }", { "cal.yaml": calendar })
    const inline = `calendars:\n  mine:\n${calendar.trim().replace(/^/gm, "    ")}`
    const whole = await withFiles("calendar: mine", inline, {})
    assert.deepStrictEqual(named.calendars, whole.calendars)
    assert.strictEqual(named.calendars?.["mine"]?.zone, "America/New_York")
    assert.strictEqual(configurationHash(named), configurationHash(whole))
    const later = { "cal.yaml": calendar.replace("13:00", "14:00") }
    const other = await withFiles("calendar: mine", "calendars: { mine: cal.yaml }", later)
    assert.notStrictEqual(configurationHash(other), configurationHash(named))
  })

  it.each(Array.from(shippedCalendars().keys()))("load() knows %s, which comes along", async (name) => {
    const { calendars } = await withFiles(`calendar: ${name}`, "", {})
    assert.deepStrictEqual(Object.keys(calendars ?? {}), [name])
    assert.strictEqual(calendars?.[name]?.name, name)
  })

  it("load() takes a calendar of the configuration before one of its name that comes along", async () => {
    const given = await withFiles("calendar: nyse-regular", "calendars: { nyse-regular: cal.yaml }", {
      "cal.yaml": calendar
    })
    assert.strictEqual(given.calendars?.["nyse-regular"]?.name, "mine")
  })

  it("load() needs no calendar, and no declaration of 24x7", async () => {
    assert.isUndefined((await withFiles("calendar: 24x7", "", {})).calendars)
  })

  it.each([
    [
      "a name that is none",
      "calendar: nyse",
      "",
      /series\[0\]\.calendar: "nyse" is no calendar; there is 24x7, nyse-ext/
    ],
    ["no name", "calendar: 7", "", /series\[0\]\.calendar: Expected string, got 7$/],
    [
      "a file that is not there",
      "calendar: mine",
      "calendars: { mine: b.yaml }",
      /calendars\.mine: .*b\.yaml: there is no/
    ],
    [
      "a file that is no YAML",
      "calendar: mine",
      "calendars: { mine: bad.yaml }",
      /calendars\.mine: .*bad\.yaml: line 2, /
    ],
    [
      "what 24x7 is",
      "calendar: 24x7",
      "calendars: { 24x7: cal.yaml }",
      /calendars\.24x7: is the calendar of markets that/
    ]
  ])("load() refuses %s, and tells it once", async (_, series, rest, expected) => {
    const told = await refusalOf(series, rest, { "cal.yaml": calendar, "bad.yaml": "a: 1\na: 2" })
    assert.match(told, expected)
    assert.lengthOf(told.split("\n"), 1)
  })

  it.each([
    [
      "a zone",
      "zone: America/New_York",
      "zone: New York",
      'zone: "New York" is no time zone of IANA, such as America/'
    ],
    ["a version", "version: 1", "version: one", 'version: Expected number, got "one"'],
    ["an unknown key", "name: mine", "name: mine\nhours: 8", "hours: is no setting; known here: version, name, zone, "],
    ["a day of the week", "[mon, tue]", "[mon, moon]", "sessions[0].days[1]: Expected "],
    ["a time of day", "16:00", "4pm", 'sessions[0].close: "4pm" is no time of day: from 00:00 to 24:00, such as 09:30'],
    ["a time behind midnight", "16:00", "24:01", 'sessions[0].close: "24:01" is no time of day'],
    [
      "a close before the open",
      "-1d 18:00",
      "18:00",
      'sessions[0].close: "16:00" is not later than the open, "18:00"; '
    ],
    ["a break that ends before it starts", "12:30", "11:30", 'sessions[0].breaks[0].until: "11:30" is not later than'],
    ["a break outside of its session", "12:30", "17:00", "sessions[0].breaks[0]: is not within the session"],
    ["a day that no calendar has", "2013-12-24", "2013-02-29", 'holidays[0]: "2013-02-29" is no day: such as'],
    [
      "a holiday given twice",
      "2013-12-24",
      "2013-12-24, 2013-12-24",
      "holidays[1]: 2013-12-24 stands at holidays[0] already"
    ],
    ["an early close of a holiday", "2013-12-24", "2013-12-23", "earlyCloses[0].date: 2013-12-23 is a holiday"],
    [
      "an early close of no session",
      "2013-12-23",
      "2013-12-22",
      "earlyCloses[0].date: 2013-12-22 (sun) has no session"
    ],
    ["an early close that is late", "13:00 }", "16:00 }", 'earlyCloses[0].close: "16:00" is no earlier than sessions'],
    ["days that are long gone", "name: mine", "name: mine\nfrom: 1899-12-31", "from: 1899-12-31 is before 1900-01-01"],
    ["days that are far ahead", "name: mine", "name: mine\nuntil: 2200-01-02", "until: 2200-01-02 is later than 2200-"],
    [
      "an end before the start",
      "name: mine",
      "name: mine\nfrom: 2013-01-01\nuntil: 2012-01-01",
      "until: 2012-01-01 is not later"
    ],
    [
      "no session",
      calendar.slice(calendar.indexOf("sessions"), calendar.indexOf("holidays")),
      "sessions: []\n",
      "sessions[0]: is missing"
    ]
  ])("load() refuses %s in a calendar, with its path and its file", async (_, piece, replacement, expected) => {
    assert.include(calendar, piece)
    const file = calendar.replace(piece, replacement)
    const told = await refusalOf("calendar: mine", "calendars: { mine: cal.yaml }", { "cal.yaml": file })
    assert.include(told, `calendars.mine.${expected}`)
    assert.match(told, /\(in .*cal\.yaml\)$/)
    assert.lengthOf(told.split("\n"), 1)
  })
})
