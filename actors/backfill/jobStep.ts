/**
 * How does a job go from one state to the next?
 *
 * Pure. PENDING → RUNNING → SUCCEEDED | FAILED; a RUNNING job whose lease has ended is as good as EXPIRED: the next
 * claim makes it RUNNING again. Whoever writes the result by compare-and-set has made it true.
 */
import type { BackfillJob, JobFailure, Lease } from "../../protocol/history/BackfillJob.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** Waits before a failed window is tried again, doubled with each failure in a row. */
const retryBaseMs = 1000
const retryMaxMs = 300_000

/** Who claims, and for how long at a time. */
export interface Claimant {
  readonly holder: string
  readonly leaseMs: number
  readonly nonce: string
}

/** What of the run is still to be brought. */
export const remainingRanges = (job: BackfillJob): RangeSet.RangeSet =>
  RangeSet.subtract(job.ranges, job.completedRanges)

/** The job as a claim makes it; none where it is not to be had. */
export const claim = (job: BackfillJob, by: Claimant, leaseEnded: boolean): BackfillJob | undefined => {
  const free = job.state === "PENDING" || job.state === "EXPIRED" || (job.state === "RUNNING" && leaseEnded)
  if (!free) return undefined
  const lease: Lease = { holder: by.holder, leaseMs: by.leaseMs }
  return { ...job, state: "RUNNING", fence: job.fence + 1, lease, renewals: 0, nonce: by.nonce }
}

/** The job with its lease prolonged. */
export const renew = (job: BackfillJob, nonce: string): BackfillJob => ({ ...job, renewals: job.renewals + 1, nonce })

/** What has been committed for a run. */
export interface Progress {
  readonly completed: RangeSet.RangeSet
  readonly coverageVersion: number
  readonly requests: number
  /** Sources that failed before the one that brought this was asked. */
  readonly passedOver: ReadonlyArray<JobFailure>
}

const withProgress = (
  job: BackfillJob,
  { completed, coverageVersion, passedOver, requests }: Progress
): BackfillJob => ({
  ...job,
  completedRanges: RangeSet.union(job.completedRanges, RangeSet.intersect(job.ranges, completed)),
  coverageVersion: Math.max(job.coverageVersion, coverageVersion),
  requests: job.requests + requests,
  passedOver: [...job.passedOver, ...passedOver]
})

/** The job as its run's end makes it: everything that the source has to say has been said. */
export const complete = (job: BackfillJob, progress: Progress, nonce: string): BackfillJob => ({
  ...withProgress(job, progress),
  state: "SUCCEEDED",
  lease: null,
  attempts: 0,
  failure: null,
  nextAttemptAt: null,
  nonce
})

/** Why and when a run failed; `jitter` is between 0 and 1. */
export interface Failing {
  readonly failure: JobFailure
  /** How long the source asks to be left alone; 0 where it does not. */
  readonly retryAfterMs: number
  readonly nowMs: number
  readonly jitter: number
  readonly nonce: string
}

/** The job as a failed run leaves it: what was committed stays, the rest waits for the next run. */
export const fail = (
  job: BackfillJob,
  progress: Progress,
  { failure, jitter, nonce, nowMs, retryAfterMs }: Failing
): BackfillJob => {
  const kept = withProgress(job, progress)
  if (isEmpty(remainingRanges(kept))) return complete(job, progress, nonce)
  const attempts = job.attempts + 1
  const waitMs = Math.max(retryAfterMs, Math.min(retryMaxMs, retryBaseMs * 2 ** (attempts - 1)) * (0.8 + 0.4 * jitter))
  return { ...kept, state: "FAILED", lease: null, attempts, failure, nextAttemptAt: Math.ceil(nowMs + waitMs), nonce }
}

/** The job as a holder that stops gives it back. */
export const release = (job: BackfillJob, nonce: string): BackfillJob => ({
  ...job,
  state: "PENDING",
  lease: null,
  nonce
})
