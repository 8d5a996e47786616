/**
 * What was a bar before a revision, and what is it now?
 *
 * A root tells this of the first bars that its commit revised; of all of them it tells when they were. The rest is to
 * be had by comparing the two versions.
 */
import { Schema } from "effect"

/** A value as JSON has it: text for what is a text or a whole number of 64 bits, null where it is missing. */
export const ToldValue = Schema.NullOr(Schema.Union([Schema.Finite, Schema.Boolean, Schema.String]))
export type ToldValue = typeof ToldValue.Type

const Values = Schema.Record(Schema.String, ToldValue)

/** One bar that a source gives otherwise than it did. */
export const RevisedBar = Schema.Struct({
  eventTime: Schema.Finite,
  source: Schema.String,
  /** By column, those that differ; all of them where the bar appeared or vanished. Null where there was no bar. */
  before: Schema.NullOr(Values),
  /** The same of what it is now. Null where there is no bar any more. */
  after: Schema.NullOr(Values)
})
export type RevisedBar = typeof RevisedBar.Type

/** So many bars are told of with their values. */
export const revisedBarsMax = 64

/** So many columns of each. */
export const toldColumnsMax = 16
