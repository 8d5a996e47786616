/** How far has a series come? */
import { Schema } from "effect"

/** Marks in event time, epoch milliseconds; null before there is anything. */
export const Watermarks = Schema.Struct({
  /** Nothing more is expected from the first covered bar up to here: the end of the first covered stretch. */
  eventTimeLow: Schema.NullOr(Schema.Finite),
  /** The highest event time that is stored. */
  eventTimeHigh: Schema.NullOr(Schema.Finite)
})
export type Watermarks = typeof Watermarks.Type

/** The marks of a series that has nothing yet. */
export const none: Watermarks = { eventTimeLow: null, eventTimeHigh: null }
