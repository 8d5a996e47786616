/**
 * What has to happen so that wanted time gets filled?
 *
 * Pure. One window has one job, whoever wants what of it: a run that is open is joined, one that waits is widened or
 * made more urgent, and only where neither is so is a new run opened. A run that failed is followed by another by
 * itself; what an operator wants of a window is decided here, too. To ask a source for what it has stored of a window
 * once more is a job of its own, beside the one that fills the window.
 */
import { type BackfillJob, hasEnded, type JobClass, moreUrgent } from "../../protocol/history/BackfillJob.ts"
import { jobAction } from "../../protocol/history/jobAction.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Series } from "../../protocol/history/Series.ts"
import type { WindowRanges } from "../../protocol/history/Window.ts"

/** A job record with the revision that a change of it replaces. */
export interface KnownJob {
  readonly job: BackfillJob
  readonly revision: number
}

/** What to do about one window. */
export type JobPlan =
  /** Write this record, then put the window into the queue. */
  | { readonly action: "write"; readonly job: BackfillJob; readonly expect: number }
  /** A run does it already. */
  | { readonly action: "join"; readonly job: BackfillJob }
  /** A run is under way that does not bring all of it: another has to follow. */
  | { readonly action: "follow"; readonly job: BackfillJob; readonly ranges: RangeSet.RangeSet }
  /** The last run failed, and it is too early for another. */
  | { readonly action: "refuse"; readonly job: BackfillJob }

/** Who asks. */
export interface JobDemand {
  readonly series: Series
  readonly sources: ReadonlyArray<string>
  /** The source whose stored bars are asked for once more; absent where what is missing is to be filled. */
  readonly revises?: string
  readonly jobClass: JobClass
  readonly cause: string
  readonly traceParent: string
  readonly nonce: string
  readonly nowMs: number
  /** The generation that a window has now: what is planned on it counts as long as it stays. */
  readonly generationOf: (windowStart: number) => number
}

/** The record of a new run; `before` is the record of the last one. */
const open = (
  demand: JobDemand,
  { ranges, windowStart }: WindowRanges,
  before: BackfillJob | undefined
): BackfillJob => ({
  format: 1,
  series: demand.series,
  windowStart,
  run: (before?.run ?? 0) + 1,
  state: "PENDING",
  jobClass: demand.jobClass,
  ranges,
  ...(demand.revises !== undefined && { revises: demand.revises }),
  completedRanges: RangeSet.empty,
  sources: demand.sources,
  generation: demand.generationOf(windowStart),
  fence: before?.fence ?? 0,
  lease: null,
  renewals: 0,
  attempts: before?.state === "FAILED" ? before.attempts : 0,
  failure: null,
  passedOver: [],
  requests: 0,
  coverageVersion: 0,
  nextAttemptAt: null,
  cause: demand.cause,
  traceParent: demand.traceParent,
  nonce: demand.nonce
})

/** What a run that failed was to bring, and the next one has to, whoever has that opened: others wait for it, too. */
const owed = (job: BackfillJob): RangeSet.RangeSet =>
  hasEnded(job) ? RangeSet.empty : RangeSet.subtract(job.ranges, job.completedRanges)

/** What to do so that the window's ranges get filled, or asked for once more. */
export const planJob = (demand: JobDemand, wanted: WindowRanges, known: KnownJob | undefined): JobPlan => {
  if (known === undefined) return { action: "write", job: open(demand, wanted, undefined), expect: 0 }
  const { job, revision } = known
  const action = jobAction(job, wanted.ranges, demand.nowMs)
  if (action === "refuse") return { action, job }
  if (action === "open") {
    const ranges = RangeSet.union(wanted.ranges, owed(job))
    return { action: "write", job: open(demand, { ...wanted, ranges }, job), expect: revision }
  }
  const beyond = RangeSet.subtract(wanted.ranges, job.ranges)
  if (action === "follow") return { action, job, ranges: beyond }
  const jobClass = moreUrgent(job.jobClass, demand.jobClass)
  // who works on it would lose it by a change of its record
  if (job.state === "RUNNING" || (isEmpty(beyond) && jobClass === job.jobClass)) return { action, job }
  const ranges = RangeSet.union(job.ranges, wanted.ranges)
  return { action: "write", job: { ...job, state: "PENDING", ranges, jobClass, nonce: demand.nonce }, expect: revision }
}

/** What a run that follows by itself is opened with. */
export interface Reopening {
  readonly nonce: string
  /** The generation that the window has now. */
  readonly generation: number
  /** What of the window nobody has brought meanwhile, and may be asked for; what is stored, for a run to revise. */
  readonly wanted: RangeSet.RangeSet
}

/** The job of a run that failed, as the next run of itself; ended where nothing of it is wanted any more. */
export const reopen = (job: BackfillJob, { generation, nonce, wanted }: Reopening): BackfillJob => {
  const left = RangeSet.intersect(RangeSet.subtract(job.ranges, job.completedRanges), wanted)
  // the failure stays: whoever looks sees why there was another run
  if (isEmpty(left)) return { ...job, state: "SUCCEEDED", attempts: 0, nextAttemptAt: null, nonce }
  return {
    ...job,
    state: "PENDING",
    run: job.run + 1,
    ranges: left,
    completedRanges: RangeSet.empty,
    generation,
    renewals: 0,
    passedOver: [],
    requests: 0,
    coverageVersion: 0,
    nextAttemptAt: null,
    nonce
  }
}

/** The job of a holder that was not heard of for the length of its lease: it waits to be claimed again. */
export const expire = (job: BackfillJob, nonce: string): BackfillJob => ({
  ...job,
  state: "EXPIRED",
  lease: null,
  nonce
})
