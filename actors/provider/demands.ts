/** Which demands of its policy does the content of an answer not meet, and when does asking again make sense? Pure. */
import type { Range } from "../../protocol/history/Range.ts"
import type { SlaViolation } from "../../protocol/history/HistoryResult.ts"
import { isOwed, type MissingRange } from "../../protocol/history/MissingRange.ts"
import type { QualitySummary } from "../../protocol/history/QualitySummary.ts"
import { bounds, durationMs } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { SlaPolicy } from "../../protocol/history/SlaPolicy.ts"
import { Option } from "effect"
import type { Filled } from "./fillGap.ts"

/** The bars that were to come, and those that came. */
export type Counted = Pick<QualitySummary, "expectedBars" | "rows">

/** The share of the expected bars that came; all of none is all. */
export const coverageShare = ({ expectedBars, rows }: Counted): number => (expectedBars === 0 ? 1 : rows / expectedBars)

/** Time of an answer. */
export interface Time {
  readonly range: Range
  readonly covered: RangeSet.RangeSet
  /** Of which no bar is expected, and nothing is covered. */
  readonly unexpected: RangeSet.RangeSet
  /** Up to when bars are final by now. */
  readonly finalUntilMs: number
}

/**
 * How far the newest covered bar is behind the newest bar of the range that could be final by now, in milliseconds; all
 * of the range until then where nothing is covered. Time in which no bar is expected does not count.
 */
export const lagMs = ({ covered, finalUntilMs, range: [start, end], unexpected }: Time): number => {
  const until = Math.min(end, finalUntilMs)
  if (until <= start) return 0
  const newest = Option.match(bounds(RangeSet.clip(covered, start, until)), {
    onNone: () => start,
    onSome: (span) => span.end
  })
  return newest >= until ? 0 : durationMs(RangeSet.subtract(RangeSet.of(newest, until), unexpected))
}

/** What an answer is measured by. */
export interface Measured {
  readonly counted: Counted
  readonly lagMs: number
  readonly elapsedMs: number
  readonly totalDeadlineMs: number | null
}

/** The demands on its content that an answer does not meet, in the order in which they count. */
export const unmet = (
  { maxLagMs = Infinity, minCoverage = 0 }: SlaPolicy,
  { counted, elapsedMs, lagMs: lag, totalDeadlineMs }: Measured
): ReadonlyArray<SlaViolation> => {
  const coverage = { phase: "minCoverage", budgetMs: totalDeadlineMs ?? 0, waitedMs: elapsedMs, retryAfterMs: null }
  return [
    ...(coverageShare(counted) < minCoverage ? [coverage] : []),
    ...(lag > maxLagMs ? [{ phase: "lag", budgetMs: maxLagMs, waitedMs: lag, retryAfterMs: null }] : [])
  ]
}

/** How long until anything of what is lacking is tried again, by all that is known of it; null where nothing is. */
export const retryAfterMs = (
  missing: ReadonlyArray<MissingRange>,
  { jobs, notAsked }: Pick<Filled, "jobs" | "notAsked">,
  nowMs: number
): number | null => {
  const refused = notAsked !== undefined && "retryAfterMs" in notAsked ? [notAsked.retryAfterMs] : []
  const times = [
    ...missing.flatMap((range) => (isOwed(range) && range.retryAt !== null ? [range.retryAt - nowMs] : [])),
    ...jobs.flatMap(({ nextAttemptAt }) => (nextAttemptAt === null ? [] : [nextAttemptAt - nowMs])),
    ...refused
  ]
  return times.length === 0 ? null : Math.max(0, Math.min(...times))
}
