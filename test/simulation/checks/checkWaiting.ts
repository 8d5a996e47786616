/**
 * Is no job forgotten, whatever its class?
 *
 * When nothing has gone wrong for long, whatever waits is taken by somebody, and whoever works on something renews it.
 * What a run that failed was to bring is brought by the next one, whoever has it opened.
 */
import { type BackfillJob, hasEnded, isRevision } from "../../../protocol/history/BackfillJob.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { RunRecord } from "../RunRecord.ts"

/** So long a job waits at the most: a lease that has to end, and looks after it that are a second apart. */
const waitsMsMax = 10_000

/** Jobs that nobody has looked after in the end. */
export const checkWaiting = ({ jobs }: RunRecord, endMs: number): ReadonlyArray<string> => {
  const last = new Map(jobs.map((written) => [written.subject, written]))
  return Array.from(last.values()).flatMap(({ atMs, job: { jobClass, state }, subject }) => {
    const isOpen = state === "PENDING" || state === "RUNNING" || state === "EXPIRED"
    const sinceMs = endMs - atMs
    if (!isOpen || sinceMs < waitsMsMax) return []
    return [`job ${subject} is ${state} since ${sinceMs.toFixed(0)} ms, and of class ${jobClass}`]
  })
}

/** What is settled by the root of a series that stood at a moment. */
const settledBefore = ({ roots }: RunRecord, node: string, atOrder: number): RangeSet.RangeSet => {
  const root = roots.findLast((written) => written.node === node && written.atOrder < atOrder)?.root
  const known = (root?.exceptions ?? []).map(({ end, start }): Range => [start, end])
  return RangeSet.make([...(root?.covered ?? []), ...known])
}

/** Time that a run which failed owed to somebody, and that the next one forgets. */
export const checkOwed = (run: RunRecord): ReadonlyArray<string> => {
  const last = new Map<string, BackfillJob>()
  return run.jobs.flatMap(({ atOrder, job, revision, subject }) => {
    const before = last.get(subject)
    last.set(subject, job)
    // what is stored is nobody's to bring: it is asked for once more by whoever wants that
    if (before === undefined || isRevision(before)) return []
    if (before.state !== "FAILED" || hasEnded(before) || before.run === job.run) return []
    const owed = RangeSet.subtract(before.ranges, before.completedRanges)
    const left = RangeSet.subtract(owed, settledBefore(run, job.series.nodeId, atOrder))
    return RangeSet.contains(job.ranges, left)
      ? []
      : [`job ${subject} at revision ${revision}: run ${job.run} forgets what run ${before.run} was to bring`]
  })
}
