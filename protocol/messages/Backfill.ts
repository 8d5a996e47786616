/** What is said about backfill jobs? */
import { Context, type Effect, Option, Schema } from "effect"
import { BackfillJob, isFinal } from "../history/BackfillJob.ts"
import type { Series } from "../history/Series.ts"
import * as Codec from "../wire/Codec.ts"
import type { MeshUnavailable } from "../wire/Errors.ts"
import * as Subject from "../wire/Subject.ts"
import { ToldJob, toldJob } from "./ToldJob.ts"

const decode = Schema.decodeUnknownOption(BackfillJob)
const encode = Schema.encodeSync(BackfillJob)

/** The job in a stored record; none where it is gone or can't be read. */
export const readJob = (value: Option.Option<Uint8Array>): Option.Option<BackfillJob> =>
  Option.flatMap(Option.flatMap(value, Codec.fromJson), decode)

/** A job as it is stored. */
export const writeJob = (job: BackfillJob): Uint8Array => Codec.toJson(encode(job))

/**
 * The key of a job's record. What asks a source for its stored bars once more has a record of its own, so that to fill
 * a window and to revise it never wait for each other.
 */
export const jobKey = ({ revises, series, windowStart }: Pick<BackfillJob, "revises" | "series" | "windowStart">) =>
  Subject.window(Subject.series(series.nodeId, series.interval), windowStart, revises)

const endedTtlSeconds = 7 * 24 * 3600

/** How long a record is kept: one whose run has ended for a week, any other until it is replaced. */
export const jobTtl = (job: BackfillJob): { readonly ttlSeconds?: number } =>
  isFinal(job) && job.state !== "QUARANTINED" ? { ttlSeconds: endedTtlSeconds } : {}

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
  ...ToldJob.fields,
  coverageVersion: Schema.Int,
  cause: Schema.String
})
export type JobEvent = typeof JobEvent.Type

/** The failure of a job that an operator has called off. */
export const cancelledTag = "Cancelled"

/** Whether an operator has called the job off, and nobody has opened it since. */
const isCalledOff = (job: BackfillJob | undefined): boolean =>
  job?.state === "FAILED" && job.failure?.tag === cancelledTag && job.nextAttemptAt === null

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
  const { cause, coverageVersion } = job
  const told: JobEvent = { format: 1, event, at: atMs, ...toldJob(job), coverageVersion, cause }
  return { subject: Subject.jobEvent(event, jobKey(job)), data: Codec.toJson(told) }
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
    /** The newest run that fills each of these windows; those without one, or none any more, are left out. */
    readonly newest: (
      series: Series,
      windowStarts: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyArray<BackfillJob>, MeshUnavailable>
  }
>()("seamless/messages/Backfill") {}
