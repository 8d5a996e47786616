/**
 * How does a job go from one state to the next?
 *
 * Pure: what who holds a job makes of it. PENDING → RUNNING → SUCCEEDED | FAILED | QUARANTINED; a RUNNING job whose
 * lease has ended is as good as EXPIRED: the next claim makes it RUNNING again. Whoever writes the result by
 * compare-and-set has made it true. What opens runs, and what operators do, is in the coverage actor's planJobs.ts.
 */
import { type BackfillJob, isRevision, type JobFailure, type Lease } from "../../protocol/history/BackfillJob.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { defaults } from "../../protocol/Settings.ts"

/** What becomes of windows whose jobs fail. */
export interface RetryPolicy {
  /** Runs in a row that may fail before the window waits for a person. */
  readonly attemptsMax: number
  /** The wait before the second run, doubled with each failure in a row. */
  readonly baseMs: number
  readonly maxMs: number
}

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
  /** Whether it brings the window nearer to its quarantine: not where the source was not asked at all. */
  readonly isAttempt: boolean
  readonly policy: RetryPolicy
  /** How long the source asks to be left alone; 0 where it does not. */
  readonly retryAfterMs: number
  readonly nowMs: number
  readonly jitter: number
  readonly nonce: string
}

/** How long a window is left alone after so many failures in a row, in milliseconds. */
const backoffMs = (attempts: number, { jitter, policy, retryAfterMs }: Failing): number =>
  Math.max(
    Math.min(defaults.retryAfterMsMax, retryAfterMs),
    Math.min(policy.maxMs, policy.baseMs * 2 ** Math.max(0, attempts - 1)) * (0.8 + 0.4 * jitter)
  )

/**
 * The job as a failed run leaves it: what was committed stays, and the rest waits for the next run, or for a person
 * where too many failed in a row. No person is needed for bars that are stored: to revise them is tried on and on.
 */
export const fail = (job: BackfillJob, progress: Progress, failing: Failing): BackfillJob => {
  const kept = withProgress(job, progress)
  if (isEmpty(remainingRanges(kept))) return complete(job, progress, failing.nonce)
  const { failure, isAttempt, nonce, nowMs, policy } = failing
  const attempts = job.attempts + (isAttempt ? 1 : 0)
  const left = { ...kept, lease: null, attempts, failure, nonce }
  if (isAttempt && attempts >= policy.attemptsMax && !isRevision(job))
    return { ...left, state: "QUARANTINED", nextAttemptAt: null }
  return { ...left, state: "FAILED", nextAttemptAt: Math.ceil(nowMs + backoffMs(attempts, failing)) }
}

/** The job as a holder that stops gives it back. */
export const release = (job: BackfillJob, nonce: string): BackfillJob => ({
  ...job,
  state: "PENDING",
  lease: null,
  nonce
})
