/** What exactly is a source asked, so that its answer can prove as much as possible? Pure. */
import type { Range } from "../../protocol/history/Range.ts"
import { at, includes, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

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
  /** Whether the time right before `start`, and right behind `end`, is covered. */
  readonly coveredBefore: boolean
  readonly coveredBehind: boolean
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
}

/**
 * The question about a stretch that is not covered. Time that is covered is never asked about again, not even in
 * passing; nor is time that can't be had.
 */
export const about = ([start, end]: Range, circumstances: Circumstances): Question => {
  const { barsPerRequest, covered, finalUntil, intervalMs, maxEmptyBars, shut } = circumstances
  const closed = RangeSet.union(covered, shut)
  const lookMs = (maxEmptyBars + 1) * intervalMs
  const before = RangeSet.missing(closed, start - lookMs, start)
  const behind = RangeSet.clip(RangeSet.missing(closed, end, end + lookMs), -Infinity, finalUntil)
  const [lookFrom, touchesStart] = at(before, size(before) - 1)
  const [touchesEnd, lookUntil] = at(behind, 0)
  const from = touchesStart === start ? lookFrom : start
  const until = touchesEnd === end ? lookUntil : end
  return {
    start,
    end,
    intervalMs,
    maxEmptyBars,
    barsPerRequest,
    lookFrom: from,
    lookUntil: until,
    coveredBefore: includes(covered, start - 1),
    coveredBehind: includes(covered, end),
    coveredBeforeLook: includes(covered, from - 1),
    coveredBehindLook: includes(covered, until)
  }
}
