/** Are intervals read in canonical form, and do their boundaries fall where the grid says? */
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Interval from "../../../protocol/history/Interval.ts"
import { law } from "../../support/law.ts"

const { alignDown, alignUp, barCount, isAligned, isDividedBy, parse } = Interval

const intervalOf = (text: string): Interval.Interval => Option.getOrThrow(parse(text))

const anyInterval = fc
  .tuple(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom("s", "m", "h", "d", "w"))
  .map(([count, unit]) => intervalOf(`${count}${unit}`))
const anyTime = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 })
const near = fc.integer({ min: -50, max: 50 })
const monday = Date.UTC(1970, 0, 5)

describe("parse()", () => {
  it.each([
    ["60s", "1m"],
    ["90s", "90s"],
    ["1m", "1m"],
    ["60m", "1h"],
    ["90m", "90m"],
    ["3600s", "1h"],
    ["24h", "1d"],
    ["36h", "36h"],
    ["86400s", "1d"],
    ["168h", "7d"],
    ["7d", "7d"],
    ["1w", "1w"],
    ["52w", "52w"]
  ])("parse() reads %s as %s", (text, canonical) => {
    expect(intervalOf(text).text).toBe(canonical)
  })
  it.each([
    "",
    "m",
    "1",
    "0m",
    "01m",
    "-1m",
    "+1m",
    "1.5m",
    "1e3s",
    " 1m",
    "1m ",
    "1m\n",
    "1M",
    "1D",
    "1y",
    "1mm",
    "١m"
  ])("parse() refuses %j", (text) => {
    expect(parse(text)).toEqual(Option.none())
  })
  it("parse() refuses lengths beyond exact integers", () => {
    expect(Option.isSome(parse("9007199254740s"))).toBe(true)
    expect([parse("9007199254741s"), parse("99999999999w"), parse(`${"9".repeat(400)}d`)]).toEqual(
      Array.from({ length: 3 }, Option.none)
    )
  })
  it("parse() anchors weeks at a Monday and all else at the epoch", () => {
    expect(new Date(intervalOf("1w").anchorMs).getUTCDay()).toBe(1)
    expect([intervalOf("2w").anchorMs, intervalOf("7d").anchorMs, intervalOf("1s").anchorMs]).toEqual([monday, 0, 0])
  })
  law("parse() of a canonical text changes nothing", [anyInterval], (interval) =>
    expect(intervalOf(interval.text)).toEqual(interval)
  )
})

describe("boundaries", () => {
  law(
    "alignDown() and alignUp() are the nearest boundaries on either side",
    [anyInterval, anyTime],
    (interval, time) => {
      const [down, up] = [alignDown(interval, time), alignUp(interval, time)]
      expect(down <= time && time <= up).toBe(true)
      expect(up - down).toBe(isAligned(interval, time) ? 0 : interval.lengthMs)
      expect([isAligned(interval, down), isAligned(interval, up)]).toEqual([true, true])
      expect(BigInt(down - interval.anchorMs) % BigInt(interval.lengthMs)).toBe(0n)
    }
  )
  it("alignDown() goes back, not towards zero, before 1970", () => {
    const minute = intervalOf("1m")
    expect([alignDown(minute, -1), alignUp(minute, -1), alignDown(minute, -60_000)]).toEqual([-60_000, 0, -60_000])
  })
  it("alignDown() puts a week's start on Monday, before and after 1970", () => {
    const week = intervalOf("1w")
    const mondays = ["2024-02-29T12:00:00Z", "1969-07-20T20:17:40Z", "1970-01-01T00:00:00Z"].map((text) =>
      new Date(alignDown(week, Date.parse(text))).toISOString().slice(0, 10)
    )
    expect(mondays).toEqual(["2024-02-26", "1969-07-14", "1969-12-29"])
  })
  it("isAligned() refuses a fraction of a millisecond", () => {
    expect(isAligned(intervalOf("1s"), 1_000.5)).toBe(false)
  })
})

describe("barCount()", () => {
  const minute = intervalOf("1m")

  law(
    "barCount() counts the boundaries in the range, one by one",
    [fc.integer({ min: 1, max: 9 }), near, near],
    (lengthMs, start, end) => {
      const spacing = { lengthMs, anchorMs: 4 }
      let count = 0
      for (let time = start; time < end; time++) count += isAligned(spacing, time) ? 1 : 0
      expect(barCount(spacing, start, end)).toBe(count)
    }
  )
  it("barCount() of a day of minutes is 1,440", () => {
    expect(barCount(minute, 0, 86_400_000)).toBe(1_440)
  })
  it("barCount() of an empty or reversed range is 0", () => {
    expect([barCount(minute, 60_000, 60_000), barCount(minute, 60_000, 0)]).toEqual([0, 0])
  })
})

describe("isDividedBy()", () => {
  it.each([
    ["5m", "1m", true],
    ["1h", "5m", true],
    ["1w", "1d", true],
    ["2w", "1w", true],
    ["5m", "5m", false],
    ["1m", "5m", false],
    ["5m", "2m", false],
    ["14d", "1w", false],
    ["2w", "7d", false]
  ])("isDividedBy() of %s by %s is %s", (longer, shorter, expected) => {
    expect(isDividedBy(intervalOf(longer), intervalOf(shorter))).toBe(expected)
  })
})
