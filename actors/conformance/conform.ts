/**
 * How do a source's rows become a sealed frame?
 *
 * The steps in their order; each is a file of its own. Rows are conformed once, where they enter.
 */
import { Result } from "effect"
import { pickFloats } from "../../protocol/frame/ColumnRows.ts"
import { type ConformanceRules, latenessBars, rulesOf, stampAheadMs } from "../../protocol/frame/ConformanceRules.ts"
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import { type Frame, within } from "../../protocol/frame/Frame.ts"
import { planQuality, type QualityPlan } from "../../protocol/frame/planQuality.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import type * as Findings from "../../protocol/history/Findings.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { alignToInterval } from "./alignToInterval.ts"
import { barsOfTrades, castTrades } from "./barsOfTrades.ts"
import { type Batch, pick, reversed } from "./Batch.ts"
import { castColumns } from "./castColumns.ts"
import { type Carried, checkQuality } from "./checkQuality.ts"
import { ConformanceFailed, runStep } from "./ConformanceFailed.ts"
import type { ConformanceReport } from "./ConformanceReport.ts"
import { markDuplicates } from "./markDuplicates.ts"
import { markOutOfOrder, sortLate } from "./markOutOfOrder.ts"
import { markSuspect } from "./markSuspect.ts"
import { rollUpRows } from "./rollUpRows.ts"
import { seal } from "./seal.ts"
import { tellSteps, timesOf, type Touched } from "./tellSteps.ts"
import { toUtc } from "./toUtc.ts"

/** What the rows are to become, and where they come from. */
export interface ConformOptions {
  readonly schema: DataSchema
  readonly interval: Interval
  /** How the rows are to be read; the defaults without them. */
  readonly rules?: ConformanceRules
  /** Name of the source in the configuration. */
  readonly source: string
  readonly ingestAtMs: number
  /** The backfill job that fetched the rows; empty where no job did. */
  readonly jobId: string
  /** Bits of `RowFlag` that hold for every row. */
  readonly flags: number
  /** What is checked of the rows; what the rules say without it. */
  readonly quality?: QualityPlan
  /**
   * The time that the source was asked about: bars before it are left out, and quality rules look at those within it
   * alone. All bars are taken without it.
   */
  readonly asked?: Range
  /** The time of a range in which the market is closed, for rules that count bars; none without it. */
  readonly closedIn?: (range: Range) => RangeSet.RangeSet
  /** What an earlier page of the same answer left, for rules that look at the rows before. */
  readonly carried?: Carried | undefined
}

/** A sealed frame beside what was found on the way to it. */
export interface Conformed {
  readonly frame: Frame
  readonly report: ConformanceReport
  /** What the next page of the same answer has to know. */
  readonly carried: Carried
  /** Bars that have no row since all that were given of them were left out as late: nothing proves them empty. */
  readonly lost: RangeSet.RangeSet
  /** What the steps did to rows, by their bars. */
  readonly steps: Findings.Findings
}

/** Rows after a step, and what it found. */
interface Stage<Found> {
  readonly batch: Batch
  readonly found: Found
  readonly touched: Touched
}

type Staged<Key extends keyof ConformanceReport> = Result.Result<Stage<Pick<ConformanceReport, Key>>, ConformanceFailed>

/** With the time of the row at fault: of a page nobody has seen its number says little. */
const timed =
  (rows: RawRows, { time }: ConformanceRules) =>
  (failure: ConformanceFailed): ConformanceFailed => {
    const { column, message, row, step } = failure
    if (row === undefined) return failure
    const times = Result.getOrUndefined(runStep("toUtc", () => toUtc(rows.eventTime, time)))
    const timeMs = times?.timeMs[row]
    if (timeMs === undefined) return failure
    const told = `${message} (in the row of ${isoTime(timeMs)})`
    return new ConformanceFailed({ step, row, message: told, ...(column !== undefined && { column }) })
  }

