/** What exactly is a source asked, so that its answer can prove as much as possible? Pure. */
import type { Range } from "../../protocol/history/Range.ts"
import { at, coveredPrefixEnd, includes, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { openBefore, openBehind } from "./openTime.ts"

const dayMs = 86_400_000

/**
 * How far around a stretch closed time is looked up: the longest holidays of any market, and besides so many times the
 * absence that counts, since of a week a market may be open for a seventh.
 */
const holidaysMs = 16 * dayMs
const closedShare = 8

/** A stretch of time to ask about, and how far beyond its edges may be looked. */
export interface Question {
  readonly start: number
  readonly end: number
  readonly intervalMs: number
  readonly maxEmptyBars: number
  readonly barsPerRequest: number
  /** How far before `start` may be looked for a bar; `start` where the time before is covered or can't be had. */
  readonly lookFrom: number
  /** How far behind `end`; `end` where the time behind is covered, can't be had, or is not final yet. */
  readonly lookUntil: number
  /** The time around the stretch that may be looked at: without what is covered, which is closed there. */
  readonly lookable: RangeSet.RangeSet
  /** Closed time in and around the stretch: of an absence, only the rest counts. */
  readonly closed: RangeSet.RangeSet
  /** Whether the time right before `start`, and right behind `end`, is covered; that beyond what is closed there. */
  readonly coveredBefore: boolean
  readonly coveredBehind: boolean
  /** Whether nothing but bars of the answer on either side proves an absence: what is stored is not taken back else. */
  readonly byBarsAlone: boolean
  /** Whether looking ends there because the time beyond is covered: nothing found up to it is an absence up to it. */
  readonly coveredBeforeLook: boolean
  readonly coveredBehindLook: boolean
}

/** What the question depends on beside the stretch. */
export interface Circumstances {
  readonly intervalMs: number
  readonly maxEmptyBars: number
  readonly barsPerRequest: number
  readonly covered: RangeSet.RangeSet
  /** Time that can't be had: it is not looked at, and proves nothing. */
  readonly shut: RangeSet.RangeSet
  /** Bars from here on are not final yet. */
  readonly finalUntil: number
  /** Whether stored time is asked about: what is stored beside it, or that the market is closed, then is no proof. */
  readonly byBarsAlone?: boolean
  /** Time of a range in which the market is closed. */
  readonly closedIn: (range: Range) => RangeSet.RangeSet
}

/** No market closes. */
export const neverClosed: Circumstances["closedIn"] = () => RangeSet.empty

/** The moment, or the begin of the closed time right before it. */
const overClosedBefore = (moment: number, closed: RangeSet.RangeSet): number => {
  const before = RangeSet.clip(closed, -Infinity, moment)
  const [start, end] = at(before, size(before) - 1)
  return end === moment ? start : moment
}

/**
 * The question about a stretch that is not covered. Time that is covered is never asked about again, not even in
 * passing; nor is time that can't be had. That closed time is covered proves nothing of the open time beside it, so a
 * look goes on behind it. Where the stretch itself is stored, a look may go into covered time: what stands there says
 * nothing of what the source has now.
 */
export const about = ([start, end]: Range, circumstances: Circumstances): Question => {
  const { barsPerRequest, byBarsAlone = false, closedIn, finalUntil, intervalMs, maxEmptyBars, shut } = circumstances
  const covered = byBarsAlone ? RangeSet.empty : circumstances.covered
  const lookMs = (maxEmptyBars + 1) * intervalMs
  const aroundMs = holidaysMs + closedShare * lookMs
  const around: Range = [start - aroundMs, end + aroundMs]
  const closed = closedIn(around)
  // what is closed for longer than that ends no absence
  const known = RangeSet.clip(covered, ...around)
  const walls = RangeSet.union(RangeSet.subtract(known, closed), shut)
  const before = RangeSet.missing(walls, openBefore(closed, start, lookMs), start)
  const behind = RangeSet.clip(RangeSet.missing(walls, end, openBehind(closed, end, lookMs)), -Infinity, finalUntil)
  const [beforeFrom, touchesStart] = at(before, size(before) - 1)
  const [touchesEnd, behindUntil] = at(behind, 0)
  const lookable = RangeSet.subtract(
    RangeSet.union(
      touchesStart === start ? RangeSet.of(beforeFrom, start) : RangeSet.empty,
      touchesEnd === end ? RangeSet.of(end, behindUntil) : RangeSet.empty
    ),
    known
  )
  const lookFrom = Math.min(start, lookable.edges[0] ?? start)
  const lookUntil = Math.max(end, lookable.edges.at(-1) ?? end)
  return {
    start,
    end,
    intervalMs,
    maxEmptyBars,
    barsPerRequest,
    lookFrom,
    lookUntil,
    lookable,
    closed,
    byBarsAlone,
    coveredBefore: includes(known, overClosedBefore(start, closed) - 1),
    coveredBehind: includes(known, coveredPrefixEnd(closed, end)),
    coveredBeforeLook: includes(known, overClosedBefore(lookFrom, closed) - 1),
    coveredBehindLook: includes(known, coveredPrefixEnd(closed, lookUntil))
  }
}
