/**
 * What of the protocol does a program outside use?
 *
 * Everything that is on the wire: shapes, names, bytes, and the algebra of covered time. A file that is a set of
 * functions around one thing comes as a namespace of that thing's name.
 */
export * as Settings from "./Settings.ts"
export { SchemaSettings } from "./SchemaSettings.ts"

export { Field, fieldNames, DataSchema, ohlcv, reservedColumns } from "./frame/DataSchema.ts"
export {
  type BoolColumn,
  type CategoryColumn,
  type Column,
  type ColumnType,
  columnTypes,
  type FloatColumn,
  type IntColumn,
  missing,
  type TimeColumn
} from "./frame/Column.ts"
export * as Category from "./frame/Category.ts"
export { ConformanceRules } from "./frame/ConformanceRules.ts"
export { QualityRule, QualityRules } from "./frame/QualityRules.ts"
export type { RawColumn, RawRows } from "./frame/RawRows.ts"
export { contentHash } from "./frame/contentHash.ts"
export { RowFlag, rowFlagNames } from "./frame/RowFlag.ts"
export * as Frame from "./frame/Frame.ts"
export * as FrameCodec from "./frame/FrameCodec.ts"
export * as FrameJson from "./frame/FrameJson.ts"
export * as Lineage from "./frame/Lineage.ts"

export { AsOf } from "./history/AsOf.ts"
export * as BackfillErrors from "./history/BackfillErrors.ts"
export * as BackfillJob from "./history/BackfillJob.ts"
export { BackfillPlan, SourcePlan } from "./history/BackfillPlan.ts"
export * as Chunk from "./history/Chunk.ts"
export * as CoveragePage from "./history/CoveragePage.ts"
export * as CoverageRoot from "./history/CoverageRoot.ts"
export * as InlineCoverage from "./history/InlineCoverage.ts"
export * as Interval from "./history/Interval.ts"
export * as MissingRange from "./history/MissingRange.ts"
export * as NamedBackfill from "./history/NamedBackfill.ts"
export { type Cost, planBackfill, type SourceLimits } from "./history/planBackfill.ts"
export * as RangeMeasure from "./history/RangeMeasure.ts"
export * as RangePairs from "./history/RangePairs.ts"
export * as RangeSet from "./history/RangeSet.ts"
export * as SlaPolicy from "./history/SlaPolicy.ts"
export * as Strategy from "./history/Strategy.ts"
export * as Watermarks from "./history/Watermarks.ts"
export * as Window from "./history/Window.ts"
export { isRange, type Range } from "./history/Range.ts"
export { Series, seriesText } from "./history/Series.ts"
export { BudgetUnavailable } from "./history/BudgetUnavailable.ts"
export * as HistoryErrors from "./history/Errors.ts"
export { BarChange } from "./history/BarChange.ts"
export { DiffRequest, HistoryDiff } from "./history/HistoryDiff.ts"
export { Align, CoverageRequest, EnsureRequest, HistoryRequest } from "./history/HistoryRequest.ts"
export {
  AvailabilityResult,
  CoverageReport,
  EnsuredJob,
  HistoryMeta,
  type HistoryResult,
  PhaseReport,
  SlaReport,
  SlaViolation,
  SourceOutcome
} from "./history/HistoryResult.ts"
export { UnknownPoint } from "./history/UnknownPoint.ts"
export { FindingSummary, QualitySummary, StrictFinding } from "./history/QualitySummary.ts"

export * as ActorMessage from "./wire/ActorMessage.ts"
export * as AdminErrors from "./wire/AdminErrors.ts"
export { adminVerbs, type AdminVerb } from "./messages/Admin.ts"
export * as Codec from "./wire/Codec.ts"
export * as Manifest from "./wire/Manifest.ts"
export * as Stream from "./wire/Stream.ts"
export * as Subject from "./wire/Subject.ts"
export * as Token from "./wire/Token.ts"
export * as WireErrors from "./wire/Errors.ts"
export { errorCode, errorCodes } from "./wire/errorCodes.ts"
export { type Invariant, invariants } from "./wire/Invariant.ts"
export { arrowMetaKey, Header, MediaType } from "./wire/Header.ts"
export { Address, addressText, Envelope } from "./wire/Envelope.ts"
