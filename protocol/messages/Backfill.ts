/** What is said about backfill jobs? */
import { Context, type Effect, Option, Schema } from "effect"
import { BackfillJob, isFinal, JobClass, JobFailure, JobState } from "../history/BackfillJob.ts"
import { Series } from "../history/Series.ts"
import * as Codec from "../wire/Codec.ts"
import * as Subject from "../wire/Subject.ts"

const decode = Schema.decodeUnknownOption(BackfillJob)
const encode = Schema.encodeSync(BackfillJob)

/** The job in a stored record; none where it is gone or can't be read. */
export const readJob = (value: Option.Option<Uint8Array>): Option.Option<BackfillJob> =>
  Option.flatMap(Option.flatMap(value, Codec.fromJson), decode)

/** A job as it is stored. */
export const writeJob = (job: BackfillJob): Uint8Array => Codec.toJson(encode(job))

/** What can happen to a job, in one word. */
const JobEventName = Schema.Literals([
  "opened",
  "claimed",
  "released",
  "expired",
  "completed",
  "failed",
  "retried",
  "quarantined",
  "cancelled",
  "skipped"
])
export type JobEventName = typeof JobEventName.Type

/** Something that happened to a job, as it is told on `Subject.jobEvent`: once at most, and after it was saved. */
export const JobEvent = Schema.Struct({
  format: Schema.Literal(1),
  event: JobEventName,
  /** Epoch milliseconds, by the clock of the host that did it. */
  at: Schema.Finite,
  series: Series,
  windowStart: Schema.Finite,
  run: Schema.Int,
  state: JobState,
  jobClass: JobClass,
  /** Runs in a row that failed. */
  attempts: Schema.Int,
  failure: Schema.NullOr(JobFailure),
  nextAttemptAt: Schema.NullOr(Schema.Finite),
  /** The incarnation of the host that works on it; null where none does. */
  holder: Schema.NullOr(Schema.String),
  coverageVersion: Schema.Int,
  cause: Schema.String
})
export type JobEvent = typeof JobEvent.Type

/** The failure of a job that an operator has called off. */
export const cancelledTag = "Cancelled"

/** Whether an operator has called the job off, and nobody has opened it since. */
const isCalledOff = (job: BackfillJob | undefined): boolean =>
  job?.state === "FAILED" && job.failure?.tag === cancelledTag && job.nextAttemptAt === null

/** How long the record of a job is kept, in seconds; undefined for ever, as something may still be done about it. */
export const ttlSecondsOf = (job: BackfillJob): number | undefined =>
  isFinal(job) && job.state !== "QUARANTINED" ? finalTtlSeconds : undefined

/** Ended records are kept for a week. */
const finalTtlSeconds = 7 * 24 * 3600

/** What happened between two records of a window; undefined where nobody is told: a renewal, or a wider demand. */
export const eventBetween = (before: BackfillJob | undefined, job: BackfillJob): JobEventName | undefined => {
  switch (job.state) {
    case "PENDING":
      if (before === undefined || before.run !== job.run) return before?.state === "FAILED" ? "retried" : "opened"
      return before.state === "RUNNING" ? "released" : undefined
    case "RUNNING":
      return before?.fence === job.fence ? undefined : "claimed"
    case "SUCCEEDED":
      return before?.state === "QUARANTINED" ? "skipped" : "completed"
    case "FAILED":
      if (isCalledOff(job)) return isCalledOff(before) ? undefined : "cancelled"
      return before?.state === "RUNNING" ? "failed" : undefined
    case "EXPIRED":
      return "expired"
    case "QUARANTINED":
      return "quarantined"
  }
}

/** What is told of a change of a window's record, and where; undefined where it is nothing to tell. */
export const jobEvent = (
  before: BackfillJob | undefined,
  job: BackfillJob,
  atMs: number
): { readonly subject: string; readonly data: Uint8Array } | undefined => {
  const event = eventBetween(before, job)
  if (event === undefined) return undefined
  const { attempts, cause, coverageVersion, failure, jobClass, lease, nextAttemptAt, run, series, state, windowStart } =
    job
  const told: JobEvent = {
    format: 1,
    event,
    at: atMs,
    series,
    windowStart,
    run,
    state,
    jobClass,
    attempts,
    failure,
    nextAttemptAt,
    holder: lease?.holder ?? null,
    coverageVersion,
    cause
  }
  const windowKey = Subject.window(Subject.series(series.nodeId, series.interval), windowStart)
  return { subject: Subject.jobEvent(event, windowKey), data: Codec.toJson(told) }
}

/** The jobs that run anywhere in the cluster, for those who wait for them. */
export class Backfill extends Context.Service<
  Backfill,
  {
    /**
     * Waits until the run of each job, or a later one, has ended; gives the records as they are then. The wait can be
     * ended at any time: the jobs go on.
     */
    readonly settled: (jobs: ReadonlyArray<BackfillJob>) => Effect.Effect<ReadonlyArray<BackfillJob>>
  }
>()("seamless/messages/Backfill") {}