const entered = (
  rows: RawRows,
  { flags, schema }: ConformOptions,
  rules: ConformanceRules
): Staged<"absentColumns" | "lossCount" | "defaultCount" | "ambiguousTimeCount" | "nonexistentTimeCount"> =>
  Result.gen(function* () {
    const isTrades = rules.rollUp === "trades"
    const cast = runStep("castColumns", () => (isTrades ? castTrades(rows, rules) : castColumns(rows, schema, rules)))
    const { columns, defaultRows, lossRows, ...found } = yield* Result.mapError(cast, timed(rows, rules))
    const times = yield* runStep("toUtc", () => toUtc(rows.eventTime, rules.time))
    const batch = { eventTimeMs: times.timeMs, columns, flags: new Uint32Array(times.timeMs.length).fill(flags) }
    const { ambiguousCount: ambiguousTimeCount, decidedRows, nonexistentCount: nonexistentTimeCount, timeMs } = times
    // the last millisecond of a bar that is stamped with its end is within it
    const within = rules.time?.stamped === "close" ? timeMs.map((time) => time - 1) : timeMs
    return {
      batch: rules.order === "newestFirst" ? reversed(batch) : batch,
      found: { ...found, ambiguousTimeCount, nonexistentTimeCount },
      touched: {
        loss: timesOf(lossRows, within),
        default: timesOf(defaultRows, within),
        decidedTime: timesOf(decidedRows, within)
      }
    }
  })

/** The rows at the start of their bars; those that are still to be rolled up keep their places within them. */
const placed = (
  batch: Batch,
  interval: Interval,
  { rollUp = "none", time }: ConformanceRules
): Staged<"movedToBar"> => {
  const isShifted = stampAheadMs(time) > 0
  if (rollUp !== "none" && !isShifted) return Result.succeed({ batch, found: { movedToBar: 0 }, touched: {} })
  // a row at the end of a bar is part of it, and a millisecond before that it is within it
  const finest = { text: "1ms", lengthMs: 1, anchorMs: 0 }
  const bar = rollUp === "none" ? interval : finest
  const { eventTimeMs, movedToBar } = alignToInterval(batch.eventTimeMs, bar, time?.stamped)
  const offsetMs = isShifted ? bar.lengthMs : 0
  const isMoved = (timeMs: number, row: number): boolean => timeMs + offsetMs !== batch.eventTimeMs[row]
  const touched = { movedToBar: movedToBar === 0 ? [] : eventTimeMs.filter(isMoved) }
  return Result.succeed({ batch: { ...batch, eventTimeMs }, found: { movedToBar }, touched })
}

/** The rows that were left out, by their times. */
interface Dropped {
  readonly droppedMs: Float64Array
}

const noneDropped: Dropped & { readonly touched: Touched } = { droppedMs: new Float64Array(0), touched: {} }

/** The rows that are on time, or that the rules keep although they are late. Marks before any row is left out. */
const punctual = (
  batch: Batch,
  interval: Interval,
  { lateness = {} }: ConformanceRules
): Result.Result<
  Stage<Pick<ConformanceReport, "outOfOrderCount" | "lateCount" | "droppedCount">> & Dropped,
  ConformanceFailed
> => {
  const { bars = latenessBars, beyond = "keep" } = lateness
  const allowedMs = bars * interval.lengthMs
  const found = markOutOfOrder(batch, allowedMs)
  if (found.lateCount === 0) return Result.succeed({ batch, found: { ...found, droppedCount: 0 }, ...noneDropped })
  if (beyond === "fail") {
    const message = `${found.lateCount} rows are more than ${bars} bars behind a row before them`
    return Result.fail(new ConformanceFailed({ step: "markOutOfOrder", message }))
  }
  const { late, punctual: rows } = sortLate(batch.eventTimeMs, allowedMs)
  const lateMs = pickFloats(batch.eventTimeMs, late)
  if (beyond === "keep") {
    return Result.succeed({ batch, found: { ...found, droppedCount: 0 }, ...noneDropped, touched: { late: lateMs } })
  }
  const touched = { late: lateMs, dropped: lateMs }
  return Result.succeed({
    batch: pick(batch, rows),
    found: { ...found, droppedCount: late.length },
    droppedMs: lateMs,
    touched
  })
}

