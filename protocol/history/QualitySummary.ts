/** What did conformance find in the rows of an answer, as its reader sees it? */
import { Schema } from "effect"
import { MissingRange } from "./MissingRange.ts"

/** What a strict demand came to, where the reader asked to be told instead of refused. */
export const StrictFinding = Schema.Struct({
  expectedBars: Schema.Finite,
  gotBars: Schema.Finite,
  missingRanges: Schema.Array(MissingRange)
})

/** What one quality rule found in the bars of an answer. */
export const FindingSummary = Schema.Struct({
  /** The bars, all of them. */
  count: Schema.Finite,
  /** Whether they are among the rows, marked SUSPECT, or kept out of them. */
  severity: Schema.Literals(["flag", "quarantine"]),
  /** The times of the first few of them. */
  examples: Schema.Array(Schema.Finite)
})
export type FindingSummary = typeof FindingSummary.Type

/** The bars to whose rows one step of conformance did something. */
const StepSummary = Schema.Struct({
  /** The bars, all of them. */
  count: Schema.Finite,
  /** The times of the first few of them. */
  examples: Schema.Array(Schema.Finite)
})

/** Counts over the rows of one answer. */
export const QualitySummary = Schema.Struct({
  rows: Schema.Finite,
  /** Bars of the range that are to have a row: neither known empty, nor unavailable, nor closed and not covered. */
  expectedBars: Schema.Finite,
  /** Covered bars in which nothing was traded. */
  knownEmptyBars: Schema.Finite,
  /** Ranges that are not covered. */
  gapCount: Schema.Finite,
  /** Rows that a source gave behind a later one: they are flagged OUT_OF_ORDER. */
  outOfOrderCount: Schema.Finite,
  /** Rows that a source gave again with other values: the one that stands is flagged DUPLICATE. */
  duplicateCount: Schema.Finite,
  /** By the name of a count of rows that is not 0, the times of the first few of them. */
  examples: Schema.optionalKey(Schema.Record(Schema.String, Schema.Array(Schema.Finite))),
  /** What quality rules found, by the rule's name; absent where they found nothing. */
  findings: Schema.optionalKey(Schema.Record(Schema.String, FindingSummary)),
  /** What conforming did to rows, by step; absent where it did nothing but check them. */
  conformed: Schema.optionalKey(Schema.Record(Schema.String, StepSummary)),
  /** Known empty bars that have a row in this answer nevertheless, because it was asked for; not among `rows`. */
  forwardFilledBars: Schema.optionalKey(Schema.Finite),
  strict: Schema.optionalKey(StrictFinding)
})
export type QualitySummary = typeof QualitySummary.Type
