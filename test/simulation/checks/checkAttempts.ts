/**
 * Is each failure counted, and does a window wait for a person after as many as the policy allows? (Invariant 8)
 *
 * A run that failed because its source gave no answer counts one more; nothing else does, and only success or an
 * operator makes it none again.
 */
import { type BackfillJob, isRevision, type JobFailure } from "../../../protocol/history/BackfillJob.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import type { RunRecord } from "../RunRecord.ts"

/** What a simulated source says where it was asked and gave no answer. */
const noAnswer = /^the exchange (refuses|is busy|has lost it|does not answer)$/

type Written = RunRecord["jobs"][number]

const wasAsked = (failure: JobFailure | null): boolean => failure !== null && noAnswer.test(failure.message)

const isOperators = ({ failure }: BackfillJob): boolean => failure?.source === "operator"

/**
 * Whether a page was asked for that began in what the run was to bring: one that began before may have been for others,
 * and one that none did may have been called off by what became of another window.
 */
const wasTried = (
  { atMs: sinceMs, job }: Written,
  untilMs: number,
  { pagesAsked }: Pick<RunRecord, "pagesAsked">
): boolean =>
  pagesAsked.some(
    ({ atMs, node, startMs }) =>
      node === job.series.nodeId && sinceMs <= atMs && atMs <= untilMs && includes(job.ranges, startMs)
  )

/** The counts that may stand in the record that follows. */
const countsAfter = (
  written: Written | undefined,
  { atMs, job: after }: Written,
  run: Pick<RunRecord, "pagesAsked">
): ReadonlyArray<number> => {
  const before = written?.job
  if (written === undefined || before === undefined || after.state === "SUCCEEDED") return [0]
  // a run of another kind counts for itself
  if (before.revises !== after.revises) return [0]
  const { attempts } = before
  const hasFailed = before.state === "RUNNING" && (after.state === "FAILED" || after.state === "QUARANTINED")
  if (hasFailed && !isOperators(after)) {
    return wasAsked(after.failure) && wasTried(written, atMs, run) ? [attempts + 1] : [attempts, attempts + 1]
  }
  // tried again at once, or called off
  if (after.state === "FAILED") return [0]
  return [attempts]
}

/** Failures that are not counted, or after which a window is tried again though it has failed too often. */
export const checkAttempts = ({ jobs, pagesAsked }: RunRecord, attemptsMax: number): ReadonlyArray<string> => {
  const last = new Map<string, Written>()
  return jobs.flatMap((written) => {
    const { job, revision, subject } = written
    const before = last.get(subject)
    last.set(subject, written)
    const name = `job ${subject} at revision ${revision}`
    const { attempts, state } = job
    const allowed = countsAfter(before, written, { pagesAsked })
    if (!allowed.includes(attempts)) return [`${name}: ${attempts} failures in a row, not ${allowed.join(" or ")}`]
    // what is stored is asked for again and again
    if (attempts >= attemptsMax && state !== "QUARANTINED" && !isRevision(job))
      return [`${name}: ${state} after ${attempts} failures`]
    return []
  })
}
