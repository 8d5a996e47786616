/** What is the honest account of an answer? Pure. */
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { type BackfillJob, isFinal } from "../../protocol/history/BackfillJob.ts"
import type { SourceOutcome } from "../../protocol/history/HistoryResult.ts"
import { type MissingRange, timeOf } from "../../protocol/history/MissingRange.ts"
import type { QualitySummary } from "../../protocol/history/QualitySummary.ts"
import { barCount } from "../../protocol/history/Interval.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Filled } from "./fillGap.ts"
import type { Loaded } from "./loadRows.ts"
import type { ValidRequest } from "./validRequest.ts"

const outcomeOf = (jobs: ReadonlyArray<BackfillJob>, timedOut: boolean): SourceOutcome => {
  const failure = jobs.find((job) => job.failure !== null)?.failure
  const requests = jobs.reduce((sum, job) => sum + job.requests, 0)
  if (failure !== undefined && failure !== null) {
    return { outcome: "failed", requests, error: { tag: failure.tag, message: failure.message } }
  }
  if (timedOut && jobs.some((job) => !isFinal(job))) return { outcome: "timed_out", requests }
  return { outcome: "ok", requests }
}

/** What became of asking each source; the cache and the store are sources too. */
export const sourceOutcomes = (
  { entry }: ValidRequest,
  filled: Filled,
  storageTimedOut: boolean
): Record<string, SourceOutcome> => {
  const asked = (name: string): ReadonlyArray<BackfillJob> =>
    filled.jobs.filter(({ failure, sources }) => (failure === null ? sources[0] === name : failure.source === name))
  const upstream = entry.sources.map((name): [string, SourceOutcome] => {
    const jobs = asked(name)
    return [name, jobs.length === 0 ? { outcome: "not_asked" } : outcomeOf(jobs, filled.timedOut)]
  })
  return {
    cache: { outcome: "ok" },
    storage: { outcome: storageTimedOut ? "timed_out" : "ok" },
    ...Object.fromEntries(upstream)
  }
}

const flagged = (flags: Uint32Array, bit: number): number =>
  flags.reduce((sum, flag) => sum + ((flag & bit) === 0 ? 0 : 1), 0)

/** Bars that can have a row, those that have one, and what conformance found in them. */
export const qualitySummary = (
  { entry: { interval }, range }: ValidRequest,
  { covered, frame }: Loaded,
  missing: ReadonlyArray<MissingRange>
): QualitySummary => {
  const rows = Frame.length(frame)
  const unavailable = timeOf(missing.filter(({ state }) => state === "unavailable"))
  const knownEmptyBars = bars(covered, interval.lengthMs) - rows
  return {
    rows,
    expectedBars: barCount(interval, ...range) - knownEmptyBars - bars(unavailable, interval.lengthMs),
    knownEmptyBars,
    gapCount: missing.length,
    outOfOrderCount: flagged(frame.flags, RowFlag.outOfOrder),
    duplicateCount: flagged(frame.flags, RowFlag.duplicate)
  }
}

/** The missing ranges with what is known of the jobs that were to fill them. */
export const explained = (missing: ReadonlyArray<MissingRange>, { jobs }: Filled): ReadonlyArray<MissingRange> =>
  missing.map((range) => {
    const job = jobs.find(({ failure, ranges }) => failure !== null && touches(ranges, range))
    if (range.state !== "missing" || job?.failure === undefined || job.failure === null) return range
    const state = job.state === "QUARANTINED" ? "quarantined" : "missing"
    return { ...range, state, reason: `${job.failure.source}: ${job.failure.message}`, retryAt: job.nextAttemptAt }
  })

const touches = (ranges: RangeSet.RangeSet, { end, start }: MissingRange): boolean =>
  !RangeSet.equals(RangeSet.clip(ranges, start, end), RangeSet.empty)
