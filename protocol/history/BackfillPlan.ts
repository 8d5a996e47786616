/** What would filling a range take? */
import { Schema } from "effect"

/** What one source is asked for. */
export const SourcePlan = Schema.Struct({
  source: Schema.String,
  /** The most bars that one answer of it holds. */
  barsPerRequest: Schema.Int,
  /** Requests that it is sent at the least: what it does not answer, or answers in part, is asked again. */
  requests: Schema.Int,
  /** How many requests its account may be sent in a minute; null where no budget is known. */
  requestsPerMinute: Schema.NullOr(Schema.Finite),
  /** How long so many requests take at that rate; null where it is not known. */
  seconds: Schema.NullOr(Schema.Finite)
})
export type SourcePlan = typeof SourcePlan.Type

/** What filling a range would take, as its series is covered now. Nothing was asked for. */
export const BackfillPlan = Schema.Struct({
  nodeId: Schema.String,
  interval: Schema.String,
  start: Schema.Int,
  end: Schema.Int,
  /** Bars of the range that are covered already. */
  coveredBars: Schema.Int,
  /** Bars that can't be had, bars that wait for an operator, and bars that may not be asked for yet. */
  unavailableBars: Schema.Int,
  quarantinedBars: Schema.Int,
  deferredBars: Schema.Int,
  /** Bars to bring: all the others. */
  bars: Schema.Int,
  /** Windows that have any of them. */
  windows: Schema.Int,
  /** Of all sources, one after the other. */
  requests: Schema.Int,
  seconds: Schema.NullOr(Schema.Finite),
  /** In the order in which they are asked, each about what those before it do not keep, if they give the rest. */
  sources: Schema.Array(SourcePlan)
})
export type BackfillPlan = typeof BackfillPlan.Type
