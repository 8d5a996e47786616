/**
 * What does a caller get?
 *
 * The account of an answer is plain data, as it is on the wire: ranges are `[start, end]` in epoch milliseconds.
 */
import { Schema } from "effect"
import * as protocol from "../protocol/history/HistoryResult.ts"
import type { HistoryFrame } from "./HistoryFrame.ts"

/** The account of an answer. */
export const HistoryMeta = Schema.toEncoded(protocol.HistoryMeta)
export type HistoryMeta = typeof HistoryMeta.Type

/** The account of a read that was refused; of one that was refused before its rows it lacks what only these tell. */
export const RefusedMeta = Schema.toEncoded(protocol.RefusedMeta)
export type RefusedMeta = typeof RefusedMeta.Type

/** What is available of a range, and what was done for it. */
export const AvailabilityResult = Schema.toEncoded(protocol.AvailabilityResult)
export type AvailabilityResult = typeof AvailabilityResult.Type

/** What is covered of a series, with the version of that coverage. */
export const CoverageReport = Schema.toEncoded(protocol.CoverageReport)
export type CoverageReport = typeof CoverageReport.Type

/** How the host that answered is: its status is `ok`, `draining`, `drained` or `suspended`. */
export const Health = Schema.Struct({
  status: Schema.String,
  /** Why it is not `ok`. */
  reason: Schema.optionalKey(Schema.String),
  /** Its label. */
  hostId: Schema.optionalKey(Schema.String)
})
export type Health = typeof Health.Type

/** Bars, and the account of them. */
export interface HistoryResult {
  readonly df: HistoryFrame
  readonly meta: HistoryMeta
}
