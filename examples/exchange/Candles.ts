/** How are the bars of one market and interval kept, found, and rolled up into longer ones? */
import * as Decimal from "./Decimal.ts"
import type { Interval } from "./Interval.ts"

/** One bar before it takes its place in an interval: its start and the decimal text of its figures. */
export interface Bar {
  readonly startMs: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: string
}

/** Bars of one interval, each start once, ascending; a bar without trades is absent. */
export interface Candles {
  readonly interval: Interval
  readonly bars: ReadonlyArray<Bar>
}

/** Which bars are asked for; both ends count as inside, as they do at Binance. */
export interface PageRequest {
  readonly startTimeMs: number | undefined
  readonly endTimeMs: number | undefined
  readonly limit: number
}

/** Index of the first bar that begins at or after the given time; the number of bars if none does. */
const firstAtOrAfter = (bars: ReadonlyArray<Bar>, atMs: number): number => {
  let low = 0
  let high = bars.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (bars[middle]!.startMs < atMs) low = middle + 1
    else high = middle
  }
  return low
}

/** At most `limit` bars of the request: the oldest when it names a start, otherwise the newest. */
export const page = ({ bars }: Candles, { startTimeMs, endTimeMs, limit }: PageRequest): ReadonlyArray<Bar> => {
  const end = endTimeMs === undefined ? bars.length : firstAtOrAfter(bars, endTimeMs + 1)
  if (startTimeMs === undefined) return bars.slice(Math.max(0, end - limit), end)
  const start = firstAtOrAfter(bars, startTimeMs)
  return bars.slice(start, Math.max(start, Math.min(start + limit, end)))
}

const higher = (a: string, b: string): string => (Decimal.isAbove(b, a) ? b : a)
const lower = (a: string, b: string): string => (Decimal.isAbove(a, b) ? b : a)

/** One bar of several that follow each other. */
const join = (startMs: number, bars: ReadonlyArray<Bar>): Bar => ({
  startMs,
  open: bars[0]!.open,
  high: bars.map((bar) => bar.high).reduce(higher),
  low: bars.map((bar) => bar.low).reduce(lower),
  close: bars.at(-1)!.close,
  volume: Decimal.sum(bars.map((bar) => bar.volume))
})

/** The same trades in longer bars; volumes add up exactly. */
export const rollUp = ({ bars }: Candles, interval: Interval): Candles => {
  const groups = Map.groupBy(bars, (bar) => interval.startOf(bar.startMs))
  return { interval, bars: [...groups].map(([startMs, group]) => join(startMs, group)) }
}
