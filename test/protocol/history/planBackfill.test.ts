/** Is the cost of a backfill counted right, and never too low? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { planBackfill, windowsPerErrand } from "../../../protocol/history/planBackfill.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { at, size } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeMeasure from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Window from "../../../protocol/history/Window.ts"
import { law } from "../../support/law.ts"

const intervalMs = 5
const grid: Window.Grid = { intervalMs, anchorMs: 0, windowBars: 3 }

/** Missing bars: ranges from short to much longer than an errand. */
const missing: fc.Arbitrary<RangeSet.RangeSet> = fc
  .array(fc.tuple(fc.integer({ min: -300, max: 300 }), fc.integer({ min: 1, max: 160 })), { maxLength: 8 })
  .map((pairs) => RangeSet.make(pairs.map(([start, bars]): Range => [start * intervalMs, (start + bars) * intervalMs])))

const barsPerRequest = fc.integer({ min: 1, max: 70 })

const sourceOf = (pageBars: number, wanted: RangeSet.RangeSet) => ({ name: "a", barsPerRequest: pageBars, wanted })

const planOf = (set: RangeSet.RangeSet, pageBars: number) => {
  const plan = planBackfill(set, [sourceOf(pageBars, set)], grid)
  return { ...plan, requests: plan.sources[0]!.requests }
}

/** The naive plan: errand after errand is cut off, and its stretches are asked for page by page. */
const countPages = (set: RangeSet.RangeSet, pageBars: number): number => {
  let requests = 0
  for (let left = set; size(left) > 0;) {
    const errandStart = Window.windowStart(grid, at(left, 0)[0])
    const errandEnd = errandStart + windowsPerErrand * grid.windowBars * intervalMs
    for (const [start, end] of toPairs(RangeSet.clip(left, errandStart, errandEnd))) {
      for (let from = start; from < end; from += pageBars * intervalMs) requests += 1
    }
    left = RangeSet.clip(left, errandEnd, Infinity)
  }
  return requests
}

describe("planBackfill()", () => {
  law("planBackfill() counts each missing bar once, and the windows that have any", [missing], (set) => {
    const { bars, windows } = planOf(set, 10)
    expect(bars).toBe(RangeMeasure.bars(set, intervalMs))
    expect(windows).toBe(Window.split(grid, set).length)
  })

  law("planBackfill() plans as many requests as asking page by page takes", [missing, barsPerRequest], (set, page) => {
    const { bars, requests } = planOf(set, page)
    expect(requests).toBe(countPages(set, page))
    expect(requests).toBeGreaterThanOrEqual(Math.ceil(bars / page))
  })

  it("planBackfill() of nothing costs nothing", () => {
    expect(planOf(RangeSet.empty, 10)).toMatchObject({ bars: 0, windows: 0, requests: 0 })
  })

  it("planBackfill() fills the pages of neighbouring windows", () => {
    // 16 windows of 3 bars are one errand: 48 bars in pages of 20 are 3, where each window alone would take 16
    expect(planOf(RangeSet.of(0, 48 * intervalMs), 20).requests).toBe(3)
  })

  it("planBackfill() says how long it takes where the rate is known, for each source by itself", () => {
    const set = RangeSet.of(0, 48 * intervalMs)
    const { sources } = planBackfill(set, [{ ...sourceOf(2, set), requestsPerMinute: 12 }, sourceOf(48, set)], grid)
    expect(sources).toEqual([
      { source: "a", barsPerRequest: 2, requests: 24, requestsPerMinute: 12, seconds: 120 },
      { source: "a", barsPerRequest: 48, requests: 1, requestsPerMinute: null, seconds: null }
    ])
  })

  it("planBackfill() of a billion windows is as quick as of one", () => {
    const bars = 3_000_000_000
    const { requests, windows } = planOf(RangeSet.of(0, bars * intervalMs), 48)
    expect([windows, requests]).toEqual([1_000_000_000, bars / 48])
  })
})
