/** What of a series' bars differs between two versions of its coverage? */
import { Schema } from "effect"

const Version = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** Bars that are told at once. */
const limitMax = 1000

/** A request for what differs between two versions, of all time or of a range. */
export const DiffRequest = Schema.Struct({
  nodeId: Schema.String,
  interval: Schema.String,
  fromVersion: Version,
  toVersion: Version,
  /** Epoch milliseconds, half-open; both or neither. `start` alone goes on where an answer before ended. */
  start: Schema.optionalKey(Schema.Int),
  end: Schema.optionalKey(Schema.Int),
  sourcePriority: Schema.optionalKey(Schema.Array(Schema.String)),
  /** So many bars at most; 100 without it. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: limitMax })))
})
export type DiffRequest = typeof DiffRequest.Type

/** Values by the names of their columns; null where one is missing. */
const Values = Schema.Record(Schema.String, Schema.NullOr(Schema.Union([Schema.Finite, Schema.String, Schema.Boolean])))

/** One bar that is not as it was. */
export const BarChange = Schema.Struct({
  /** The start of the bar, in epoch milliseconds. */
  time: Schema.Finite,
  kind: Schema.Literals(["changed", "added", "removed"]),
  /** Of a changed bar the columns that differ, of a removed one all; null for an added one. */
  old: Schema.NullOr(Values),
  /** Of a changed bar the columns that differ, of an added one all; null for a removed one. */
  new: Schema.NullOr(Values)
})
export type BarChange = typeof BarChange.Type

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
