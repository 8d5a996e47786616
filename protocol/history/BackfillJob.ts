/**
 * What is being done about a window that has gaps?
 *
 * One record in KV a window, and one for each source whose stored bars of it are asked for once more. Opening,
 * claiming, renewing and ending are compare-and-sets on it, so there is at most one effective run whoever asks: the
 * record's revision is the lease's token, and the queue only says that there is work.
 */
import { Schema } from "effect"
import { Pairs } from "./RangePairs.ts"
import { Series } from "./Series.ts"

/**
 * The states of a job: it waits to be claimed; somebody works on it; all of it was answered; it failed, and is tried
 * again at `nextAttemptAt` (never by itself where that is null); its lease ended, and it waits again; it failed too
 * often, and waits for a person.
 */
export const JobState = Schema.Literals(["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "EXPIRED", "QUARANTINED"])
export type JobState = typeof JobState.Type

/** Which states may follow each in the record of a window; PENDING alone where there is none yet. */
export const mayFollow: { readonly [State in JobState]: ReadonlyArray<JobState> } = {
  // widened, claimed, or ended by an operator
  PENDING: ["PENDING", "RUNNING", "FAILED", "QUARANTINED"],
  // renewed or taken over, given back, and all the ways to end
  RUNNING: ["RUNNING", "PENDING", "EXPIRED", "SUCCEEDED", "FAILED", "QUARANTINED"],
  EXPIRED: ["PENDING", "RUNNING", "FAILED", "QUARANTINED"],
  // what has ended is followed by the next run; one that failed can be found done, or given up, meanwhile
  FAILED: ["PENDING", "SUCCEEDED", "FAILED", "QUARANTINED"],
  SUCCEEDED: ["PENDING"],
  // retried (due at once) or skipped by an operator
  QUARANTINED: ["FAILED", "SUCCEEDED"]
}

/** Why a run ended without success, as its waiters are told: the tag of an error of the protocol, and its fields. */
export const JobFailure = Schema.Struct({
  tag: Schema.String,
  message: Schema.String,
  source: Schema.String
})
export type JobFailure = typeof JobFailure.Type

/** Who works on it. */
export const Lease = Schema.Struct({
  /** The incarnation of the host. */
  holder: Schema.String,
  /** How long the lease lasts without renewal, in milliseconds; counted on the observer's own clock. */
  leaseMs: Schema.Finite
})
export type Lease = typeof Lease.Type

/** Classes of work, the most urgent first: a reader waits, the live edge has a hole, history is filled, or checked. */
export const JobClass = Schema.Literals(["interactive", "repair", "bulk", "verify"])
export type JobClass = typeof JobClass.Type

/** The more urgent of two classes. */
export const moreUrgent = (a: JobClass, b: JobClass): JobClass =>
  JobClass.literals.indexOf(a) <= JobClass.literals.indexOf(b) ? a : b

/** The record of the newest run for a window. */
export const BackfillJob = Schema.Struct({
  format: Schema.Literal(1),
  series: Series,
  windowStart: Schema.Finite,
  /** Counts runs for this window, from 1. */
  run: Schema.Int,
  state: JobState,
  jobClass: JobClass,
  /** What the run is to bring. */
  ranges: Pairs,
  /**
   * The source whose stored bars of covered time the run asks for once more; absent where it brings what is missing. A
   * run does one or the other.
   */
  revises: Schema.optionalKey(Schema.String),
  /** What of it is committed. */
  completedRanges: Pairs,
  /** The sources to ask, in order. */
  sources: Schema.Array(Schema.String),
  /** The window's generation when the run was opened. */
  generation: Schema.Int,
  /** Rises with each claim of the record: a late holder is told apart by it. */
  fence: Schema.Int,
  lease: Schema.NullOr(Lease),
  /** Renewals so far: makes each renewal a change that observers see. */
  renewals: Schema.Int,
  /** Runs in a row that failed. */
  attempts: Schema.Int,
  failure: Schema.NullOr(JobFailure),
  /** Sources that gave no answer before another one was asked. */
  passedOver: Schema.Array(JobFailure),
  /** Requests that the run has sent upstream for this window and those claimed with it. */
  requests: Schema.Int,
  /** The version of the coverage root that holds what the run has committed; 0 before that. */
  coverageVersion: Schema.Int,
  /** Epoch milliseconds before which a failed window is not tried again. */
  nextAttemptAt: Schema.NullOr(Schema.Finite),
  /** The request that opened it. */
  cause: Schema.String,
  /** Trace context of that request. */
  traceParent: Schema.String,
  /** Unlike any other write's: settles whether a write whose answer was lost took effect. */
  nonce: Schema.String
})
export type BackfillJob = typeof BackfillJob.Type

/** Whether the run asks for stored bars once more: it is a check, and nothing is missing for want of it. */
export const isRevision = ({ revises }: Pick<BackfillJob, "revises">): boolean => revises !== undefined

/** How the run is named in lineage, audit and logs. */
export const jobId = ({ revises, run, windowStart }: Pick<BackfillJob, "windowStart" | "run" | "revises">): string =>
  `${windowStart}.${run}${revises === undefined ? "" : `r-${revises}`}`

/** Whether nothing more happens to the window by itself: its run has ended, and no other follows. */
export const hasEnded = (job: Pick<BackfillJob, "state" | "nextAttemptAt">): boolean =>
  job.state === "SUCCEEDED" || job.state === "QUARANTINED" || (job.state === "FAILED" && job.nextAttemptAt === null)

/** The start of the window that a run is of, from its name; NaN where that is the name of something else. */
export const windowOfJob = (id: string): number =>
  /^-?\d+\.\d+(r-.+)?$/s.test(id) ? Number(id.split(".")[0]) : Number.NaN

/** Whether no one has to do anything more about the run. */
export const isFinal = (job: BackfillJob): boolean =>
  job.state === "SUCCEEDED" || job.state === "FAILED" || job.state === "QUARANTINED"
