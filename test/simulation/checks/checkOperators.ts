/**
 * Is only that done which operators have said, and does it last? (Invariant 8)
 *
 * What waits for a person is left alone until one has said that it is tried again or skipped; what was called off does
 * not come back by itself; what was skipped or set aside is known to readers by the root. States follow each other as
 * the record's form says.
 */
import { type BackfillJob, mayFollow } from "../../../protocol/history/BackfillJob.ts"
import { includes, isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { cancelledTag } from "../../../protocol/messages/Backfill.ts"
import type { JobVerb } from "../../../protocol/messages/Operate.ts"
import type { Operation } from "../History.ts"
import type { RunRecord } from "../RunRecord.ts"
import { saidBy, timeOf, wholeWindows } from "./words.ts"

type JobWritten = RunRecord["jobs"][number]

const isOperators = ({ failure }: BackfillJob): boolean => failure?.source === "operator"

/** The operator's verb that alone makes such a change; undefined where something else does. */
const verbOf = (before: BackfillJob, after: BackfillJob): JobVerb | undefined => {
  if (before.state === "QUARANTINED") return after.state === "SUCCEEDED" ? "skip" : "retry"
  if (after.state === "QUARANTINED") return isOperators(after) ? "quarantine" : undefined
  if (after.state !== "FAILED") return undefined
  if (after.nextAttemptAt === 0) return "retry"
  return isOperators(after) ? "cancel" : undefined
}

/** What of a job's time is neither brought, nor left out by the root that stood then. */
const untold = ({ atOrder, job }: JobWritten, { roots }: RunRecord): RangeSet.RangeSet => {
  const root = roots.findLast((written) => written.node === job.series.nodeId && written.atOrder < atOrder)?.root
  const told = (root?.exceptions ?? []).flatMap(({ end, start, state }): ReadonlyArray<Range> =>
    state === "unavailable" || state === "quarantined" ? [[start, end]] : []
  )
  const wanted = RangeSet.subtract(job.ranges, job.completedRanges)
  return RangeSet.subtract(wanted, RangeSet.make([...(root?.covered ?? []), ...told]))
}

const checkChange = (
  name: string,
  before: BackfillJob,
  written: JobWritten,
  { operations, run }: { readonly operations: ReadonlyArray<Operation>; readonly run: RunRecord }
): ReadonlyArray<string> => {
  const { atMs, job } = written
  const isSame = before.run === job.run
  const isAllowed = mayFollow[before.state].includes(job.state)
  if (!isAllowed) return [`${name}: ${job.state} after ${before.state}`]
  const problems: Array<string> = []
  const verb = verbOf(before, job)
  if (verb !== undefined) {
    const said = wholeWindows(timeOf(saidBy(operations, { verbs: [verb], node: job.series.nodeId, atMs })))
    if (!includes(said, job.windowStart)) problems.push(`${name}: nobody has said ${verb}, and it is ${job.state}`)
  }
  if (verb === "cancel" && job.failure?.tag === cancelledTag && job.nextAttemptAt !== null) {
    problems.push(`${name}: called off, and to be tried again`)
  }
  const wasCalledOff = before.state === "FAILED" && isOperators(before) && before.nextAttemptAt === null
  if (wasCalledOff && !isSame && job.failure !== null) problems.push(`${name}: called off, and opened by itself`)
  if ((verb === "skip" || verb === "quarantine") && !isEmpty(untold(written, run))) {
    problems.push(`${name}: the root does not say of all its time that it was to ${verb}`)
  }
  return problems
}

/** What became of jobs that nobody has said, or in spite of what was said. */
export const checkOperators = (run: RunRecord, operations: ReadonlyArray<Operation>): ReadonlyArray<string> => {
  const last = new Map<string, BackfillJob>()
  return run.jobs.flatMap((written) => {
    const { job, revision, subject } = written
    const before = last.get(subject)
    last.set(subject, job)
    const name = `job ${subject} at revision ${revision}`
    return before === undefined ? [] : checkChange(name, before, written, { operations, run })
  })
}
