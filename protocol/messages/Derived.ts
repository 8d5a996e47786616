/**
 * What is said to those who follow what a derived series is made of?
 *
 * One actor for each derived series, by its series key. Before a bar is rolled up it is told to follow; from then on
 * what changes below takes the bars above it out of the coverage.
 */
import { Schema } from "effect"
import { define } from "../wire/ActorMessage.ts"

/** How far the changes of the finer series have been taken over. */
export const Following = Schema.Struct({
  format: Schema.Literal(1),
  /** The finer interval. */
  from: Schema.String,
  /** The version of its root up to which all is taken over. */
  version: Schema.Int,
  /** Where in the audit stream nothing earlier has to be read any more. */
  revision: Schema.Int,
  /** By which it is known that bars are made in the same way as before; absent where nobody has noted it yet. */
  recipe: Schema.optionalKey(Schema.String)
})
export type Following = typeof Following.Type

/** Windows of a finer series that are asked for at once: the jobs of all of them have room in one answer. */
export const demandedWindowsMax = 250

/** `follow` of a derived series: what changes below from that version on is taken over, whatever happens. */
export const followMessage = define({
  actor: "derived",
  name: "follow",
  payload: Schema.Null,
  success: Schema.Struct({ version: Schema.Int }),
  failure: Schema.Never
})
