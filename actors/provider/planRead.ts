/**
 * Who gives which part of an answer, and what is done about the gap?
 *
 * Pure: everything a read will do is decided before anything is done.
 */
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { bars, durationMs, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { gapRule } from "../../protocol/history/Strategy.ts"
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

/** Time from which on bars are not final yet: not missing, but asked for too soon. */
const notFinalYet = ({ entry: { finalityDelayMs, interval }, range }: ValidRequest, nowMs: number) => {
  const from = Interval.alignDown(interval, nowMs - finalityDelayMs)
  const tooSoon = RangeSet.clip(RangeSet.of(...range), from, Infinity)
  return MissingRange.classify(tooSoon, []).map((range): MissingRange.MissingRange => ({
    ...range,
    state: "deferred",
    reason: "its bars are not final yet",
    retryAt: range.start + interval.lengthMs + finalityDelayMs
  }))
}

/** The plan of a request, upon what is covered now. */
export const planRead = (request: ValidRequest, { covered, root }: CoverageView, nowMs: number): ReadPlan => {
  const missing = RangeSet.missing(covered, ...request.range)
  const early = notFinalYet(request, nowMs)
  const known = [...MissingRange.without(root.exceptions, MissingRange.timeOf(early)), ...early]
  const classified = MissingRange.classify(missing, known)
  const gap = RangeSet.subtract(MissingRange.askable(classified, nowMs), MissingRange.timeOf(early))
  const demand = { ...request, intervalMs: request.entry.interval.lengthMs }
  // what no source will ever have is no gap
  const owed = RangeSet.subtract(
    missing,
    MissingRange.timeOf(classified.filter(({ state }) => state === "unavailable"))
  )
  return {
    covered: RangeSet.clip(covered, ...request.range),
    missing: classified,
    gap,
    gapMode: gapModeOf(gap, owed, demand)
  }
}
