/** Are times read right in every unit and zone, and is what no rule decides refused? */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type GivenTimes, readTimes, type Times } from "../../../actors/conformance/readTimes.ts"
import type { TimeRules } from "../../../protocol/frame/ConformanceRules.ts"
import { law } from "../../support/law.ts"

const read = (given: GivenTimes, rules: TimeRules = {}): Times => Result.getOrThrow(readTimes(given, rules))

const isoOf = (given: GivenTimes, rules: TimeRules): ReadonlyArray<string> =>
  Array.from(read(given, rules).timeMs, (timeMs) => new Date(timeMs).toISOString())

const refusal = (given: GivenTimes, rules: TimeRules = {}) => Result.getOrThrow(Result.flip(readTimes(given, rules)))

const newYork = { zone: "America/New_York" } as const

describe("readTimes() in units", () => {
  it("readTimes() cuts off what is finer than a millisecond, and never rounds into the next bar", () => {
    expect(read(Float64Array.of(59_999.999)).timeMs[0]).toBe(59_999)
    expect(read(BigInt64Array.of(1_570_752_059_999_999_999n), { unit: "ns" }).timeMs[0]).toBe(1_570_752_059_999)
    expect(read([1_570_752_059_999_999_999n], { unit: "ns" }).timeMs[0]).toBe(1_570_752_059_999)
    expect(read(["1570752059999999999"], { unit: "ns" }).timeMs[0]).toBe(1_570_752_059_999)
    expect(read([1_570_752_059_999_999], { unit: "us" }).timeMs[0]).toBe(1_570_752_059_999)
    expect(read([1_570_752_059.9999], { unit: "s" }).timeMs[0]).toBe(1_570_752_059_999)
    expect(read([-1n], { unit: "us" }).timeMs[0]).toBe(-1)
  })

  law(
    "readTimes() of whole numbers is exact division, below zero too",
    [fc.bigInt({ min: -62_167_219_200_000_000_000n, max: 253_402_300_799_999_999n }), fc.constantFrom("us", "ns")],
    (value, unit) => {
      const divisor = unit === "us" ? 1_000n : 1_000_000n
      const inDate = unit === "us" || value > -(2n ** 63n)
      fc.pre(inDate && value >= -62_167_219_200_000n * divisor)
      const expected = Number((value - (((value % divisor) + divisor) % divisor)) / divisor)
      expect(read([value], { unit }).timeMs[0]).toBe(expected)
      expect(read(BigInt64Array.of(value), { unit }).timeMs[0]).toBe(expected)
    }
  )

  law(
    "readTimes() of a float64 that stands for a whole millisecond is that, though in ns it may be just below it",
    [fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2100, 0, 1) - 1 }), fc.constantFrom("s", "us", "ns")],
    (timeMs, unit) => {
      const value = unit === "s" ? timeMs / 1e3 : timeMs * { us: 1e3, ns: 1e6 }[unit]
      expect(read(Float64Array.of(value), { unit }).timeMs[0]).toBe(timeMs)
      expect(read([value], { unit }).timeMs[0]).toBe(timeMs)
    }
  )

  it.each([
    ["s", 1_570_752_000],
    ["ms", 1_570_752_000_000],
    ["us", 1_570_752_000_000_000],
    ["ns", 1_570_752_000_000_000_000]
  ])("readTimes() finds by magnitude that numbers are in %s", (_unit, value) => {
    const rules = { unit: "auto" } as const
    const expected = ["2019-10-11T00:00:00.000Z"]
    expect(isoOf([value], rules)).toEqual(expected)
    expect(isoOf([String(value)], rules)).toEqual(expected)
    expect(isoOf(BigInt64Array.of(BigInt(value)), rules)).toEqual(expected)
  })

  it("readTimes() refuses a mixture of units, and numbers that show none", () => {
    const rules = { unit: "auto" } as const
    expect(refusal([1_570_752_000_000, 1_570_752_000], rules)).toEqual({
      row: 1,
      problem: "is in s, and those before it are in ms"
    })
    expect(refusal([0], rules)).toMatchObject({ row: 0, problem: expect.stringContaining("name the unit") })
    expect(refusal(Float64Array.of(1e11), rules)).toMatchObject({ row: 0 })
  })

  it("readTimes() refuses numbers of a finer unit than is named: they are beyond the year 9999", () => {
    expect(refusal([1_570_752_000_000_000])).toEqual({ row: 0, problem: "is no time" })
    expect(refusal(Float64Array.of(0, 1_570_752_000_000_000))).toEqual({ row: 1, problem: "is no time" })
    expect(refusal(BigInt64Array.of(1_570_752_000_000n), { unit: "s" })).toEqual({ row: 0, problem: "is no time" })
  })

  it("readTimes() takes digits in text for no time, and says what would make them one", () => {
    const problem = "is a number in text: say by time.unit what it counts, s, ms, us or ns"
    expect(refusal(["1570752000000"])).toEqual({ row: 0, problem })
    expect(refusal(["soon"])).toEqual({ row: 0, problem: "is no time" })
  })

  it("readTimes() passes whole milliseconds on uncopied, and keeps what is missing missing", () => {
    const given = Float64Array.of(0, 60_000)
    expect(read(given).timeMs).toBe(given)
    expect(Array.from(read([0, null, 1]).timeMs)).toEqual([0, Number.NaN, 1])
  })
})

