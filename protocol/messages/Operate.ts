/**
 * What may an operator do to a series?
 *
 * Said to the coverage actor of the series, which alone opens jobs and changes the root. Who asks, and why, is kept in
 * the audit of the series.
 */
import { Schema } from "effect"
import { BackfillJob, hasEnded, type JobState } from "../history/BackfillJob.ts"
import { isoTime } from "../history/isoTime.ts"
import { Pairs } from "../history/RangePairs.ts"
import { Series } from "../history/Series.ts"
import { define } from "../wire/ActorMessage.ts"
import { ensureMessage } from "./Coverage.ts"

/** What an operator may do about a window whose job is in trouble, or unwanted. */
export const JobVerb = Schema.Literals(["retry", "skip", "cancel", "quarantine"])
export type JobVerb = typeof JobVerb.Type

/** The states of jobs that suit each verb. */
export const suitedStates: { readonly [Verb in JobVerb]: ReadonlyArray<JobState> } = {
  retry: ["FAILED", "QUARANTINED"],
  skip: ["QUARANTINED"],
  cancel: ["PENDING", "RUNNING", "EXPIRED", "FAILED"],
  quarantine: ["PENDING", "RUNNING", "EXPIRED", "FAILED"]
}

/** Whether the verb can be applied to the job: what nobody does anything about any more can't be called off. */
export const suits = (verb: JobVerb, job: BackfillJob): boolean =>
  suitedStates[verb].includes(job.state) && !(verb === "cancel" && hasEnded(job))

const past: { readonly [Verb in JobVerb | "invalidate" | "reprocess" | "repair"]: string } = {
  retry: "retried",
  skip: "skipped",
  cancel: "called off",
  quarantine: "set aside",
  invalidate: "invalidated",
  reprocess: "reprocessed",
  repair: "repaired"
}

/** An operator's change as a cause, in the audit and elsewhere: who did what, and why. */
export const operatorsCause = (
  verb: keyof typeof past,
  { reason, who }: { readonly who: string; readonly reason: string }
): string => `${past[verb]} by ${who}${reason === "" ? "" : `: ${reason}`}`

/** Who asks for a change, and why: kept in the audit of the series. */
const asked = { who: Schema.NonEmptyString, reason: Schema.String }

/** An operator's word on the jobs of some windows. */
export const Operate = Schema.Struct({
  series: Series,
  verb: JobVerb,
  /** The starts of the windows. */
  windows: Schema.NonEmptyArray(Schema.Finite),
  /** The source whose stored bars the jobs ask for once more; those that fill the windows are meant without it. */
  source: Schema.optionalKey(Schema.String),
  ...asked
})
export type Operate = typeof Operate.Type

/** The jobs that suited the verb, as they are then; the other windows were passed over. */
const Operated = Schema.Struct({ version: Schema.Int, jobs: Schema.Array(BackfillJob) })

/** None of the windows has a job that suits the verb, this one the first of them. Nothing was done. */
export class JobNotSuited extends Schema.TaggedError<JobNotSuited>()("JobNotSuited", {
  verb: JobVerb,
  windowStart: Schema.Finite,
  /** What the job would have to be. */
  problem: Schema.String
}) {
  override get message() {
    return `${this.verb} does not suit the window at ${isoTime(this.windowStart)}: ${this.problem}`
  }
}

/** Takes time out of the coverage: what is stored of it does not count any more, and it is missing again. */
export const Invalidate = Schema.Struct({
  series: Series,
  ranges: Pairs,
  /** Told as the source in the history, where it is no operator who asks. */
  source: Schema.optionalKey(Schema.String),
  ...asked
})
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
