/**
 * Does a window's completion take effect once, whoever worked on it? (Invariant 4)
 *
 * A run that has ended is not changed any more but by the next run, by an operator, or when there is nothing left that
 * it could bring; runs and fences only grow; and what a run claims to have brought is covered.
 */
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import { isFinal } from "../../../protocol/history/BackfillJob.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { RunRecord } from "../RunRecord.ts"

/** Whether an operator alone makes such a change: that one has is checked elsewhere. */
const isOperated = (before: BackfillJob, after: BackfillJob): boolean => {
  if (before.state === "QUARANTINED") return after.state === "FAILED" || after.state === "SUCCEEDED"
  if (before.state !== "FAILED") return false
  // called off, to be tried again at once, or set aside
  if (after.state === "FAILED") return after.nextAttemptAt === null || after.nextAttemptAt === 0
  return after.state === "QUARANTINED" && after.failure?.source === "operator"
}

const checkStep = (name: string, before: BackfillJob, after: BackfillJob): ReadonlyArray<string> => {
  const problems: Array<string> = []
  if (after.run < before.run) problems.push(`${name}: run ${after.run} after ${before.run}`)
  if (after.fence < before.fence) problems.push(`${name}: fence ${after.fence} after ${before.fence}`)
  // the time of a window whose next run is due may have been covered, or have turned out not to be had
  const isFoundDone = before.state === "FAILED" && before.nextAttemptAt !== null && after.state === "SUCCEEDED"
  if (after.run === before.run && isFinal(before) && !isFoundDone && !isOperated(before, after)) {
    problems.push(`${name}: run ${after.run} had ended ${before.state} and was made ${after.state}`)
  }
  if (after.run > before.run && !isFinal(before)) {
    problems.push(`${name}: run ${after.run} was opened while run ${before.run} was ${before.state}`)
  }
  const isTakenOver = after.lease !== null && before.lease !== null && after.lease.holder !== before.lease.holder
  if (after.run === before.run && isTakenOver && after.fence <= before.fence) {
    problems.push(`${name}: taken over by ${after.lease?.holder} without a higher fence`)
  }
  return problems
}

/** What operators have taken out of the coverage since the run was opened. */
const removedSince = ({ atOrder, job, subject }: RunRecord["jobs"][number], { jobs, roots }: RunRecord) => {
  const opened = jobs.find((written) => written.subject === subject && written.job.run === job.run)
  const between = roots.filter(
    (written) =>
      written.node === job.series.nodeId && written.atOrder < atOrder && written.atOrder > (opened?.atOrder ?? 0)
  )
  return between.flatMap(({ root }) => root.diff.removed)
}

/**
 * Whether the last root before it covers what the job says that it has brought. A root that storage has lost did so
 * once: who ends a job has no way to know of the loss yet.
 */
const checkBrought = (name: string, written: RunRecord["jobs"][number], run: RunRecord): ReadonlyArray<string> => {
  const { atMs: writtenAtMs, atOrder, job } = written
  const root = run.roots.findLast(({ atOrder: before, node }) => node === job.series.nodeId && before < atOrder)
  const lost = run.lostRoots.filter(({ atMs, node }) => node === job.series.nodeId && atMs <= writtenAtMs)
  const covered = [root, ...lost].flatMap((each) => each?.root.covered ?? [])
  const uncovered = RangeSet.subtract(job.completedRanges, RangeSet.make(covered))
  if (isEmpty(uncovered)) return []
  return isEmpty(RangeSet.subtract(uncovered, RangeSet.make(removedSince(written, run))))
    ? []
    : [`${name}: has brought what is not covered`]
}

/** What became of jobs that must not. */
export const checkJobs = (run: RunRecord): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const last = new Map<string, BackfillJob>()
  for (const written of run.jobs) {
    const { job, revision, subject } = written
    const name = `job ${subject} at revision ${revision}`
    const before = last.get(subject)
    if (before !== undefined) problems.push(...checkStep(name, before, job))
    problems.push(...checkBrought(name, written, run))
    last.set(subject, job)
  }
  return problems
}
