/**
 * Is what was asked for before an operator took the time out of the coverage kept out of it? (Invariant 3)
 *
 * Who works on a window at that moment plans upon what does not count any more: what it brings of that time may not
 * become part of the coverage by the same claim.
 */
import { type BackfillJob, jobId } from "../../../protocol/history/BackfillJob.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Operation } from "../History.ts"
import type { RootWritten, RunRecord } from "../RunRecord.ts"
import { invalidatedBy, windowOf } from "./words.ts"

/** The record of each window of a series as it stood before a moment. */
const standing = ({ jobs }: RunRecord, node: string, atOrder: number): ReadonlyMap<string, BackfillJob> =>
  new Map(
    jobs
      .filter((written) => written.job.series.nodeId === node && written.atOrder < atOrder)
      .map(({ job, subject }) => [subject, job])
  )

const checkOne = (taken: RootWritten, time: RangeSet.RangeSet, run: RunRecord): ReadonlyArray<string> => {
  const working = Array.from(standing(run, taken.node, taken.atOrder)).filter(([, { state }]) => state === "RUNNING")
  const later = run.roots.filter(({ atOrder, node }) => node === taken.node && atOrder > taken.atOrder)
  return working.flatMap(([subject, job]) => {
    const theirs = RangeSet.intersect(time, windowOf(job))
    const late = later.find(
      ({ atOrder, node, root: { diff } }) =>
        diff.jobs.includes(jobId(job)) &&
        !isEmpty(RangeSet.intersect(RangeSet.make(diff.added), theirs)) &&
        standing(run, node, atOrder).get(subject)?.fence === job.fence
    )
    if (late === undefined) return []
    const { version } = late.root
    return [`version ${version} of ${taken.node} has what run ${jobId(job)} was bringing of time that was taken out`]
  })
}

/** Coverage that has come back by work that was under way when it was taken out. */
export const checkGenerations = (run: RunRecord, operations: ReadonlyArray<Operation>): ReadonlyArray<string> =>
  run.roots.flatMap((root, index) => {
    // whoever takes the series over writes the root that stands again
    const isAgain = run.roots.some(
      (before, earlier) => earlier < index && before.node === root.node && before.root.version === root.root.version
    )
    if (isAgain) return []
    const time = invalidatedBy(root, operations)
    return isEmpty(time) ? [] : checkOne(root, time, run)
  })
