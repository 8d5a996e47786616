/**
 * How fast are rows conformed, and how much memory does it take?
 *
 * Each step alone and all together, on bars that are clean and on those of a careless source, beside a plain copy of
 * the same arrays and beside a pipeline with an object for each row. The fingerprint of a long read is timed too.
 */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Option, Result } from "effect"
import { alignToInterval } from "../actors/conformance/alignToInterval.ts"
import { castColumns } from "../actors/conformance/castColumns.ts"
import { checkQuality } from "../actors/conformance/checkQuality.ts"
import { conform, type ConformOptions } from "../actors/conformance/conform.ts"
import { forwardFill } from "../actors/conformance/forwardFill.ts"
import { markDuplicates } from "../actors/conformance/markDuplicates.ts"
import { markOutOfOrder } from "../actors/conformance/markOutOfOrder.ts"
import { rollUpBars } from "../actors/conformance/rollUpBars.ts"
import { seal } from "../actors/conformance/seal.ts"
import { toUtc } from "../actors/conformance/toUtc.ts"
import { fingerprint } from "../actors/provider/fingerprint.ts"
import { contentHash } from "../protocol/frame/contentHash.ts"
import { type DataSchema, ohlcv } from "../protocol/frame/DataSchema.ts"
import * as Frame from "../protocol/frame/Frame.ts"
import { planQuality } from "../protocol/frame/planQuality.ts"
import type { RawRows } from "../protocol/frame/RawRows.ts"
import * as Interval from "../protocol/history/Interval.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import * as Window from "../protocol/history/Window.ts"
import { barMs, cleanRows, dirtyRows, richRows, textRows, tradeRows, type TypedRows } from "./conform/marketRows.ts"
import { conformObjects } from "./conform/objectPipeline.ts"
import { formatRatio, formatUs, medianUs, toTable, type Work } from "./support/measure.ts"

const usage = `usage: node bench/conform.ts [--once] [--rows N]

Times the steps of conformance and all of them, on N rows (default 1000000).

  --once    one iteration of each on 20000 rows, to see that it runs
  --rows N  how many rows
  --help    this text`

const interval = Option.getOrThrow(Interval.parse("1m"))
const options: ConformOptions = { schema: ohlcv, interval, source: "bench", ingestAtMs: 0, jobId: "", flags: 1 }

const five = Option.getOrThrow(Interval.parse("5m"))
const richSchema: DataSchema = {
  version: 1,
  fields: [
    ...ohlcv.fields,
    { name: "trades", type: "int64", required: false, rollUp: "count" },
    { name: "venue", type: "category", required: false, rollUp: "last" }
  ]
}

const whole = (rows: RawRows, changes: Partial<ConformOptions> = {}): Frame.Frame =>
  Result.getOrThrow(conform(rows, { ...options, ...changes })).frame

const bytesOf = (rows: TypedRows): number => rows.eventTime.byteLength * (1 + rows.columns.length)

const copy = ({ columns, eventTime }: TypedRows) => [eventTime.slice(), ...columns.map(({ values }) => values.slice())]

/** Both ways give the same rows. */
const checkEqual = (rows: TypedRows): void => {
  // the other way has no rules of quality
  const ours = whole(rows, { quality: { rules: [], problems: [] } })
  const theirs = conformObjects(rows, interval)
  assert.deepEqual(
    Array.from(ours.eventTimeMs),
    theirs.map(({ eventTime }) => eventTime)
  )
  assert.deepEqual(
    Array.from(ours.flags),
    theirs.map(({ flags }) => flags)
  )
  assert.deepEqual(
    Array.from<number | bigint>(ours.columns[3]!.values),
    theirs.map(({ close }) => close)
  )
}

/** Each step on what the steps before it give. */
const stepsOf = (rows: TypedRows): ReadonlyArray<readonly [name: string, work: Work]> => {
  const { columns } = Result.getOrThrow(castColumns(rows, ohlcv))
  const { timeMs } = Result.getOrThrow(toUtc(rows.eventTime))
  const { eventTimeMs } = alignToInterval(timeMs, interval)
  const flags = new Uint32Array(eventTimeMs.length)
  const batch = { eventTimeMs, columns, flags }
  const kept = markDuplicates(batch)
  const origin = { source: "bench", ingestAtMs: 0, jobId: "" }
  const sealed = seal(batch, kept.rows, origin)
  const quality = planQuality([], { schema: ohlcv, intervalMs: interval.lengthMs })
  return [
    ["castColumns", () => castColumns(rows, ohlcv)],
    ["toUtc", () => toUtc(rows.eventTime)],
    ["alignToInterval", () => alignToInterval(timeMs, interval)],
    ["markOutOfOrder", () => markOutOfOrder(batch, 2 * barMs)],
    ["markDuplicates", () => markDuplicates(batch)],
    ["seal", () => seal(batch, kept.rows, origin)],
    ["checkQuality", () => checkQuality(sealed, quality, { interval, givenMs: eventTimeMs })]
  ]
}

/** A step that passes arrays on touches no row: a rate would be one of nothing. */
const ratePerSecondMax = 1e10

const rate = (rows: number, us: number): string => {
  const perSecond = (rows / us) * 1e6
  return perSecond > ratePerSecondMax ? "–" : `${Number((perSecond / 1e6).toPrecision(3)).toLocaleString("en")} M`
}

