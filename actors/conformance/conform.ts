/**
 * How do a source's rows become a sealed frame?
 *
 * The steps in their order; each is a file of its own. Rows are conformed once, where they enter.
 */
import { Result } from "effect"
import { pickFloats } from "../../protocol/frame/ColumnRows.ts"
import { type ConformanceRules, latenessBars, rulesOf, stampAheadMs } from "../../protocol/frame/ConformanceRules.ts"
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { planQuality, type QualityPlan } from "../../protocol/frame/planQuality.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { alignToInterval } from "./alignToInterval.ts"
import { type Asked, asGiven, askedOf, barStarts, countedBack, pickRows } from "./askedRows.ts"
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
   * The time that the source was asked about, in whole bars: of rows beside it nothing is taken, and nothing looked at
   * but that they are there. All bars are taken without it.
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
  /** The starts of its bars, and of those behind the time that was asked about, ascending. */
  readonly bars: Float64Array
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

type Staged<Key extends keyof ConformanceReport, More = unknown> = Result.Result<
  Stage<Pick<ConformanceReport, Key>> & More,
  ConformanceFailed
>

/** When the rows were, and nothing else of them yet; the oldest first, or as they were given. */
const timed = (
  rows: RawRows,
  { flags }: ConformOptions,
  rules: ConformanceRules
): Staged<"ambiguousTimeCount" | "nonexistentTimeCount", { readonly withinMs: Float64Array }> =>
  Result.map(
    runStep("toUtc", () => toUtc(rows.eventTime, rules.time)),
    ({ ambiguousCount: ambiguousTimeCount, decidedRows, nonexistentCount: nonexistentTimeCount, timeMs }) => {
      const batch = { eventTimeMs: timeMs, columns: [], flags: new Uint32Array(timeMs.length).fill(flags) }
      // the last millisecond of a bar that is stamped with its end is within it
      const aheadMs = stampAheadMs(rules.time)
      const withinMs = aheadMs === 0 ? timeMs : timeMs.map((time) => time - aheadMs)
      return {
        batch: rules.order === "newestFirst" ? reversed(batch) : batch,
        found: { ambiguousTimeCount, nonexistentTimeCount },
        touched: { decidedTime: timesOf(decidedRows, withinMs) },
        withinMs
      }
    }
  )

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

/** Which rows are how far behind, of all that were given. Marks them before any is left out. */
const ordered = (batch: Batch, interval: Interval, { lateness: { bars = latenessBars } = {} }: ConformanceRules) => {
  const allowedMs = bars * interval.lengthMs
  const found = markOutOfOrder(batch, allowedMs)
  const late = found.lateCount === 0 ? new Uint32Array(0) : sortLate(batch.eventTimeMs, allowedMs).late
  return Result.succeed({ found, late: new Set(late) })
}

/** All rows that were given, in bars, as far as their times tell. */
interface Given {
  readonly all: Batch
  /** Those of them that are further behind than the rules allow, by number. */
  readonly late: ReadonlySet<number>
  /** Times within their bars, in the order in which they were given. */
  readonly withinMs: Float64Array
}

/** Which of the rows that were asked about are late, and what is known of the others. */
interface Beside {
  readonly late: Uint32Array
  /** The times of those behind the time that was asked about. */
  readonly besideMs: ReadonlyArray<number>
}

const besideOf = ({ all, late }: Given, order: Asked, start: number, isDropping: boolean): Beside => {
  if (order === "all") return { late: Uint32Array.from(late), besideMs: [] }
  const isTaken = new Set(order)
  const isThere = (row: number): boolean => !isTaken.has(row) && !(isDropping && late.has(row))
  return {
    late: Uint32Array.from(order.keys()).filter((place) => late.has(order[place]!)),
    besideMs: Array.from(all.eventTimeMs).filter((timeMs, row) => isThere(row) && !isRange(timeMs, start))
  }
}

