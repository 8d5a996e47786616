/**
 * Is each failure counted, and does a window wait for a person after as many as the policy allows? (Invariant 8)
 *
 * A run that failed because its source gave no answer counts one more; nothing else does, and only success or an
 * operator makes it none again.
 */
import type { BackfillJob, JobFailure } from "../../../protocol/history/BackfillJob.ts"
import type { RunRecord } from "../RunRecord.ts"

/** What a simulated source says where it was asked and gave no answer; who did not get as far as to ask says more. */
const noAnswer = /^the exchange (refuses|is busy|has lost it|does not answer)$/

const wasAsked = (failure: JobFailure | null): boolean => failure !== null && noAnswer.test(failure.message)

const isOperators = ({ failure }: BackfillJob): boolean => failure?.source === "operator"

/** The counts that may stand in the record that follows. */
const countsAfter = (before: BackfillJob | undefined, after: BackfillJob): ReadonlyArray<number> => {
  if (before === undefined || after.state === "SUCCEEDED") return [0]
  const { attempts } = before
  const hasFailed = before.state === "RUNNING" && (after.state === "FAILED" || after.state === "QUARANTINED")
  if (hasFailed && !isOperators(after)) return wasAsked(after.failure) ? [attempts + 1] : [attempts, attempts + 1]
  // tried again at once, or called off
  if (after.state === "FAILED") return [0]
  return [attempts]
}

/** Failures that are not counted, or after which a window is tried again though it has failed too often. */
export const checkAttempts = ({ jobs }: RunRecord, attemptsMax: number): ReadonlyArray<string> => {
  const last = new Map<string, BackfillJob>()
  return jobs.flatMap(({ job, revision, subject }) => {
    const before = last.get(subject)
    last.set(subject, job)
    const name = `job ${subject} at revision ${revision}`
    const { attempts, state } = job
    const allowed = countsAfter(before, job)
    if (!allowed.includes(attempts)) return [`${name}: ${attempts} failures in a row, not ${allowed.join(" or ")}`]
    if (attempts >= attemptsMax && state !== "QUARANTINED") return [`${name}: ${state} after ${attempts} failures`]
    return []
  })
}
