/**
 * What becomes of a job upon an operator's word?
 *
 * Pure: the job in, the next record and what is known of its time from then on out; or why the word does not suit it.
 */
import { Result } from "effect"
import { type BackfillJob, type JobState } from "../../protocol/history/BackfillJob.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { cancelledTag } from "../../protocol/messages/Backfill.ts"
import { JobNotSuited, type JobVerb, type Operate } from "../../protocol/messages/Operate.ts"

/** A job after an operator's word. */
export interface Operated {
  readonly job: BackfillJob
  /** What is known of the time that the job was to bring; nothing where it may be asked for again. */
  readonly exceptions: ReadonlyArray<MissingRange>
}

/** The states that suit each verb. */
const suited: { readonly [Verb in JobVerb]: ReadonlyArray<JobState> } = {
  retry: ["FAILED", "QUARANTINED"],
  skip: ["QUARANTINED"],
  cancel: ["PENDING", "RUNNING", "EXPIRED", "FAILED"],
  quarantine: ["PENDING", "RUNNING", "EXPIRED", "FAILED"]
}

const remaining = ({ completedRanges, ranges }: BackfillJob): RangeSet.RangeSet =>
  RangeSet.subtract(ranges, completedRanges)

const explainedAs = (job: BackfillJob, state: MissingRange["state"], reason: string): ReadonlyArray<MissingRange> =>
  toPairs(remaining(job)).map(([start, end]) => ({ start, end, state, reason, retryAt: null }))

const asideTag = "WindowQuarantined"

const whyAside = ({ attempts, failure }: BackfillJob): string => {
  if (failure === null) return "set aside"
  // an operator's own words
  return failure.tag === asideTag ? failure.message : `set aside after ${attempts} failures: ${failure.message}`
}

/** Why the time of a job that waits for a person is missing. */
export const quarantineOf = (job: BackfillJob): ReadonlyArray<MissingRange> =>
  explainedAs(job, "quarantined", whyAside(job))

const ended = { lease: null, nextAttemptAt: null }

const apply = (job: BackfillJob, verb: JobVerb, why: string): Operated => {
  switch (verb) {
    // due at once: the next look after the jobs opens it again
    case "retry":
      return { job: { ...job, ...ended, state: "FAILED", attempts: 0, nextAttemptAt: 0 }, exceptions: [] }
    case "skip":
      return {
        job: { ...job, ...ended, state: "SUCCEEDED", attempts: 0 },
        exceptions: explainedAs(job, "unavailable", why)
      }
    case "cancel": {
      const failure = { tag: cancelledTag, message: why, source: "operator" }
      return { job: { ...job, ...ended, state: "FAILED", attempts: 0, failure }, exceptions: [] }
    }
    case "quarantine": {
      const failure = { tag: asideTag, message: why, source: "operator" }
      const aside: BackfillJob = { ...job, ...ended, state: "QUARANTINED", failure }
      return { job: aside, exceptions: explainedAs(aside, "quarantined", why) }
    }
  }
}

/** The job after an operator's word. */
export const operateJob = (
  job: BackfillJob | undefined,
  { reason, verb, who }: Pick<Operate, "verb" | "who" | "reason">,
  windowStart: number
): Result.Result<Operated, JobNotSuited> => {
  const states = suited[verb].join(" or ")
  if (job === undefined) {
    return Result.fail(
      new JobNotSuited({ verb, windowStart, problem: `it has no job, and would need one that is ${states}` })
    )
  }
  if (!suited[verb].includes(job.state)) {
    return Result.fail(
      new JobNotSuited({ verb, windowStart, problem: `its job is ${job.state}, and would have to be ${states}` })
    )
  }
  return Result.succeed(apply(job, verb, operatorsCause(verb, { who, reason })))
}

const past: { readonly [Verb in JobVerb | "invalidate"]: string } = {
  retry: "retried",
  skip: "skipped",
  cancel: "called off",
  quarantine: "set aside",
  invalidate: "invalidated"
}

/** An operator's change as a cause: who did what, and why. */
export const operatorsCause = (
  verb: JobVerb | "invalidate",
  { reason, who }: { readonly who: string; readonly reason: string }
): string => `${past[verb]} by ${who}${reason === "" ? "" : `: ${reason}`}`
