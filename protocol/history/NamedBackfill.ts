/**
 * What is a backfill that has a name, and how far has it come?
 *
 * An operator's order to bring all of a range, kept in a record until it is done or cancelled. The coverage of the
 * series says what is left of it; the record says what coverage can't: what was ordered, by whom, and what became of
 * the windows that can't be filled.
 */
import { Schema } from "effect"
import { JobClass } from "./BackfillJob.ts"
import { Pairs } from "./RangePairs.ts"

/** The name of a backfill: it is the key of an actor, and is typed by people. */
export const BackfillName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9._-]{1,64}$/, { message: 'is 1 to 64 letters, digits, ".", "_" or "-"' })
)

/** Which windows come first. */
export const BackfillOrder = Schema.Literals(["oldest_first", "newest_first"])
export type BackfillOrder = typeof BackfillOrder.Type

/** Where it stands; `cancelled` and `done` are for good. */
export const BackfillStatus = Schema.Literals(["running", "paused", "cancelled", "done"])
export type BackfillStatus = typeof BackfillStatus.Type

/** What was ordered. */
export const BackfillSpec = Schema.Struct({
  nodeId: Schema.String,
  interval: Schema.String,
  start: Schema.Int,
  end: Schema.Int,
  order: BackfillOrder,
  /** The class of its jobs. */
  jobClass: JobClass
})
export type BackfillSpec = typeof BackfillSpec.Type

/** How far it has come. A bar is left until it is covered, or known not to be had. */
export const BackfillFigures = Schema.Struct({
  /** When this was so, in epoch milliseconds. */
  at: Schema.Finite,
  /** Bars and windows of the whole range. */
  bars: Schema.Int,
  windows: Schema.Int,
  leftBars: Schema.Int,
  leftWindows: Schema.Int,
  /** Of the bars that are left: those that may not be asked for yet. */
  deferredBars: Schema.Int,
  /** Of those that are not: bars that no source has, and bars that wait for an operator. */
  unavailableBars: Schema.Int,
  quarantinedBars: Schema.Int
})
export type BackfillFigures = typeof BackfillFigures.Type

/** A window that failed and is tried again. */
export const FailingWindow = Schema.Struct({
  windowStart: Schema.Finite,
  /** Runs in a row that failed. */
  attempts: Schema.Int,
  /** The tag, the message and the source of the last failure. */
  tag: Schema.String,
  message: Schema.String,
  source: Schema.String,
  /** Epoch milliseconds; null where a run is under way. */
  nextAttemptAt: Schema.NullOr(Schema.Finite)
})
export type FailingWindow = typeof FailingWindow.Type

/** What everybody is told about it. */
export const BackfillSummary = Schema.Struct({
  name: Schema.String,
  ...BackfillSpec.fields,
  status: BackfillStatus,
  createdAt: Schema.Finite,
  /** The operator who created it. */
  by: Schema.String,
  /** When it came to stand where it does, and by whom; it pauses and ends by itself, too, as `seamless`. */
  changedAt: Schema.Finite,
  changedBy: Schema.String,
  /** Why it does not go on, where that needs to be told; else empty. */
  reason: Schema.String,
  figures: BackfillFigures
})
export type BackfillSummary = typeof BackfillSummary.Type

/** All that is told about it. */
export const BackfillReport = Schema.Struct({
  ...BackfillSummary.fields,
  /** Over the last minute; null where it is not known yet. */
  barsPerSecond: Schema.NullOr(Schema.Finite),
  /** Until nothing is left that may be asked for now, at that rate. */
  secondsLeft: Schema.NullOr(Schema.Finite),
  /** Windows that were asked for and are under way, or wait to be tried again. */
  outstandingWindows: Schema.Int,
  /** How many of these have failed; the first of them. */
  failingWindows: Schema.Int,
  failing: Schema.Array(FailingWindow),
  /** The first ranges that wait for an operator. */
  quarantinedRanges: Schema.Array(Schema.Tuple([Schema.Finite, Schema.Finite])),
  /** When it looks again, in epoch milliseconds, where that is not at once; null else. */
  waitsUntil: Schema.NullOr(Schema.Finite)
})
export type BackfillReport = typeof BackfillReport.Type

/** The stored record. */
export const NamedBackfill = Schema.Struct({
  format: Schema.Literal(1),
  ...BackfillSummary.fields,
  failing: Schema.Array(FailingWindow),
  /** Time of windows whose jobs are quarantined, which the root of the series need not know. */
  quarantined: Pairs
})
export type NamedBackfill = typeof NamedBackfill.Type

/** What was ordered by a record or a report of it. */
export const specOf = ({ end, interval, jobClass, nodeId, order, start }: BackfillSpec): BackfillSpec => ({
  nodeId,
  interval,
  start,
  end,
  order,
  jobClass
})
