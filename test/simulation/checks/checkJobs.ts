/**
 * Does a window's completion take effect once, whoever worked on it? (Invariant 4)
 *
 * A run that has ended is not changed any more but by the next run; runs and fences only grow; and what a run claims to
 * have brought is covered.
 */
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import { isFinal } from "../../../protocol/history/BackfillJob.ts"
import type { RunRecord } from "../RunRecord.ts"

const checkStep = (name: string, before: BackfillJob, after: BackfillJob): ReadonlyArray<string> => {
  const problems: Array<string> = []
  if (after.run < before.run) problems.push(`${name}: run ${after.run} after ${before.run}`)
  if (after.fence < before.fence) problems.push(`${name}: fence ${after.fence} after ${before.fence}`)
  if (after.run === before.run && isFinal(before)) {
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

/** What became of jobs that must not. */
export const checkJobs = (run: RunRecord): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const last = new Map<string, BackfillJob>()
  for (const { job, revision, subject } of run.jobs) {
    const before = last.get(subject)
    if (before !== undefined) problems.push(...checkStep(`job ${subject} at revision ${revision}`, before, job))
    last.set(subject, job)
  }
  return problems
}