/** The rows that were asked about, with their values. */
const wanted = (
  rows: RawRows,
  { asked: range = [-Infinity, Infinity], schema }: ConformOptions,
  given: Given,
  rules: ConformanceRules
): Staged<"absentColumns" | "lossCount" | "defaultCount", Beside> => {
  const asked = askedOf(given.withinMs, range)
  const taken = pickRows(rows, asked)
  const columns = runStep("castColumns", () =>
    rules.rollUp === "trades" ? castTrades(taken, rules) : castColumns(taken, schema, rules)
  ).pipe(Result.mapError((failed) => asGiven(failed, asked, (row) => given.withinMs[row]! + stampAheadMs(rules.time))))
  return Result.map(columns, ({ columns, defaultRows, lossRows, ...found }) => {
    const isBackwards = rules.order === "newestFirst"
    const order = isBackwards ? countedBack(asked, given.withinMs.length) : asked
    const times = order === "all" ? given.all : pick(given.all, order)
    const withinMs = asked === "all" ? given.withinMs : pickFloats(given.withinMs, asked)
    return {
      batch: { ...times, columns: isBackwards ? reversed({ ...times, columns }).columns : columns },
      found,
      touched: { loss: timesOf(lossRows, withinMs), default: timesOf(defaultRows, withinMs) },
      ...besideOf(given, order, range[0], rules.lateness?.beyond === "drop")
    }
  })
}

/** The rows that were left out, by their times. */
interface Dropped {
  readonly droppedMs: Float64Array
}

const noneDropped: Dropped = { droppedMs: new Float64Array(0) }

/** The rows that are on time, or that the rules keep although they are late; `late` has the numbers of those. */
const punctual = (
  batch: Batch,
  late: Uint32Array,
  { lateness: { bars = latenessBars, beyond = "keep" } = {} }: ConformanceRules
): Staged<"droppedCount", Dropped> => {
  if (late.length > 0 && beyond === "fail") {
    const message = `${late.length} rows are more than ${bars} bars behind a row before them`
    return Result.fail(new ConformanceFailed({ step: "markOutOfOrder", message }))
  }
  const lateMs = pickFloats(batch.eventTimeMs, late)
  if (late.length === 0 || beyond === "keep") {
    return Result.succeed({ batch, found: { droppedCount: 0 }, touched: { late: lateMs }, ...noneDropped })
  }
  const isLate = new Set(late)
  return Result.succeed({
    batch: pick(
      batch,
      Uint32Array.from(batch.eventTimeMs.keys()).filter((row) => !isLate.has(row))
    ),
    found: { droppedCount: late.length },
    touched: { late: lateMs, dropped: lateMs },
    droppedMs: lateMs
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
    const given = yield* timed(rows, options, rules)
    const inBars = yield* runStep("alignToInterval", () => placed(given.batch, interval, rules))
    // before duplicates are dropped: a repeated row says as much about the source's order as any other
    const { found: order, late } = yield* runStep("markOutOfOrder", () => ordered(inBars.batch, interval, rules))
    const taken = yield* wanted(rows, options, { all: inBars.batch, late, withinMs: given.withinMs }, rules)
    const onTime = yield* punctual(taken.batch, taken.late, rules)
    const bars = yield* runStep("rollUp", () => rolledUp(onTime.batch, options, rules))
    const kept = yield* runStep("markDuplicates", () =>
      Result.succeed(markDuplicates(bars.batch, decidingColumn(rules)))
    )
    const frame = yield* runStep("seal", () =>
      Result.succeed(seal(bars.batch, kept.rows, { source, ingestAtMs, jobId }))
    )
    const quality = options.quality ?? planQuality(rules.quality ?? [], { schema, intervalMs: interval.lengthMs })
    // also those that were left out as late: what a source gives says how it is doing
    const context = { interval, givenMs: inBars.batch.eventTimeMs, asked, carried, ...(closedIn && { closedIn }) }
    const checked = yield* runStep("checkQuality", () => checkQuality(frame, quality, context))
    const gaveWayCount = bars.found.gaveWayCount + kept.gaveWayCount
    const found = { ...given.found, ...inBars.found, ...order, ...taken.found, ...onTime.found, ...bars.found }
    const steps = tellSteps({ ...given.touched, ...inBars.touched, ...taken.touched, ...onTime.touched }, interval)
    const suspect = RangeSet.unionAll(checked.findings.map(({ ranges }) => ranges))
    return {
      frame: markSuspect(frame, suspect),
      bars: barStarts(frame.eventTimeMs, taken.besideMs, interval),
      report: { ...found, findings: checked.findings, rows: frame.eventTimeMs.length, gaveWayCount },
      carried: checked.carried,
      lost: lostBars(onTime.droppedMs, interval, frame),
      steps: Findings.intersect(steps, RangeSet.of(...asked))
    }
  })
