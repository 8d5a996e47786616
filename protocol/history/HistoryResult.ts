/** What does a caller get? */
import { Schema } from "effect"
import type { Frame } from "../frame/Frame.ts"
import { MissingRange } from "./MissingRange.ts"
import { QualitySummary } from "./QualitySummary.ts"
import { Pairs } from "./RangePairs.ts"
import { Strategy } from "./Strategy.ts"
import { UnsettledRange } from "./Unsettled.ts"
import { Watermarks } from "./Watermarks.ts"

/** How one phase used its time, in milliseconds. */
export const PhaseReport = Schema.Struct({
  budgetMs: Schema.Finite,
  waitedMs: Schema.Finite,
  timedOut: Schema.Boolean,
  retries: Schema.Finite
})
export type PhaseReport = typeof PhaseReport.Type

/** The demand that was not met. */
export const SlaViolation = Schema.Struct({
  phase: Schema.String,
  budgetMs: Schema.Finite,
  waitedMs: Schema.Finite,
  /** When asking again makes sense; null where nobody knows. */
  retryAfterMs: Schema.NullOr(Schema.Finite)
})
export type SlaViolation = typeof SlaViolation.Type

/** How an answer used its time. */
export const SlaReport = Schema.Struct({
  totalDeadlineMs: Schema.NullOr(Schema.Finite),
  elapsedMs: Schema.Finite,
  phases: Schema.Record(Schema.String, PhaseReport),
  violation: Schema.NullOr(SlaViolation)
})
export type SlaReport = typeof SlaReport.Type

/** What became of asking one source. */
export const SourceOutcome = Schema.Struct({
  outcome: Schema.Literals(["ok", "timed_out", "failed", "not_asked"]),
  /** Requests that it was sent in the runs of jobs that this answer rests on, also before this was asked. */
  requests: Schema.optionalKey(Schema.Finite),
  /** Stored chunks of rows that it gave for this answer; of the cache and the store of the host that answers. */
  chunks: Schema.optionalKey(Schema.Finite),
  error: Schema.optionalKey(Schema.Struct({ tag: Schema.String, message: Schema.String }))
})
export type SourceOutcome = typeof SourceOutcome.Type

/** The account of an answer. */
export const HistoryMeta = Schema.Struct({
  strategy: Strategy,
  strict: Schema.Boolean,
  requestId: Schema.String,
  traceId: Schema.String,
  spanId: Schema.String,
  coverageRanges: Pairs,
  missingRanges: Schema.Array(MissingRange),
  /** Per source, the ranges whose rows are its. */
  sourceContributions: Schema.Record(Schema.String, Pairs),
  sourceOutcomes: Schema.Record(Schema.String, SourceOutcome),
  watermarks: Watermarks,
  slaReport: SlaReport,
  qualitySummary: QualitySummary,
  coverageVersion: Schema.Int,
  /** How old the coverage is that was answered by, in milliseconds; only where what stands could not be read. */
  staleMs: Schema.optionalKey(Schema.Finite),
  /** Depends on the series, the range, its coverage and the values: not on how or when they came. */
  fingerprint: Schema.String,
  notes: Schema.Array(Schema.String)
})
export type HistoryMeta = typeof HistoryMeta.Type

const { fingerprint, qualitySummary, sourceContributions } = HistoryMeta.fields

/** The account of a read that was refused; of one that was refused before its rows it lacks what only these tell. */
export const RefusedMeta = Schema.Struct({
  ...HistoryMeta.fields,
  sourceContributions: Schema.optionalKey(sourceContributions),
  qualitySummary: Schema.optionalKey(qualitySummary),
  fingerprint: Schema.optionalKey(fingerprint)
})
export type RefusedMeta = typeof RefusedMeta.Type

/** Bars, and the account of them. */
export interface HistoryResult {
  readonly df: Frame
  readonly meta: HistoryMeta
}

/** What `ensureAvailable` did about one window. */
export const EnsuredJob = Schema.Struct({
  windowStart: Schema.Finite,
  run: Schema.Int,
  state: Schema.String
})
export type EnsuredJob = typeof EnsuredJob.Type

/** What is available after `ensureAvailable`. */
export const AvailabilityResult = Schema.Struct({
  /** Whether all of the range is covered, but for what is unavailable. */
  available: Schema.Boolean,
  coverageRanges: Pairs,
  missingRanges: Schema.Array(MissingRange),
  jobs: Schema.Array(EnsuredJob),
  sourceOutcomes: Schema.Record(Schema.String, SourceOutcome),
  slaReport: SlaReport,
  coverageVersion: Schema.Int,
  requestId: Schema.String,
  notes: Schema.Array(Schema.String)
})
export type AvailabilityResult = typeof AvailabilityResult.Type

/** The coverage of a series, with its version. */
export const CoverageReport = Schema.Struct({
  nodeId: Schema.String,
  interval: Schema.String,
  coverageRanges: Pairs,
  missingRanges: Schema.Array(MissingRange),
  /** Covered bars that their source may still change, and how long after their end; absent where there are none. */
  unsettledRanges: Schema.optionalKey(Schema.Array(UnsettledRange)),
  watermarks: Watermarks,
  coverageVersion: Schema.Int,
  windowBars: Schema.Int
})
export type CoverageReport = typeof CoverageReport.Type
