/** How long is waited for what? Pure: by the policy, for those who wait and for those who explain it. */
import type { SlaPolicy } from "../../protocol/history/SlaPolicy.ts"
import type { GapMode, Waits } from "../../protocol/history/ReadExplanation.ts"
import type { ValidRequest } from "./validRequest.ts"

/** Time that is kept back for putting the answer together and sending it, in milliseconds, and as a share. */
const reserveMs = 50
const reserveShare = 0.1

/** What a wait for a backfill leaves of the time for reading what it brought: a share of it, and no more than takes. */
const readingShare = 0.2
const readingMsMax = 250

/** What of the time until an answer has to be there may be spent on waiting. */
export const usableMs = (totalMs: number): number => totalMs - Math.min(reserveMs, totalMs * reserveShare)

/** How long a backfill is waited for, with so much time left. */
export const backfillWaitMs = ({ maxWaitBackfillMs = Infinity }: SlaPolicy, leftMs: number): number =>
  Math.min(maxWaitBackfillMs, leftMs - Math.min(readingMsMax, leftMs * readingShare))

const bounded = (ms: number): number | null => (ms === Infinity ? null : Math.round(ms))

/**
 * What a read waits for, and how long at the most: each phase as if those before it took no time. What is covered is
 * looked up in any case, with all the time there is, or with `maxWaitStorageMs` where its owner is to confirm it; the
 * rows of it have no more than `maxWaitStorageMs`.
 */
export const waitsOf = (gapMode: GapMode, { consistency, sla }: Pick<ValidRequest, "consistency" | "sla">): Waits => {
  const { maxWaitStorageMs = Infinity, retryBackoffMs = 0, totalDeadlineMs = Infinity } = sla
  const leftMs = usableMs(totalDeadlineMs)
  const rowsMs = Math.min(maxWaitStorageMs, leftMs)
  const storage = { budgetMs: bounded(consistency === "strict" ? rowsMs : leftMs), rowsMs: bounded(rowsMs) }
  const backfill = { budgetMs: bounded(backfillWaitMs(sla, leftMs)), ...(retryBackoffMs > 0 && { retryBackoffMs }) }
  return { totalDeadlineMs: bounded(totalDeadlineMs), phases: { storage, ...(gapMode === "wait" && { backfill }) } }
}
