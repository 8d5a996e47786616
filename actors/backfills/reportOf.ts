/** What is told of a backfill? Pure. */
import { toPairs } from "../../protocol/history/RangePairs.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import type { BackfillReport, BackfillSummary, NamedBackfill } from "../../protocol/history/NamedBackfill.ts"
import * as Outstanding from "./Outstanding.ts"
import * as Pace from "./Pace.ts"

/** Quarantined ranges that are told of one by one. */
const rangesMax = 16

/** What an activation knows of its backfill beside the record; all of it comes back by asking again. */
export interface Knowledge {
  readonly outstanding: Outstanding.Outstanding
  readonly pace: Pace.Pace
  /** What keeps it from going on just now; empty where nothing does. */
  readonly trouble: string
  /** What waits for an operator, as of the last look; null before there was one. */
  readonly quarantined: RangeSet | null
  /** What it waits for before it does anything, in epoch milliseconds; null where it is at it. */
  readonly waitsUntil: number | null
}

/** Nothing is known yet. */
export const nothing: Knowledge = {
  outstanding: Outstanding.none,
  pace: Pace.empty,
  trouble: "",
  quarantined: null,
  waitsUntil: null
}

/** What of a record everybody is told. */
export const summaryOf = ({
  failing: _failing,
  format: _format,
  quarantined: _quarantined,
  ...summary
}: NamedBackfill): BackfillSummary => summary

/** All that is told of it. */
export const reportOf = (backfill: NamedBackfill, knowledge: Knowledge): BackfillReport => {
  const { outstanding, pace, trouble, waitsUntil } = knowledge
  const { figures, status } = backfill
  const isRunning = status === "running"
  const rate = isRunning ? Pace.perSecond(pace) : null
  const failing = Outstanding.failing(outstanding)
  return {
    ...summaryOf(backfill),
    reason: trouble === "" ? backfill.reason : trouble,
    barsPerSecond: rate,
    secondsLeft:
      isRunning && waitsUntil === null ? Pace.secondsFor(figures.leftBars - figures.deferredBars, rate) : null,
    outstandingWindows: outstanding.size,
    failingWindows: failing.count,
    failing: failing.first,
    quarantinedRanges: toPairs(knowledge.quarantined ?? backfill.quarantined).slice(0, rangesMax),
    waitsUntil
  }
}
