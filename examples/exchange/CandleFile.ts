/** How does a CSV file of recorded candles become bars, and what does a broken one say? */
import type { Bar, Candles } from "./Candles.ts"
import * as Decimal from "./Decimal.ts"
import * as Interval from "./Interval.ts"
import { readText } from "./readText.ts"
import { UsageError } from "./UsageError.ts"

const header = "ts,open,high,low,close,volume"
const columns = header.split(",").length
// The header is line 1, as an editor counts.
const firstRowLine = 2

const parseRow = (row: string, place: string): Bar => {
  const [ts = "", open = "", high = "", low = "", close = "", volume = "", ...rest] = row.split(",")
  if (!/^\d{1,15}$/.test(ts)) {
    throw new UsageError(`${place}: ts is "${ts}"; it must be epoch milliseconds in digits`)
  }
  const wrong = [open, high, low, close, volume].find((text) => !Decimal.isDecimal(text))
  if (wrong !== undefined || rest.length > 0) {
    const what = rest.length > 0 ? `${columns + rest.length} columns` : `the figure "${wrong}"`
    throw new UsageError(`${place}: ${what}; a row is ${header}, its figures decimal text such as 17208.88`)
  }
  return { startMs: Number(ts), open, high, low, close, volume }
}

/** Smallest distance between two rows that follow each other; Infinity if there are no two. */
const smallestStep = (bars: ReadonlyArray<Bar>, file: string): number => {
  let smallestMs = Infinity
  for (let row = 1; row < bars.length; row++) {
    const stepMs = bars[row]!.startMs - bars[row - 1]!.startMs
    if (stepMs <= 0) {
      throw new UsageError(`${file}:${row + firstRowLine}: ts is not after the row above; rows must ascend in time`)
    }
    smallestMs = Math.min(smallestMs, stepMs)
  }
  return smallestMs
}

const intervalOf = (bars: ReadonlyArray<Bar>, file: string): Interval.Interval => {
  const stepMs = smallestStep(bars, file)
  if (stepMs === Infinity) {
    throw new UsageError(`${file}:${firstRowLine}: fewer than two rows; the interval is their smallest distance`)
  }
  const interval = Interval.ofStep(stepMs)
  if (interval === undefined) {
    const known = Interval.intervals.filter((each) => each.stepMs !== undefined).map((each) => each.name)
    const right = `two rows somewhere must be one of ${known.join(" ")} apart`
    throw new UsageError(`${file}:${firstRowLine}: the smallest step between rows is ${stepMs} ms; ${right}`)
  }
  return interval
}

/** Reads one file whole. Fails with a `UsageError` that names file and line. */
export const readCandleFile = (file: string): Candles => {
  const [first = "", ...rows] = readText(file).trimEnd().split(/\r?\n/)
  if (first !== header) throw new UsageError(`${file}:1: the first line must be ${header}`)
  const bars = rows.map((row, index) => parseRow(row, `${file}:${index + firstRowLine}`))
  const interval = intervalOf(bars, file)
  const astray = bars.findIndex((bar) => interval.startOf(bar.startMs) !== bar.startMs)
  if (astray >= 0) {
    const right = `must be the start of a bar of ${interval.name}, the smallest step between rows`
    throw new UsageError(`${file}:${astray + firstRowLine}: ts ${bars[astray]!.startMs} ${right}`)
  }
  return { interval, bars }
}
