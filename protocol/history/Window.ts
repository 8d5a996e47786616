/**
 * Which window does a time belong to?
 *
 * A window is the canonical, aligned unit of storing and backfilling: a fixed number of bars, counted from the
 * interval's anchor. Windows are named by their start; a page of the coverage record holds a run of them.
 */
import { alignDown, alignUp, type Interval, type Spacing } from "./Interval.ts"
import { isRange, type Range } from "./Range.ts"
import { at, size } from "./RangeMeasure.ts"
import { clip, type RangeSet, unionAll } from "./RangeSet.ts"

/** How one series is divided: its bars, and how many of them make a window. Fixed once the series has data. */
export interface Grid {
  readonly intervalMs: number
  readonly anchorMs: number
  readonly windowBars: number
}

/** What of a range set lies in one window. */
export interface WindowRanges {
  readonly windowStart: number
  readonly ranges: RangeSet
}

/** Bars in a window unless the series says otherwise: one day of 1-minute bars. */
export const windowBarsDefault = 1_440

/** Windows in a page: enough that a year of daily windows is two pages, few enough that a page is cheap to rewrite. */
export const windowsPerPage = 256

/** The grid of a series with this interval. */
export const makeGrid = ({ anchorMs, lengthMs }: Interval, windowBars: number = windowBarsDefault): Grid => ({
  intervalMs: lengthMs,
  anchorMs,
  windowBars
})

/** The start of the window that holds `timeMs`. */
export const windowStart = (grid: Grid, timeMs: number): number => alignDown(windows(grid, 1), timeMs)

/** The window's time, `[start, end)`. */
export const windowRange = (grid: Grid, windowStart: number): Range => [windowStart, next(grid, windowStart)]

/** The start of the window that follows. */
export const next = (grid: Grid, windowStart: number): number => windowStart + windows(grid, 1).lengthMs

/** Divides a set by windows, ascending: one entry for each window that has any of its time, and none without. */
export const split = (grid: Grid, set: RangeSet): ReadonlyArray<WindowRanges> => {
  const parts: Array<WindowRanges> = []
  let free = -Infinity
  for (let index = 0; index < size(set); index++) {
    const [start, end] = at(set, index)
    // The window in which the range before ended is already there, with this range's part of it.
    let window = Math.max(free, windowStart(grid, start))
    for (; isRange(window, end); window = next(grid, window)) {
      parts.push({ windowStart: window, ranges: clip(set, ...windowRange(grid, window)) })
    }
    free = window
  }
  return parts
}

/** What of the set lies in the first of the windows that have any of it. */
export const firstOf = (grid: Grid, set: RangeSet, windowsMax: number): RangeSet =>
  unionAll(
    split(grid, set)
      .slice(0, windowsMax)
      .map(({ ranges }) => ranges)
  )

/** How many windows have any of the set's time. O(ranges), however many windows that is. */
export const count = (grid: Grid, set: RangeSet): number => {
  const spacing = windows(grid, 1)
  let total = 0
  let free = -Infinity
  for (let index = 0; index < size(set); index++) {
    const [start, end] = at(set, index)
    const behind = alignUp(spacing, end)
    // a window in which the range before ended is counted already
    total += Math.max(0, behind - Math.max(free, alignDown(spacing, start))) / spacing.lengthMs
    free = behind
  }
  return total
}

/** Which page a window is in: page 0 begins at the anchor, those before it have negative numbers. */
export const pageIndex = (grid: Grid, windowStart: number): number => {
  const pages = windows(grid, windowsPerPage)
  return (alignDown(pages, windowStart) - pages.anchorMs) / pages.lengthMs
}

const windows = ({ anchorMs, intervalMs, windowBars }: Grid, count: number): Spacing => ({
  lengthMs: intervalMs * windowBars * count,
  anchorMs
})
