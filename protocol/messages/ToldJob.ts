/** What of a job is told to people, in events and in lists? */
import { Schema } from "effect"
import { type BackfillJob, JobClass, JobFailure, JobState } from "../history/BackfillJob.ts"
import { Series } from "../history/Series.ts"

/** How a job stands. */
export const ToldJob = Schema.Struct({
  series: Series,
  windowStart: Schema.Finite,
  run: Schema.Int,
  state: JobState,
  jobClass: JobClass,
  /** The source whose stored bars it asks for once more; absent where it fills what is missing. */
  revises: Schema.optionalKey(Schema.String),
  /** Runs in a row that failed. */
  attempts: Schema.Int,
  failure: Schema.NullOr(JobFailure),
  /** Epoch milliseconds from which on a failed window is tried again; null where it is not. */
  nextAttemptAt: Schema.NullOr(Schema.Finite),
  /** The incarnation of the host that works on it; null where none does. */
  holder: Schema.NullOr(Schema.String)
})
export type ToldJob = typeof ToldJob.Type

/** What is told of a job. */
export const toldJob = (job: BackfillJob): ToldJob => {
  const { attempts, failure, jobClass, lease, nextAttemptAt, revises, run, series, state, windowStart } = job
  const holder = lease?.holder ?? null
  const kind = { jobClass, ...(revises !== undefined && { revises }) }
  return { series, windowStart, run, state, ...kind, attempts, failure, nextAttemptAt, holder }
}
