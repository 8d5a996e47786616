/** What of a series' bars differs between two versions of its coverage? */
import { Schema } from "effect"
import { BarChange } from "./BarChange.ts"
import { NodeId, SourcePriority } from "./requestTexts.ts"

const Version = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** Bars that are told at once. */
const limitMax = 1000

/** A request for what differs between two versions, of all time or of a range. */
export const DiffRequest = Schema.Struct({
  nodeId: NodeId,
  interval: Schema.String,
  fromVersion: Version,
  toVersion: Version,
  /** Epoch milliseconds, half-open; both or neither. `start` alone goes on where an answer before ended. */
  start: Schema.optionalKey(Schema.Int),
  end: Schema.optionalKey(Schema.Int),
  sourcePriority: Schema.optionalKey(SourcePriority),
  /** So many bars at most; 100 without it. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: limitMax })))
})
export type DiffRequest = typeof DiffRequest.Type

const Point = Schema.Struct({ version: Schema.Int, committedAt: Schema.Finite })

/** What differs. */
export const HistoryDiff = Schema.Struct({
  nodeId: Schema.String,
  interval: Schema.String,
  from: Point,
  to: Point,
  /** In the order of time. */
  changes: Schema.Array(BarChange),
  /** Windows whose chunks are not the same, and how many of them were looked into for this answer. */
  windows: Schema.Struct({ differing: Schema.Int, looked: Schema.Int }),
  /** Bars that differ in the windows that were looked into, and are not told here. */
  barsLeft: Schema.Int,
  /** The `start` with which the rest is told; null where nothing is left. */
  next: Schema.NullOr(Schema.Finite)
})
export type HistoryDiff = typeof HistoryDiff.Type
