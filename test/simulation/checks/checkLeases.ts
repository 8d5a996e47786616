/**
 * Is a job only changed by who has it, and only taken from who is gone? (Invariants 4 and 12)
 *
 * A running job that its holder renews stays its holder's, unless something has happened to that host; and what is
 * written of it meanwhile is written by the holder.
 */
import { isFinal } from "../../../protocol/history/BackfillJob.ts"
import type { Fault } from "../History.ts"
import type { RunRecord } from "../RunRecord.ts"
import { hurtSince } from "./hurtSince.ts"

type JobWritten = RunRecord["jobs"][number]

/** How far a replica is behind at the most: see Faults.ts. */
const behindMsMax = 3000

/** What a change of a running job says of who made it. */
const checkChange = (
  { job: before, atMs: beforeMs }: JobWritten,
  { atMs, by, job, revision, subject }: JobWritten,
  of: Pick<RunRecord, "processes" | "joinedAtMs"> & {
    readonly hurt: ReadonlyMap<string, number>
    readonly isStale: boolean
  }
): ReadonlyArray<string> => {
  if (before.state !== "RUNNING" || before.lease === null || job.run !== before.run) return []
  const name = `job ${subject} at revision ${revision}`
  const holder = of.processes.get(before.lease.holder)
  if (holder === undefined || by === holder) return []
  // an operator may end any run
  if (job.failure?.source === "operator" && isFinal(job)) return []
  // the series' owner notes that the lease has ended
  const isFreed = job.state === "EXPIRED"
  if (job.fence === before.fence && !isFreed) return [`${name}: ${by} writes what is in the hands of ${holder}`]
  const isHurt = (of.hurt.get(holder) ?? Infinity) <= atMs
  // a replica that is behind does not know yet of one that has just joined
  const isNew = of.isStale && atMs - (of.joinedAtMs.get(before.lease.holder) ?? -Infinity) < behindMsMax
  if (isHurt || isNew || atMs - beforeMs > before.lease.leaseMs) return []
  return [
    `${name}: ${by} takes it from ${holder}, which lives and has written it ${(atMs - beforeMs).toFixed(0)} ms ago`
  ]
}

/** Jobs that were changed by somebody who did not have them. */
export const checkLeases = (
  { joinedAtMs, jobs, processes }: RunRecord,
  faults: ReadonlyArray<Fault>
): ReadonlyArray<string> => {
  const of = {
    processes,
    joinedAtMs,
    hurt: hurtSince(faults),
    isStale: faults.some(({ kind }) => kind === "stale reads")
  }
  const last = new Map<string, JobWritten>()
  return jobs.flatMap((written) => {
    const before = last.get(written.subject)
    last.set(written.subject, written)
    return before === undefined ? [] : checkChange(before, written, of)
  })
}