const measure = (kind: string, rows: TypedRows, once: boolean): ReadonlyArray<ReadonlyArray<string>> => {
  const count = rows.eventTime.length
  const steps = stepsOf(rows)
  const works: ReadonlyArray<readonly [string, Work]> = [
    ...steps,
    ["all steps", () => whole(rows)],
    ["copy of the arrays", () => copy(rows)],
    ["objects, all steps", () => conformObjects(rows, interval)]
  ]
  const timesUs = medianUs(
    works.map(([, work]) => work),
    { once }
  )
  const copyUs = timesUs[steps.length + 1] ?? Number.NaN
  return works.map(([name], at) => {
    const us = timesUs[at] ?? Number.NaN
    return [`${kind}: ${name}`, count.toLocaleString("en"), formatUs(us), rate(count, us), formatRatio(us, copyUs)]
  })
}

/** Rows that have to be read or rolled up, which costs what their text or their sums cost. */
const measureOthers = (rows: number, once: boolean): ReadonlyArray<ReadonlyArray<string>> => {
  const clean = cleanRows(rows)
  const text = textRows(clean)
  const rich = richRows(clean)
  const { frame } = Result.getOrThrow(conform(rich, { ...options, schema: richSchema }))
  const covered = RangeSet.of(frame.eventTimeMs[0] ?? 0, (frame.eventTimeMs.at(-1) ?? 0) + barMs)
  const trades = tradeRows(rows)
  const works: ReadonlyArray<readonly [string, Work]> = [
    ["text: all steps", () => whole(text)],
    ["trades: all steps", () => whole(trades, { rules: { rollUp: "trades" } })],
    ["with int64 and category: all steps", () => whole(rich, { schema: richSchema })],
    ["with int64 and category: bars of 5m", () => rollUpBars(frame, five, richSchema.fields)],
    [
      "with int64 and category: forwardFill",
      () => forwardFill(frame, covered, { interval, fields: richSchema.fields })
    ],
    ["copy of the arrays", () => copy(clean)]
  ]
  const timesUs = medianUs(
    works.map(([, work]) => work),
    { once }
  )
  return works.slice(0, -1).map(([name], at) => {
    const us = timesUs[at] ?? Number.NaN
    return [name, rows.toLocaleString("en"), formatUs(us), rate(rows, us), formatRatio(us, timesUs.at(-1)!)]
  })
}

const measureMemory = (kind: string, rows: number): ReadonlyArray<string> => {
  const file = join(import.meta.dirname, "conform", "peakMemory.ts")
  const { stdout } = spawnSync(process.execPath, ["--expose-gc", file, kind, String(rows)], { encoding: "utf8" })
  const { grownBytes, inputBytes } = JSON.parse(stdout) as { grownBytes: number; inputBytes: number }
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  return [kind, mebibytes(inputBytes), mebibytes(grownBytes), `${(1 + grownBytes / inputBytes).toFixed(2)} ×`]
}

/** A read of 100,000 bars that begins and ends within windows, whose chunks have told their hashes. */
const measureFingerprint = (once: boolean): ReadonlyArray<ReadonlyArray<string>> => {
  const frame = whole(cleanRows(103_000))
  const start = frame.eventTimeMs[700]!
  const grid = Window.makeGrid(interval)
  const range = [start, start + 100_000 * barMs] as const
  const covered = RangeSet.of(...range)
  const windows = Window.split(grid, covered).map(({ windowStart }) => {
    const [from, to] = Window.windowRange(grid, windowStart)
    const part = Frame.within(frame, Math.max(from, range[0]), Math.min(to, range[1]))
    return { windowStart, part, isWhole: from >= range[0] && to <= range[1], contentHash: contentHash(part) }
  })
  const series = { nodeId: "ohlcv:binance:BTC/USDT", interval: "1m" }
  const known = () =>
    fingerprint(
      { series, range, covered },
      windows.map(({ contentHash: hash, isWhole, part, windowStart }) => ({
        windowStart,
        contentHash: isWhole ? hash : contentHash(part)
      }))
    )
  const afresh = () =>
    fingerprint(
      { series, range, covered },
      windows.map(({ part, windowStart }) => ({ windowStart, contentHash: contentHash(part) }))
    )
  assert.equal(known(), afresh())
  const [knownUs = 0, afreshUs = 0] = medianUs([known, afresh], { once })
  return [
    ["inner chunks known, both edges hashed", formatUs(knownUs), formatRatio(afreshUs, knownUs)],
    ["every row hashed", formatUs(afreshUs), "1.0 ×"]
  ]
}

const main = (rows: number, once: boolean): void => {
  const clean = cleanRows(rows)
  const dirty = dirtyRows(clean)
  checkEqual(clean)
  checkEqual(dirty)
  const table = [
    ...measure("clean", clean, once),
    ...measure("dirty", dirty, once),
    ...measureOthers(Math.min(rows, 200_000), once)
  ]
  console.log(toTable(["work", "rows", "time", "rows/s", "of a copy"], table))
  const megabytes = (bytesOf(clean) / 1e6).toFixed(0)
  console.log(`\nMemory at the peak of all steps, ${megabytes} MB given\n`)
  const memory = ["clean", "dirty"].map((kind) => measureMemory(kind, rows))
  console.log(toTable(["rows", "given", "added at the peak", "peak by given"], memory))
  console.log("\nFingerprint of a read of 100,000 bars\n")
  console.log(toTable(["what is known", "time", "faster than afresh"], measureFingerprint(once)))
}

const { values } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    rows: { type: "string", default: "1000000" },
    help: { type: "boolean", default: false }
  }
})

if (values.help) console.log(usage)
else main(values.once ? 20_000 : Number(values.rows), values.once)
