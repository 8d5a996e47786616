/**
 * Who gives which part of an answer, and what is done about the gap?
 *
 * Pure: everything a read will do is decided before anything is done.
 */
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { bars, durationMs, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { gapRule } from "../../protocol/history/Strategy.ts"
import * as Reach from "../sources/Reach.ts"
import type { ValidRequest } from "./validRequest.ts"

/** What is there, what is not, and what to do about it. */
export interface ReadPlan {
  readonly covered: RangeSet.RangeSet
  /** Every part that is not covered, with its state. */
  readonly missing: ReadonlyArray<MissingRange.MissingRange>
  /** What of it makes sense to ask for now. */
  readonly gap: RangeSet.RangeSet
  /** none: no gap that can be filled; fail: refuse; queue: ask and do not wait; wait: ask and wait. */
  readonly gapMode: "none" | "fail" | "queue" | "wait"
}

type GapDemand = Pick<ValidRequest, "strategy" | "sla"> & { readonly intervalMs: number }

const isSmall = (gap: RangeSet.RangeSet, { intervalMs, sla }: GapDemand): boolean =>
  bars(gap, intervalMs) <= (sla.maxSyncGapBars ?? Infinity) && durationMs(gap) <= (sla.maxSyncGapMs ?? Infinity)

const gapModeOf = (gap: RangeSet.RangeSet, missing: RangeSet.RangeSet, demand: GapDemand): ReadPlan["gapMode"] => {
  const rule = gapRule[demand.strategy]
  if (rule === "fail") return isEmpty(missing) ? "none" : "fail"
  if (isEmpty(gap)) return "none"
  return rule === "queue" || !isSmall(gap, demand) ? "queue" : "wait"
}

const ofPast = ({ asOf }: ValidRequest, mode: ReadPlan["gapMode"]): ReadPlan["gapMode"] =>
  asOf === undefined || mode === "fail" ? mode : "none"

/** The plan of a request, upon what is covered; of the past nothing is filled, and strategies only judge it. */
export const planRead = (request: ValidRequest, { covered, root }: CoverageView, nowMs: number): ReadPlan => {
  const missing = RangeSet.missing(covered, ...request.range)
  const classified = Reach.classify(request.entry, missing, root.exceptions, nowMs)
  const gap = MissingRange.askable(classified, nowMs)
  const demand = { ...request, intervalMs: request.entry.interval.lengthMs }
  // what no source will ever have is no gap
  const owed = MissingRange.timeOf(classified.filter(MissingRange.isOwed))
  return {
    covered: RangeSet.clip(covered, ...request.range),
    missing: classified,
    gap,
    gapMode: ofPast(request, gapModeOf(gap, owed, demand))
  }
}