describe("readTimes() in zones", () => {
  it("readTimes() reads local text by the clocks of its zone, in summer and in winter", () => {
    expect(isoOf(["2019-07-01 09:30", "2019-12-02T09:30:00"], newYork)).toEqual([
      "2019-07-01T13:30:00.000Z",
      "2019-12-02T14:30:00.000Z"
    ])
    // daylight saving of half an hour; an offset with seconds; a day that was left out
    expect(isoOf(["2019-07-01T00:00"], { zone: "Australia/Lord_Howe" })).toEqual(["2019-06-30T13:30:00.000Z"])
    expect(isoOf(["2020-01-01"], { zone: "Asia/Kolkata" })).toEqual(["2019-12-31T18:30:00.000Z"])
    expect(isoOf(["1880-01-01T00:00"], newYork)).toEqual(["1880-01-01T04:56:02.000Z"])
    expect(refusal(["2011-12-30T12:00"], { zone: "Pacific/Apia" }).problem).toContain("never comes in Pacific/Apia")
  })

  it("readTimes() lets the zone of the text go before that of the rules", () => {
    expect(isoOf(["2019-07-01T09:30Z", "2019-07-01T09:30+02:00"], newYork)).toEqual([
      "2019-07-01T09:30:00.000Z",
      "2019-07-01T07:30:00.000Z"
    ])
  })

  it("readTimes() refuses the hour that comes twice, unless a rule says which is meant", () => {
    const given = ["2019-11-03T00:59", "2019-11-03T01:30", "2019-11-03T02:00"]
    expect(refusal(given, newYork)).toEqual({
      row: 1,
      problem: "comes twice in America/New_York: say by time.ambiguous which is meant"
    })
    const middle = (ambiguous: "earlier" | "later") => isoOf(given, { ...newYork, ambiguous })[1]
    expect(middle("earlier")).toBe("2019-11-03T05:30:00.000Z")
    expect(middle("later")).toBe("2019-11-03T06:30:00.000Z")
    expect(read(given, { ...newYork, ambiguous: "later" })).toMatchObject({ ambiguousCount: 1, nonexistentCount: 0 })
  })

  it("readTimes() refuses the hour that never comes, unless a rule moves it as clocks are moved", () => {
    const given = ["2019-03-10T01:59", "2019-03-10T02:30", "2019-03-10T03:00"]
    expect(refusal(given, newYork)).toMatchObject({ row: 1 })
    const rules = { ...newYork, nonexistent: "forward" } as const
    expect(isoOf(given, rules)).toEqual([
      "2019-03-10T06:59:00.000Z",
      "2019-03-10T07:30:00.000Z",
      "2019-03-10T07:00:00.000Z"
    ])
    expect(read(given, rules)).toMatchObject({ ambiguousCount: 0, nonexistentCount: 1 })
  })

  law(
    "readTimes() of what clocks show at a moment is that moment, or the other one of the same time",
    [
      fc.integer({ min: Date.UTC(1970, 0, 1) / 1000, max: Date.UTC(2037, 0, 1) / 1000 }),
      fc.constantFrom("America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns")
    ],
    (seconds, zone) => {
      const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" })
      const text = format.format(seconds * 1000)
      const moments = (["earlier", "later"] as const).map((ambiguous) => read([text], { zone, ambiguous }).timeMs[0])
      expect(moments).toContain(seconds * 1000)
    }
  )
})
