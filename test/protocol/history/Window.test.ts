/** Do windows tile all of time, and does splitting a set by them lose or double nothing? */
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Interval from "../../../protocol/history/Interval.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Window from "../../../protocol/history/Window.ts"
import { law } from "../../support/law.ts"
import { rangeSet, time } from "../../support/rangeSets.ts"

const { makeGrid, next, pageIndex, split, windowRange, windowStart } = Window

const anyGrid = fc.record({
  intervalMs: fc.integer({ min: 1, max: 5 }),
  anchorMs: fc.integer({ min: -7, max: 7 }),
  windowBars: fc.integer({ min: 1, max: 12 })
})
const gridOf = (text: string) => makeGrid(Option.getOrThrow(Interval.parse(text)))

describe("windows", () => {
  law("windowStart() names the one window whose range holds the time", [anyGrid, time], (grid, time) => {
    const [start, end] = windowRange(grid, windowStart(grid, time))
    expect(start <= time && time < end).toBe(true)
    expect(end - start).toBe(grid.intervalMs * grid.windowBars)
    expect([windowStart(grid, start), windowStart(grid, end - 1)]).toEqual([start, start])
  })
  law("next() is the start of the window in which a window's end lies", [anyGrid, time], (grid, time) => {
    const following = next(grid, windowStart(grid, time))
    expect(windowStart(grid, following)).toBe(following)
  })
  it("makeGrid() makes a window of 1-minute bars a UTC day", () => {
    const start = windowStart(gridOf("1m"), Date.parse("2024-02-29T13:14:15Z"))
    expect(new Date(start).toISOString()).toBe("2024-02-29T00:00:00.000Z")
  })
  it("makeGrid() makes windows of 1,440 bars unless told", () => {
    const hour = Option.getOrThrow(Interval.parse("1h"))
    expect(makeGrid(hour)).toEqual({ intervalMs: 3_600_000, anchorMs: 0, windowBars: Window.windowBarsDefault })
    expect([Window.windowBarsDefault, makeGrid(hour, 24).windowBars]).toEqual([1_440, 24])
  })
  it("makeGrid() takes the interval's anchor, so that windows of weeks start on a Monday", () => {
    expect(new Date(windowStart(gridOf("1w"), 0)).getUTCDay()).toBe(1)
  })
})

describe("split()", () => {
  law(
    "split() gives back the whole set, each part inside its own window, ascending, none empty",
    [anyGrid, rangeSet],
    (grid, set) => {
      const parts = split(grid, set)
      expect(RangeSet.unionAll(parts.map((part) => part.ranges))).toEqual(set)
      let last = -Infinity
      for (const { ranges, windowStart: start } of parts) {
        expect(start).toBeGreaterThan(last)
        expect(windowStart(grid, start)).toBe(start)
        expect(isEmpty(ranges)).toBe(false)
        expect(RangeSet.contains(RangeSet.of(...windowRange(grid, start)), ranges)).toBe(true)
        last = start
      }
    }
  )
  it("split() cuts a range at window boundaries and gathers ranges of one window", () => {
    const grid = { intervalMs: 1, anchorMs: 0, windowBars: 10 }
    const set = RangeSet.make([
      [-12, 3],
      [5, 6],
      [40, 50]
    ])
    expect(split(grid, set).map(({ ranges, windowStart }) => [windowStart, toPairs(ranges)])).toEqual([
      [-20, [[-12, -10]]],
      [-10, [[-10, 0]]],
      [
        0,
        [
          [0, 3],
          [5, 6]
        ]
      ],
      [40, [[40, 50]]]
    ])
  })
  it("split() of the empty set has no windows", () => {
    expect(split(gridOf("1m"), RangeSet.empty)).toEqual([])
  })
})

describe("count()", () => {
  law("count() is how many windows split() gives", [anyGrid, rangeSet], (grid, set) => {
    expect(Window.count(grid, set)).toBe(split(grid, set).length)
  })
  it("count() of a million windows is arithmetic", () => {
    const grid = { intervalMs: 60_000, anchorMs: 0, windowBars: 1 }
    expect(Window.count(grid, RangeSet.of(30_000, 1_000_000 * 60_000))).toBe(1_000_000)
  })
})

describe("pageIndex()", () => {
  law(
    "pageIndex() counts pages of 256 windows from the anchor, backwards below it",
    [anyGrid, fc.integer({ min: -1_000, max: 1_000 })],
    (grid, windowNumber) => {
      const start = grid.anchorMs + windowNumber * grid.intervalMs * grid.windowBars
      expect(pageIndex(grid, start)).toBe(Math.floor(windowNumber / Window.windowsPerPage))
    }
  )
  it("pageIndex() changes at the 256th window and just below the anchor", () => {
    const grid = { intervalMs: 60_000, anchorMs: 0, windowBars: 1_440 }
    const at = (day: number) => pageIndex(grid, day * 86_400_000)
    expect([at(0), at(255), at(256), at(-1), at(-256), at(-257)]).toEqual([0, 0, 1, -1, -1, -2])
  })
})
