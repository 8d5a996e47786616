/**
 * What exactly is a source asked, of all that the jobs of an errand are to bring?
 *
 * Pure: the jobs, what is known of the series and the source in, stretches of time out. What others have covered, what
 * can't be had and what is not final is not asked for, whatever the jobs say: they may have been opened before that was
 * known.
 */
import { type BackfillJob, isRevision } from "../../protocol/history/BackfillJob.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { at, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import type { Capabilities } from "../sources/DataSource.ts"
import * as Reach from "../sources/Reach.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { remainingRanges } from "./jobStep.ts"
import { planStretches } from "./planStretches.ts"

/** What is asked of a source, and what is not. */
export interface ErrandPlan {
  readonly stretches: RangeSet.RangeSet
  /** What of the stretches no job is to bring: it lies between parts of one window that are wanted. */
  readonly along: RangeSet.RangeSet
  /** What is wanted, and this source does not keep any more: another may. */
  readonly beyond: RangeSet.RangeSet
  /** Time that can't be had: it is not looked at either. */
  readonly shut: RangeSet.RangeSet
  /** Time in which nothing was traded: an absence up to it ends there. */
  readonly untraded: RangeSet.RangeSet
  /** Bars from here on are not final yet. */
  readonly finalUntil: number
}

/** What the plan rests on. */
export interface ErrandGround {
  readonly entry: CatalogEntry
  readonly capabilities: Capabilities
  readonly view: CoverageView
  readonly nowMs: number
}

/** From the first to the last moment of the set. */
const hull = (set: RangeSet.RangeSet): RangeSet.RangeSet => RangeSet.of(at(set, 0)[0], at(set, size(set) - 1)[1])

/** The time that a job sees to: what it is to bring, and what is asked along in the midst of it. */
export const scopeOf = (job: BackfillJob, along: RangeSet.RangeSet): RangeSet.RangeSet => {
  const wanted = remainingRanges(job)
  return RangeSet.union(wanted, RangeSet.intersect(along, hull(wanted)))
}

/**
 * The plan of an errand for jobs that ask for stored time once more. What a source does not keep any more can't be had
 * otherwise than it is stored.
 */
const planRevision = (jobs: ReadonlyArray<BackfillJob>, ground: ErrandGround, finalUntil: number): ErrandPlan => {
  const { capabilities, entry, nowMs, view } = ground
  const forgotten = Reach.forgotten(capabilities.retentionMs, entry.interval, nowMs)
  // what is stored was final when it was, whatever the clock of this host says
  const stored = RangeSet.subtract(view.covered, forgotten)
  return {
    stretches: RangeSet.intersect(RangeSet.unionAll(jobs.map(remainingRanges)), stored),
    along: RangeSet.empty,
    beyond: RangeSet.empty,
    // that nothing was traded before or behind is no word of the source on what is stored
    shut: RangeSet.union(forgotten, Reach.untraded(entry)),
    untraded: RangeSet.empty,
    finalUntil
  }
}

/** The plan of an errand for these jobs, which all fill what is missing, or all revise what is stored. */
export const planErrand = (jobs: ReadonlyArray<BackfillJob>, ground: ErrandGround): ErrandPlan => {
  const {
    capabilities,
    entry,
    nowMs,
    view: { covered, root }
  } = ground
  const { barsPerRequest, finalityDelayMs, joinGapsBars = 0, retentionMs } = capabilities
  const { interval } = entry
  const finalUntil = Math.min(Reach.finalUntil(entry, nowMs), Interval.alignDown(interval, nowMs - finalityDelayMs))
  if (jobs.some(isRevision)) return planRevision(jobs, ground, finalUntil)
  const never = MissingRange.timeOf(root.exceptions.filter((range) => !MissingRange.isOwed(range)))
  const untraded = Reach.untraded(entry)
  const forgotten = Reach.forgotten(retentionMs, interval, nowMs)
  const closed = RangeSet.unionAll([covered, never, untraded, Reach.forgotten(entry.retentionMs, interval, nowMs)])
  const open = RangeSet.clip(
    RangeSet.subtract(RangeSet.unionAll(jobs.map(remainingRanges)), closed),
    -Infinity,
    finalUntil
  )
  const wanted = RangeSet.subtract(open, forgotten)
  const within = RangeSet.unionAll(jobs.map((job) => hull(RangeSet.intersect(wanted, remainingRanges(job)))))
  const stretches = planStretches(
    wanted,
    Reach.askable(entry, RangeSet.subtract(within, covered), root.exceptions, nowMs),
    { intervalMs: interval.lengthMs, barsPerRequest, joinGapsBars }
  )
  return {
    stretches,
    along: RangeSet.subtract(stretches, wanted),
    beyond: RangeSet.subtract(open, wanted),
    shut: RangeSet.unionAll([never, untraded, forgotten]),
    untraded,
    finalUntil
  }
}
