/** Which bar lengths does the exchange know, and where does each bar begin and end? */

/** One bar length, such as "5m". */
export interface Interval {
  readonly name: string
  /** Distance between two bars; absent for months, which differ in length. */
  readonly stepMs?: number
  /** Every bar begins on a multiple of this. */
  readonly gridMs: number
  /** Start of the bar that holds the given time. */
  readonly startOf: (atMs: number) => number
  /** Start of the bar after the one that begins at the given time. */
  readonly nextStart: (startMs: number) => number
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const steady = (name: string, stepMs: number): Interval => ({
  name,
  stepMs,
  gridMs: stepMs,
  startOf: (atMs) => Math.floor(atMs / stepMs) * stepMs,
  nextStart: (startMs) => startMs + stepMs
})

// Weeks begin on Monday, and the epoch was a Thursday.
const firstMondayMs = 4 * dayMs
const sevenDays = steady("1w", 7 * dayMs)
const week: Interval = {
  ...sevenDays,
  gridMs: dayMs,
  startOf: (atMs) => sevenDays.startOf(atMs - firstMondayMs) + firstMondayMs
}

const monthStart = (atMs: number, monthsLater: number): number => {
  const at = new Date(atMs)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + monthsLater, 1)
}
const month: Interval = {
  name: "1M",
  gridMs: dayMs,
  startOf: (atMs) => monthStart(atMs, 0),
  nextStart: (startMs) => monthStart(startMs, 1)
}

const units: Readonly<Record<string, number>> = { s: secondMs, m: minuteMs, h: hourMs, d: dayMs }
const steadyNames = ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d"]
const steadyIntervals = steadyNames.map((name) => steady(name, Number.parseInt(name, 10) * (units[name.at(-1)!] ?? 0)))

/** Every interval of Binance's spot market, shortest first. */
export const intervals: ReadonlyArray<Interval> = [...steadyIntervals, week, month]

/** The interval whose bars are that far apart, or undefined if there is none. */
export const ofStep = (stepMs: number): Interval | undefined => intervals.find((interval) => interval.stepMs === stepMs)

/** Whether bars of `finer` can be rolled up into `coarser` without one of them lying across an edge. */
export const fitsInto = (finer: Interval, coarser: Interval): boolean =>
  finer.stepMs !== undefined && coarser.gridMs % finer.stepMs === 0