/** The bars of rows that were left out, but for those that have a row nevertheless. */
const lostBars = (droppedMs: Float64Array, interval: Interval, { eventTimeMs }: Frame): RangeSet.RangeSet => {
  if (droppedMs.length === 0) return RangeSet.empty
  const present = new Set(eventTimeMs)
  const starts = Array.from(droppedMs, (timeMs) => alignDown(interval, timeMs)).filter((start) => !present.has(start))
  return RangeSet.make(starts.map((start): Range => [start, start + interval.lengthMs]))
}

/** The column that decides between rows of one time, where the rules let one decide. */
export const decidingColumn = ({ conflict, versionColumn = "version" }: ConformanceRules): string | undefined =>
  conflict === "version" ? versionColumn : undefined

/** The rows as bars, where the rules make bars of finer rows. */
const rolledUp = (
  batch: Batch,
  { interval, schema }: ConformOptions,
  rules: ConformanceRules
): Staged<"gaveWayCount" | "rolledUpCount"> => {
  const { rollUp = "none" } = rules
  if (rollUp === "none") return Result.succeed({ batch, found: { gaveWayCount: 0, rolledUpCount: 0 }, touched: {} })
  const bars =
    rollUp === "trades"
      ? barsOfTrades(batch, interval, schema, rules)
      : rollUpRows(batch, interval, schema, decidingColumn(rules))
  return Result.map(bars, ({ batch: made, gaveWayCount }) => ({
    batch: made,
    found: {
      gaveWayCount,
      rolledUpCount: batch.eventTimeMs.length - gaveWayCount - made.eventTimeMs.length
    },
    touched: {}
  }))
}

/**
 * The rows as a sealed frame: the schema's columns in their types, one row a bar, strictly ascending, with flags and
 * lineage.
 *
 * Never writes into `rows`. Typed arrays that are clean already are passed on uncopied, so whoever gave them no longer
 * writes to them. Fails as the steps do, and where one of them breaks off: nothing passes unchecked.
 */
export const conform = (rows: RawRows, options: ConformOptions): Result.Result<Conformed, ConformanceFailed> =>
  Result.gen(function* () {
    const { asked = [-Infinity, Infinity], carried, closedIn, ingestAtMs, interval, jobId, schema, source } = options
    const rules = rulesOf(options.rules ?? {}, source)
    const given = yield* entered(rows, options, rules)
    const inBars = yield* runStep("alignToInterval", () => placed(given.batch, interval, rules))
    // before duplicates are dropped: a repeated row says as much about the source's order as any other
    const onTime = yield* runStep("markOutOfOrder", () => punctual(inBars.batch, interval, rules))
    const bars = yield* runStep("rollUp", () => rolledUp(onTime.batch, options, rules))
    const kept = yield* runStep("markDuplicates", () =>
      Result.succeed(markDuplicates(bars.batch, decidingColumn(rules)))
    )
    const sealed = yield* runStep("seal", () =>
      Result.succeed(seal(bars.batch, kept.rows, { source, ingestAtMs, jobId }))
    )
    const frame = within(sealed, asked[0], Infinity)
    const quality = options.quality ?? planQuality(rules.quality ?? [], { schema, intervalMs: interval.lengthMs })
    // also those that were left out as late: what a source gives says how it is doing
    const context = { interval, givenMs: inBars.batch.eventTimeMs, asked, carried, ...(closedIn && { closedIn }) }
    const checked = yield* runStep("checkQuality", () => checkQuality(within(frame, ...asked), quality, context))
    const gaveWayCount = bars.found.gaveWayCount + kept.gaveWayCount
    const found = { ...given.found, ...inBars.found, ...onTime.found, ...bars.found, findings: checked.findings }
    const report = { ...found, rows: frame.eventTimeMs.length, gaveWayCount }
    const steps = tellSteps({ ...given.touched, ...inBars.touched, ...onTime.touched }, interval)
    const lost = lostBars(onTime.droppedMs, interval, frame)
    const suspect = RangeSet.unionAll(checked.findings.map(({ ranges }) => ranges))
    return { frame: markSuspect(frame, suspect), report, carried: checked.carried, lost, steps }
  })
