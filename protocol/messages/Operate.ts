/**
 * What may an operator do to a series?
 *
 * Said to the coverage actor of the series, which alone opens jobs and changes the root. Who asks, and why, is kept in
 * the audit of the series.
 */
import { Schema } from "effect"
import { BackfillJob } from "../history/BackfillJob.ts"
import { Pairs } from "../history/RangePairs.ts"
import { Series } from "../history/Series.ts"
import { define } from "../wire/ActorMessage.ts"
import { ensureMessage } from "./Coverage.ts"

/** What an operator may do about a window whose job is in trouble, or unwanted. */
export const JobVerb = Schema.Literals(["retry", "skip", "cancel", "quarantine"])
export type JobVerb = typeof JobVerb.Type

/** Who asks for a change, and why: kept in the audit of the series. */
const asked = { who: Schema.NonEmptyString, reason: Schema.String }

/** An operator's word on the jobs of some windows. */
export const Operate = Schema.Struct({
  series: Series,
  verb: JobVerb,
  /** The starts of the windows. */
  windows: Schema.NonEmptyArray(Schema.Finite),
  ...asked
})
export type Operate = typeof Operate.Type

/** The jobs as they are then. */
const Operated = Schema.Struct({ version: Schema.Int, jobs: Schema.Array(BackfillJob) })

/** The verb can't be applied to the job as it is; nothing was done about any of the windows. */
export class JobNotSuited extends Schema.TaggedError<JobNotSuited>()("JobNotSuited", {
  verb: JobVerb,
  windowStart: Schema.Finite,
  /** What the job would have to be. */
  problem: Schema.String
}) {
  override get message() {
    return `the window at ${this.windowStart} can't be made to ${this.verb}: ${this.problem}`
  }
}

/** Takes time out of the coverage: what is stored of it does not count any more, and it is missing again. */
export const Invalidate = Schema.Struct({ series: Series, ranges: Pairs, ...asked })
export type Invalidate = typeof Invalidate.Type

/** What was covered of it. */
export const Invalidated = Schema.Struct({ version: Schema.Int, removed: Pairs })
export type Invalidated = typeof Invalidated.Type

/** `operate` of the coverage actor. */
export const operateMessage = define({
  actor: ensureMessage.actor,
  name: "operate",
  payload: Operate,
  success: Operated,
  failure: JobNotSuited
})

/** `invalidate` of the coverage actor. */
export const invalidateMessage = define({
  actor: ensureMessage.actor,
  name: "invalidate",
  payload: Invalidate,
  success: Invalidated,
  failure: Schema.Never
})
