/**
 * Which rows say that a source lost its way: back in time, standing still, or with bars left out?
 *
 * What is known of the rows before is carried from page to page.
 */
import { alignDown, type Interval, type Spacing } from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/**
 * Rows, by their place in what was given, that are more than `toleranceMs` behind a row before them. Where none is
 * behind the last one the source gives the newest first, which is an order as well. Gives the latest time of all.
 */
export const findBackwards = (
  givenMs: Float64Array,
  toleranceMs: number,
  beforeMs: number | undefined,
  found: Array<number>
): number => {
  let highestMs = beforeMs ?? -Infinity
  let [ascents, descents] = [0, 0]
  for (let row = 0; row < givenMs.length; row++) {
    const timeMs = givenMs[row]!
    if (row > 0 && timeMs < givenMs[row - 1]!) descents += 1
    if (row > 0 && timeMs > givenMs[row - 1]!) ascents += 1
    if (highestMs - timeMs > toleranceMs) found.push(row)
    if (timeMs > highestMs) highestMs = timeMs
  }
  if (descents > 0 && ascents === 0) found.length = 0
  return highestMs
}

/** Columns of bars by row: open, high, low, close, volume. */
export interface Candles {
  readonly timeMs: Float64Array
  readonly prices: ReadonlyArray<Float64Array>
  readonly volume: Float64Array
  readonly lengthMs: number
}

/** The last bar of the rows before, and of how many alike it is the last. */
export interface Standstill {
  readonly timeMs: number
  readonly prices: ReadonlyArray<number>
  readonly volume: number
  readonly alike: number
  readonly flat: number
}

/** How many bars in a row are too many. */
export interface StandstillLimits {
  readonly bars: number
  readonly flatBars?: number
}

const never: Standstill = { timeMs: Number.NaN, prices: [], volume: Number.NaN, alike: 1, flat: 1 }

/** Rows that are the same as so many before them, without a gap in time; or in which one price stands for so long. */
export const findStandstill = (
  { lengthMs, prices: columns, timeMs, volume }: Candles,
  { bars, flatBars = Infinity }: StandstillLimits,
  before: Standstill = never,
  found: Array<number>
): Standstill => {
  const [open, high, low, close] = columns
  if (open === undefined || high === undefined || low === undefined || close === undefined) return before
  let { alike, flat } = before
  for (let row = 0; row < open.length; row++) {
    const last = row - 1
    const isFirst = row === 0
    // most bars differ in their close: nothing else of them is looked at
    if (close[row] !== (isFirst ? before.prices[3] : close[last])) {
      alike = 1
      flat = 1
      continue
    }
    const isNext = timeMs[row]! - (isFirst ? before.timeMs : timeMs[last]!) === lengthMs
    const wasVolume = isFirst ? before.volume : volume[last]!
    const isSame =
      open[row] === (isFirst ? before.prices[0] : open[last]) &&
      high[row] === (isFirst ? before.prices[1] : high[last]) &&
      low[row] === (isFirst ? before.prices[2] : low[last]) &&
      volume[row] === wasVolume
    alike = isNext && isSame && wasVolume > 0 ? alike + 1 : 1
    flat = isNext && high[row] === close[row] && low[row] === close[row] ? flat + 1 : 1
    if (alike >= bars || flat >= flatBars) found.push(row)
  }
  const end = open.length - 1
  if (end < 0) return before
  const prices = [open[end]!, high[end]!, low[end]!, close[end]!]
  return { timeMs: timeMs[end]!, prices, volume: volume[end]!, alike, flat }
}

/** A block of the grid, and the times of its rows so far. */
export interface Block {
  readonly startMs: number
  readonly timesMs: ReadonlyArray<number>
  /** Whether the rows before it are known: the first block of all may have begun earlier. */
  readonly isWhole: boolean
}

/** How many bars a block of the grid has to have. */
export interface BlockLimits {
  readonly bars: number
  readonly minShare: number
  readonly interval: Interval
  /** Of time before it nobody owes a row any more. */
  readonly owedFrom: number
  /** The time of a range in which no bar is expected. */
  readonly closedIn: (range: Range) => RangeSet.RangeSet
}

/**
 * Rows of the blocks of `bars` bars, between the first row and the last, that have fewer rows than their share, by
 * their times. Of blocks that have none the row behind them tells.
 */
export const findSparse = (
  timeMs: Float64Array,
  { bars: size, closedIn, interval, minShare, owedFrom }: BlockLimits,
  before: Block | undefined
): { readonly sparseMs: ReadonlyArray<number>; readonly block: Block | undefined } => {
  const spacing: Spacing = { lengthMs: size * interval.lengthMs, anchorMs: interval.anchorMs }
  const openBars = (start: number, end: number): number =>
    bars(RangeSet.subtract(RangeSet.of(start, end), closedIn([start, end])), interval.lengthMs)
  let sparseMs: Array<number> = []
  let times = [...(before?.timesMs ?? [])]
  let block = before && { ...before, timesMs: times }
  for (let row = 0; row < timeMs.length; row++) {
    const startMs = alignDown(spacing, timeMs[row]!)
    if (block?.startMs === startMs) {
      times.push(timeMs[row]!)
      continue
    }
    if (block !== undefined) {
      const endMs = block.startMs + spacing.lengthMs
      // what is closed is looked up only where it may matter
      const isFew = block.isWhole && times.length < minShare * size
      if (isFew && times.length < minShare * openBars(block.startMs, endMs)) sparseMs = sparseMs.concat(times)
      const isOwed = minShare > 0 && endMs !== startMs && openBars(Math.max(endMs, owedFrom), startMs) > 0
      if (isOwed) sparseMs.push(timeMs[row]!)
    }
    times = [timeMs[row]!]
    block = { startMs, timesMs: times, isWhole: block !== undefined || startMs === timeMs[row] }
  }
  return { sparseMs, block }
}
