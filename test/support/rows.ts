/**
 * Which rows do the tests of conformance run on?
 *
 * Times lie on the minutes of a few hours, so that rows meet.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { conform, type Conformed, type ConformOptions } from "../../actors/conformance/conform.ts"
import type { ConformanceReport } from "../../actors/conformance/ConformanceReport.ts"
import { fieldNames, ohlcv } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { floatColumns } from "./floatFrames.ts"

/** The interval of that text. */
export const intervalOf = (text: string): Interval.Interval => Option.getOrThrow(Interval.parse(text))

/** Conforms minute bars of prices and volume without a finding, unless told otherwise. */
export const options: ConformOptions = {
  schema: ohlcv,
  interval: intervalOf("1m"),
  source: "binance",
  ingestAtMs: 1_763_800_000_000,
  jobId: "job-1",
  flags: 0,
  // prices that laws draw are no market's
  quality: { rules: [], problems: [] }
}

/** What is found in rows that are as the schema has them. */
export const nothingFound: ConformanceReport = {
  rows: 0,
  movedToBar: 0,
  outOfOrderCount: 0,
  lateCount: 0,
  droppedCount: 0,
  gaveWayCount: 0,
  rolledUpCount: 0,
  lossCount: 0,
  defaultCount: 0,
  absentColumns: [],
  ambiguousTimeCount: 0,
  nonexistentTimeCount: 0,
  findings: []
}

/** What `rows` are conformed to; a failure fails the test. */
export const conformed = (rows: RawRows, changes: Partial<ConformOptions> = {}): Conformed =>
  Result.getOrThrow(conform(rows, { ...options, ...changes }))

/** Minute bars at the given minutes, each a single price; the price of a minute is its own number unless given. */
export const flatBars = (minutes: ReadonlyArray<number>, prices = minutes): RawRows => ({
  eventTime: Float64Array.from(minutes, (minute) => minute * 60_000),
  columns: fieldNames(ohlcv).map((name) => ({ name, values: Float64Array.from(prices) }))
})

/** The rows named by `order`, in that order; memory of its own. */
export const pickRows = (rows: RawRows, order: ReadonlyArray<number>): RawRows => ({
  eventTime: Float64Array.from(order, (row) => Number(rows.eventTime[row])),
  columns: rows.columns.map(({ name, values }) => ({
    name,
    values: Float64Array.from(order, (row) => Number(values[row]))
  }))
})

/** A frame as a source would give it. */
export const rawOf = (frame: Frame): RawRows => ({ eventTime: frame.eventTimeMs, columns: floatColumns(frame) })

/**
 * A decimal as markets print them. The sums of all that one law draws have float64s of their own: at most 15 digits.
 */
export const decimal = fc
  .tuple(fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 0, max: 6 }))
  .map(([digits, places]) => Number(`${digits}e-${places}`))

const bar = fc.tuple(fc.integer({ min: -200, max: 200 }), decimal, decimal, decimal, decimal, decimal)

/** Bars in any order, some of one minute. */
export const rawRows: fc.Arbitrary<RawRows> = fc.array(bar, { maxLength: 30 }).map((bars) => ({
  eventTime: Float64Array.from(bars, ([minute]) => minute * 60_000),
  columns: fieldNames(ohlcv).map((name, index) => ({
    name,
    values: Float64Array.from(bars, (values) => values[index + 1]!)
  }))
}))

/** A sealed frame of minute bars without flags. */
export const sealedFrame: fc.Arbitrary<Frame> = rawRows.map((rows) => {
  const { frame } = conformed(rows)
  return { ...frame, flags: new Uint32Array(frame.flags.length) }
})

/** The numbers `0 … count - 1` in an order drawn by `seed`. */
export const shuffled = (count: number, seed: number): ReadonlyArray<number> => {
  const order = Array.from({ length: count }, (_, index) => index)
  return fc.sample(fc.shuffledSubarray(order, { minLength: count, maxLength: count }), { seed, numRuns: 1 })[0]!
}
