/** What was a bar, and what is it now? */
import { Schema } from "effect"

/** A value as JSON has it: text for what is a text or a whole number of 64 bits, null where it is missing. */
export const ToldValue = Schema.NullOr(Schema.Union([Schema.Finite, Schema.Boolean, Schema.String]))
export type ToldValue = typeof ToldValue.Type

const Values = Schema.Record(Schema.String, ToldValue)

/** One bar that is not as it was. */
export const BarChange = Schema.Struct({
  /** The start of the bar, in epoch milliseconds. */
  eventTime: Schema.Finite,
  /** By column, those that differ; all of them where the bar appeared or vanished. Null where there was no bar. */
  before: Schema.NullOr(Values),
  /** The same of what it is now. Null where there is no bar any more. */
  after: Schema.NullOr(Values)
})
export type BarChange = typeof BarChange.Type
