/**
 * Who gives which part of an answer, and what is done about the gap?
 *
 * Pure: everything a read will do is decided before anything is done.
 */
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { bars, durationMs, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { GapCause, GapMode } from "../../protocol/history/ReadExplanation.ts"
import { gapRule } from "../../protocol/history/Strategy.ts"
import * as Window from "../../protocol/history/Window.ts"
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
  readonly gapMode: GapMode
  readonly because: GapCause
  /** The windows in which the gap lies: each is one job, whoever asks for it. */
  readonly gapWindows: ReadonlyArray<Window.WindowRanges>
}

/** What is done, and why. */
type Decision = Pick<ReadPlan, "gapMode" | "because">

type GapDemand = Pick<ValidRequest, "strategy" | "sla"> & { readonly intervalMs: number }

const isSmall = (gap: RangeSet.RangeSet, { intervalMs, sla }: GapDemand): boolean =>
  bars(gap, intervalMs) <= (sla.maxSyncGapBars ?? Infinity) && durationMs(gap) <= (sla.maxSyncGapMs ?? Infinity)

const decide = (gap: RangeSet.RangeSet, missing: RangeSet.RangeSet, demand: GapDemand): Decision => {
  if (isEmpty(missing)) return { gapMode: "none", because: "complete" }
  const rule = gapRule[demand.strategy]
  if (rule === "fail") return { gapMode: "fail", because: "strategy" }
  if (isEmpty(gap)) return { gapMode: "none", because: "notAskable" }
  if (rule === "queue") return { gapMode: "queue", because: "strategy" }
  if (!isSmall(gap, demand)) return { gapMode: "queue", because: "large" }
  return { gapMode: "wait", because: rule === "wait" ? "strategy" : "small" }
}

const ofPast = ({ asOf }: ValidRequest, decision: Decision): Decision =>
  asOf === undefined || decision.gapMode === "fail" || decision.because === "complete"
    ? decision
    : { gapMode: "none", because: "past" }

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
    gapWindows: Window.split(Window.makeGrid(request.entry.interval, root.windowBars), gap),
    ...ofPast(request, decide(gap, owed, demand))
  }
}
