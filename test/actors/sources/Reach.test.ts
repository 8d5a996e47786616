/** Is time out of reach where configuration and clock say so, and nowhere else? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Reach from "../../../actors/sources/Reach.ts"
import { make } from "../../../actors/sources/SeriesCatalog.ts"
import * as MissingRange from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { entry, lack, minute } from "../../support/requests.ts"

const configured = (limits: Partial<Pick<typeof entry, "listedAt" | "delistedAt" | "retentionMs">>) => ({
  ...entry,
  ...limits
})

const minutes = (...pairs: ReadonlyArray<Range>): RangeSet.RangeSet =>
  RangeSet.make(pairs.map(([start, end]): Range => [start * minute, end * minute]))

const day = minutes([0, 1440])
// all bars of the day are final by then
const late = 2000 * minute

const spans = (ranges: ReadonlyArray<MissingRange.MissingRange>) =>
  ranges.map(({ end, reason, start, state }) => [start / minute, end / minute, state, reason])

describe("outOf()", () => {
  it("outOf() is nothing of a series of which nothing is configured, once its bars are final", () => {
    expect(Reach.outOf(entry, day, late)).toEqual([])
  })

  it("outOf() is time before the bar of the listing and behind the bar of the delisting, with what says so", () => {
    const limits = configured({ listedAt: 10 * minute + 1, delistedAt: 20 * minute + 1 })
    const out = Reach.outOf(limits, day, late)
    expect(spans(out)).toEqual([
      [0, 10, "unavailable", "before its listing"],
      [21, 1440, "unavailable", "after its delisting"]
    ])
    expect(out.map(({ evidence, retryAt }) => [evidence, retryAt])).toEqual([
      ["configured: listed at 1970-01-01T00:10:00.001Z", null],
      ["configured: delisted at 1970-01-01T00:20:00.001Z", null]
    ])
  })

  it("outOf() is time longer ago than the sources keep bars, and moves on with the clock", () => {
    const limits = configured({ retentionMs: 600 * minute })
    expect(spans(Reach.outOf(limits, day, late))).toEqual([
      [0, 1400, "unavailable", "longer ago than its sources keep bars"]
    ])
    expect(spans(Reach.outOf(limits, day, late + 1))[0]?.[1]).toBe(1401)
    expect(Reach.outOf(limits, day, late)[0]?.evidence).toBe(
      "configured: binance, kraken keep bars for 10h at the most"
    )
  })

  it("outOf() is deferred from the first bar on that the slowest source does not hold final, until it does", () => {
    const now = 100 * minute + entry.finalityDelayMs
    const [early, ...others] = Reach.outOf(entry, day, now)
    expect(others).toEqual([])
    expect(early).toEqual({
      start: 100 * minute,
      end: 1440 * minute,
      state: "deferred",
      reason: "its bars are not final yet",
      retryAt: 101 * minute + entry.finalityDelayMs,
      evidence: "configured: bars of binance, kraken are final 5000 ms after their end"
    })
    // whoever asks then is not told to wait any more
    expect(spans(Reach.outOf(entry, day, early!.retryAt!))[0]?.[0]).toBe(101)
    expect(spans(Reach.outOf(entry, day, early!.retryAt! - 1))[0]?.[0]).toBe(100)
  })

  it("outOf() defers nothing that will never be", () => {
    const limits = configured({ delistedAt: 110 * minute })
    expect(spans(Reach.outOf(limits, day, 100 * minute + entry.finalityDelayMs))).toEqual([
      [100, 110, "deferred", "its bars are not final yet"],
      [110, 1440, "unavailable", "after its delisting"]
    ])
  })
})

describe("the retention of a series", () => {
  const sourceOf = (retentionMs?: number) =>
    ({ kind: "exchange", exchange: "binance", ...(retentionMs !== undefined && { retentionMs }) }) as const

  it.each([
    ["the longest of its sources'", [1000, 3000, 2000], 3000],
    ["none where one of them keeps all", [1000, undefined], null]
  ] as const)("is %s", (_, retentions, expected) => {
    const sources = Object.fromEntries(retentions.map((retentionMs, index) => [`s${index}`, sourceOf(retentionMs)]))
    const [first, ...others] = Object.keys(sources)
    const catalog = make({
      sources,
      series: [{ node: "a", intervals: ["1m"], sources: [first!, ...others], symbol: "A" }]
    })
    expect(catalog.find("a", "1m")).toMatchObject({ value: { retentionMs: expected } })
  })
})

describe("classify()", () => {
  it("classify() takes configuration and clock before what is stored, and what is stored before nothing", () => {
    const limits = configured({ listedAt: 10 * minute })
    const stored = [lack([5, 20], "quarantined"), lack([1995, 2010], "deferred", 0)]
    const missing = minutes([0, 30], [1990, 2010])
    expect(spans(Reach.classify(limits, missing, stored, late + entry.finalityDelayMs))).toEqual([
      [0, 10, "unavailable", "before its listing"],
      [10, 20, "quarantined", "for the test: quarantined"],
      [20, 30, "missing", "not filled yet"],
      [1990, 1995, "missing", "not filled yet"],
      [1995, 2000, "deferred", "for the test: deferred"],
      [2000, 2010, "deferred", "its bars are not final yet"]
    ])
    expect(toPairs(Reach.askable(limits, missing, stored, late + entry.finalityDelayMs))).toEqual(
      toPairs(minutes([20, 30], [1990, 2000]))
    )
  })
})

describe("unavailable()", () => {
  it("unavailable() tells of the time since the epoch, or since there is data, until now; and not of covered time", () => {
    const limits = configured({ listedAt: 10 * minute, delistedAt: 50 * minute })
    expect(spans(Reach.unavailable(limits, minutes([3, 4], [10, 20]), 60 * minute))).toEqual([
      [0, 3, "unavailable", "before its listing"],
      [4, 10, "unavailable", "before its listing"],
      [50, 60, "unavailable", "after its delisting"]
    ])
    expect(spans(Reach.unavailable(limits, minutes([-9, -8]), 0))).toEqual([
      [-8, 0, "unavailable", "before its listing"]
    ])
  })
})

const time = fc.integer({ min: -5, max: 40 })
const someMinutes = fc
  .array(fc.tuple(time, fc.integer({ min: 1, max: 9 })), { maxLength: 4 })
  .map((pairs) => minutes(...pairs.map(([start, length]): Range => [start, start + length])))
const limit = fc.option(fc.integer({ min: -4, max: 44 }).map((half) => (half * minute) / 2))
const limits = fc.record({
  listedAt: limit,
  delistedAt: limit,
  retentionMs: fc.option(fc.integer({ min: 1, max: 40 }).map((count) => count * minute))
})

law(
  "what is out of reach is apart from what may be asked for, and together with it and what is stored it is all",
  [limits, someMinutes, someMinutes, fc.integer({ min: 0, max: 90 })],
  (drawn, missing, excepted, halfMinutes) => {
    const nowMs = (halfMinutes * minute) / 2
    const series = configured(drawn)
    const stored = toPairs(excepted).map(([start, end]) => lack([start / minute, end / minute], "quarantined"))
    const out = MissingRange.timeOf(Reach.outOf(series, missing, nowMs))
    const askable = Reach.askable(series, missing, stored, nowMs)
    expect(isEmpty(RangeSet.intersect(out, askable))).toBe(true)
    expect(toPairs(RangeSet.unionAll([out, askable, RangeSet.intersect(excepted, missing)]))).toEqual(toPairs(missing))
    // nothing that is out of reach has a bar that could be had
    const untraded = Reach.untraded(series)
    const gone = Reach.forgotten(series.retentionMs, series.interval, nowMs)
    const early = RangeSet.of(Reach.finalUntil(series, nowMs), Infinity)
    expect(toPairs(out)).toEqual(toPairs(RangeSet.intersect(missing, RangeSet.unionAll([untraded, gone, early]))))
  }
)
