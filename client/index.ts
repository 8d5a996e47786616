/**
 * What does a program outside the cluster import?
 *
 * `connect` gives a client whose calls are plain promises; nothing of Effect is needed to use it.
 */
export { connect, type ConnectOptions } from "./connect.ts"
export type { Read, SeamlessClient } from "./SeamlessClient.ts"
export type { ErrorFields, ErrorTag } from "./ErrorFields.ts"
export { type Refusal, SeamlessError } from "./SeamlessError.ts"
export type { Asked, CoverageOptions, DiffOptions, EnsureOptions, ReadOptions, Time } from "./requestBody.ts"
export type { CoverageChange } from "./CoverageChange.ts"
export type { OneRead, ReadManyOptions, ReadOutcome } from "./readMany.ts"
export type { HistoryStream, StreamOptions } from "./stream.ts"
export type { Sequence } from "./toIterable.ts"
export type { Watched, WatchOptions } from "./watch.ts"
export type { CallOptions } from "./toPromise.ts"
export type { ReadExplanation } from "./explain.ts"
export type { ColumnValues, HistoryFrame } from "./HistoryFrame.ts"
export type {
  AvailabilityResult,
  CoverageReport,
  Health,
  HistoryMeta,
  HistoryResult,
  RefusedMeta
} from "./HistoryResult.ts"
export type { BarChange } from "../protocol/history/BarChange.ts"
export type { HistoryDiff } from "../protocol/history/HistoryDiff.ts"
export type { MissingRange, MissingState } from "../protocol/history/MissingRange.ts"
export type { Range } from "../protocol/history/Range.ts"
export type { SlaPolicy } from "../protocol/history/SlaPolicy.ts"
export type { Strategy } from "../protocol/history/Strategy.ts"
