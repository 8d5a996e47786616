/**
 * How does a named backfill go from one status to the next?
 *
 * Pure. It is created running; running ⇄ paused by operators, and paused by itself where too much fails; done by itself
 * and cancelled by an operator, both for good.
 */
import { Result, Schema } from "effect"
import { BackfillEnded } from "../../protocol/history/BackfillErrors.ts"
import {
  type BackfillFigures,
  BackfillSpec,
  type BackfillStatus,
  type NamedBackfill,
  specOf
} from "../../protocol/history/NamedBackfill.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { ChangeBackfill, CreateBackfill } from "../../protocol/messages/Backfills.ts"

/** Who changes it where no operator does. */
const itself = "seamless"

const isAlike = Schema.toEquivalence(BackfillSpec)

const isEnded = (status: BackfillStatus): boolean => status === "done" || status === "cancelled"

const unknownFigures: BackfillFigures = {
  at: 0,
  bars: 0,
  windows: 0,
  leftBars: 0,
  leftWindows: 0,
  deferredBars: 0,
  unavailableBars: 0,
  quarantinedBars: 0
}

/** A backfill that nobody has looked at yet. */
export const created = (name: string, { by, spec }: CreateBackfill, nowMs: number): NamedBackfill => ({
  format: 1,
  name,
  ...spec,
  status: "running",
  createdAt: nowMs,
  by,
  changedAt: nowMs,
  changedBy: by,
  reason: "",
  figures: unknownFigures,
  failing: [],
  quarantined: RangeSet.empty
})

/** Whether the backfill is of what is ordered. */
export const isOf = (backfill: NamedBackfill, spec: BackfillSpec): boolean => isAlike(specOf(backfill), spec)

/** The backfill as an operator wants it from now on; the same where it is so already. */
export const changed = (
  backfill: NamedBackfill,
  { by, to }: ChangeBackfill,
  nowMs: number
): Result.Result<NamedBackfill, BackfillEnded> => {
  const { name, quarantined, status } = backfill
  if (status === to) return Result.succeed(backfill)
  if (isEnded(status)) return Result.fail(new BackfillEnded({ backfill: name, status }))
  return Result.succeed({
    ...backfill,
    status: to,
    changedAt: nowMs,
    changedBy: by,
    reason: "",
    // what was quarantined may not be any more: it is asked for again, and refused where it still is
    quarantined: to === "running" ? RangeSet.empty : quarantined
  })
}

/** The backfill as it makes itself: done, or paused for a reason that an operator has to see to. */
export const changedByItself = (
  backfill: NamedBackfill,
  change: Pick<NamedBackfill, "status" | "reason">,
  nowMs: number
): NamedBackfill => ({ ...backfill, ...change, changedAt: nowMs, changedBy: itself })
