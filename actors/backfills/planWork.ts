/**
 * What is left of a backfill, and what is to be asked for next?
 *
 * Pure: from what was ordered, what is covered and what was asked for before. However large the range is, only the next
 * windows are looked at one by one; the rest is arithmetic on ranges.
 */
import type { BackfillFigures, NamedBackfill } from "../../protocol/history/NamedBackfill.ts"
import { isRange } from "../../protocol/history/Range.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { windowsPerErrand } from "../../protocol/history/planBackfill.ts"
import * as Outstanding from "./Outstanding.ts"

/** Windows of one backfill that are under way or wait to be tried again. Four claims of them keep four workers busy. */
export const outstandingMax = 64
/** Windows that are asked for together: as many as one claim takes, so that pages are full. */
export const windowsPerDemand = windowsPerErrand

/** What there is to decide upon. */
export interface Situation {
  readonly backfill: Pick<NamedBackfill, "start" | "end" | "order" | "quarantined">
  readonly covered: RangeSet.RangeSet
  /** What is known of time that is missing. */
  readonly exceptions: ReadonlyArray<MissingRange.MissingRange>
  readonly grid: Window.Grid
  readonly outstanding: Outstanding.Outstanding
  readonly nowMs: number
}

/** What is left, and what to do about it. */
export interface WorkPlan {
  readonly figures: BackfillFigures
  /** What is left, and may be asked for now. */
  readonly askable: RangeSet.RangeSet
  /** What waits for an operator, by the record of the backfill or by the root of its series. */
  readonly quarantined: RangeSet.RangeSet
  /** What to ask for, a demand each; in the order of the backfill. */
  readonly demands: ReadonlyArray<RangeSet.RangeSet>
  /** The outstanding windows that still lack something. */
  readonly outstanding: Outstanding.Outstanding
  /** When the first time that is deferred may be asked for; infinite where there is none. */
  readonly deferredUntil: number
}

/** The first windows that have any of the set's time: of them, no more than `windowsMax`. */
const oldest = (grid: Window.Grid, set: RangeSet.RangeSet, windowsMax: number): RangeSet.RangeSet => {
  let taken = 0
  let until = -Infinity
  for (let index = 0; index < RangeMeasure.size(set); index++) {
    const [start, end] = RangeMeasure.at(set, index)
    for (let window = Math.max(until, Window.windowStart(grid, start)); isRange(window, end); window = until) {
      if (taken === windowsMax) return RangeSet.clip(set, -Infinity, until)
      taken += 1
      until = Window.next(grid, window)
    }
  }
  return set
}

/** The last such windows. */
const newest = (grid: Window.Grid, set: RangeSet.RangeSet, windowsMax: number): RangeSet.RangeSet => {
  let taken = 0
  let from = Infinity
  for (let index = RangeMeasure.size(set) - 1; index >= 0; index--) {
    const [start, end] = RangeMeasure.at(set, index)
    while (isRange(start, Math.min(from, end))) {
      if (taken === windowsMax) return RangeSet.clip(set, from, Infinity)
      taken += 1
      from = Window.windowStart(grid, Math.min(from, end) - 1)
    }
  }
  return set
}

/** What to ask for so that no more windows are outstanding than may be; in lots that fill pages. */
const demandsOf = ({ backfill, grid }: Situation, free: RangeSet.RangeSet, outstandingCount: number) => {
  const pick = backfill.order === "oldest_first" ? oldest : newest
  const demands: Array<RangeSet.RangeSet> = []
  let left = free
  for (let room = outstandingMax - outstandingCount; room >= windowsPerDemand; room -= windowsPerDemand) {
    if (RangeMeasure.isEmpty(left)) break
    const next = pick(grid, left, windowsPerDemand)
    demands.push(next)
    left = RangeSet.subtract(left, next)
  }
  return demands
}

/** What is left, and what to ask for next. */
export const planWork = (situation: Situation): WorkPlan => {
  const { backfill, covered, exceptions, grid, nowMs } = situation
  const { end, quarantined, start } = backfill
  const known = (isSo: (range: MissingRange.MissingRange) => boolean) => MissingRange.timeOf(exceptions.filter(isSo))
  const missing = RangeSet.missing(covered, start, end)
  const unavailable = RangeSet.intersect(
    missing,
    known(({ state }) => state === "unavailable")
  )
  const waiting = RangeSet.union(
    quarantined,
    known(({ state }) => state === "quarantined")
  )
  const setAside = RangeSet.subtract(RangeSet.intersect(missing, waiting), unavailable)
  const left = RangeSet.subtract(missing, RangeSet.union(unavailable, setAside))
  const isEarly = ({ retryAt, state }: MissingRange.MissingRange) =>
    state === "deferred" && (retryAt === null || retryAt > nowMs)
  const deferred = RangeSet.intersect(left, known(isEarly))
  const askable = RangeSet.subtract(left, deferred)
  const outstanding = Outstanding.within(situation.outstanding, grid, askable)
  const bars = (set: RangeSet.RangeSet) => RangeMeasure.bars(set, grid.intervalMs)
  const early = MissingRange.clipTo(exceptions.filter(isEarly), deferred)
  return {
    figures: {
      at: nowMs,
      bars: bars(RangeSet.of(start, end)),
      windows: Window.count(grid, RangeSet.of(start, end)),
      leftBars: bars(left),
      leftWindows: Window.count(grid, left),
      deferredBars: bars(deferred),
      unavailableBars: bars(unavailable),
      quarantinedBars: bars(setAside)
    },
    askable,
    quarantined: setAside,
    demands: demandsOf(situation, RangeSet.subtract(askable, Outstanding.timeOf(outstanding, grid)), outstanding.size),
    outstanding,
    deferredUntil: Math.min(Infinity, ...early.map(({ retryAt }) => retryAt ?? Infinity))
  }
}
