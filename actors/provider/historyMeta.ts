/** What is the honest account of an answer? Pure. */
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { type BackfillJob, isFinal, type JobFailure } from "../../protocol/history/BackfillJob.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import type { SourceOutcome } from "../../protocol/history/HistoryResult.ts"
import { type MissingRange, timeOf } from "../../protocol/history/MissingRange.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import type { QualitySummary } from "../../protocol/history/QualitySummary.ts"
import { barCount } from "../../protocol/history/Interval.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { Filled } from "./fillGap.ts"
import { examplesMax, type Found, foundIn } from "./Found.ts"
import type { Loaded } from "./loadRows.ts"
import type { ValidRequest } from "./validRequest.ts"

/** Why the source gave no answer to a job, if it was asked and did not. */
const failureOf = ({ failure, passedOver }: BackfillJob, source: string): JobFailure | undefined =>
  [...passedOver, ...(failure === null ? [] : [failure])].find((failed) => failed.source === source)

/** Whether the source is the one that answered the job, or is being asked. */
const isAsked = ({ failure, passedOver, sources }: BackfillJob, source: string): boolean =>
  failure === null && sources.find((name) => !passedOver.some((failed) => failed.source === name)) === source

const outcomeOf = ({ jobs, timedOut }: Filled, source: string): SourceOutcome => {
  const failure = jobs.map((job) => failureOf(job, source)).find((found) => found !== undefined)
  const asked = jobs.filter((job) => job.failure?.source === source || isAsked(job, source))
  const requests = asked.reduce((sum, job) => sum + job.requests, 0)
  // an operator had turned that off before the source was asked
  if (failure?.tag === "BackfillOff") return { outcome: "not_asked" }
  if (failure !== undefined) {
    return { outcome: "failed", requests, error: { tag: failure.tag, message: failure.message } }
  }
  const isOpen = asked.some((job) => !isFinal(job))
  // a job that was queued and not waited for has not asked anyone yet, as far as this answer goes
  if (asked.length === 0 || (isOpen && !timedOut)) return { outcome: "not_asked" }
  if (!isOpen) return { outcome: "ok", requests }
  // its record was read when the wait began: that it was sent nothing is not known
  return { outcome: "timed_out", ...(requests > 0 && { requests }) }
}

/** What became of asking the stores of this host for rows. */
export interface StoresAsked extends Pick<Loaded, "stores"> {
  readonly storageTimedOut: boolean
}

const cacheOutcome = ({ stores: { chunks } }: StoresAsked): SourceOutcome =>
  chunks.wanted === 0 ? { outcome: "not_asked" } : { outcome: "ok", chunks: chunks.fromCache }

const storageOutcome = ({ storageTimedOut, stores }: StoresAsked): SourceOutcome => {
  const { chunks, failure, storageAsked } = stores
  if (failure !== undefined) {
    const error = { tag: failure._tag, message: failure.message }
    return { outcome: "failed", chunks: chunks.fromStorage, error }
  }
  if (storageTimedOut) return { outcome: "timed_out" }
  return storageAsked ? { outcome: "ok", chunks: chunks.fromStorage } : { outcome: "not_asked" }
}

/** What became of asking the two stores of a host for rows. */
export type StoreOutcomes = Readonly<Record<"cache" | "storage", SourceOutcome>>

/** Of who reads no rows. */
export const storesUnused: StoreOutcomes = { cache: { outcome: "not_asked" }, storage: { outcome: "not_asked" } }

/** Of rows that were loaded at once. */
export const storeOutcomes = (asked: StoresAsked): StoreOutcomes => ({
  cache: cacheOutcome(asked),
  storage: storageOutcome(asked)
})

/** What became of asking each source; the cache and the store are sources too. */
export const sourceOutcomes = (
  { entry }: ValidRequest,
  filled: Filled,
  stores: StoreOutcomes
): Record<string, SourceOutcome> => ({
  ...stores,
  ...Object.fromEntries(entry.sources.map((name) => [name, outcomeOf(filled, name)] as const))
})

/** The times of the first rows with the bit. */
const firstFlagged = ({ eventTimeMs, flags }: Frame.Frame, bit: number): ReadonlyArray<number> => {
  const examples: Array<number> = []
  for (let row = 0; row < flags.length && examples.length < examplesMax; row++) {
    if ((flags[row]! & bit) !== 0) examples.push(eventTimeMs[row]!)
  }
  return examples
}

/** How many rows there are, and what conformance marked in them. */
export type RowCounts = Pick<QualitySummary, "rows" | "outOfOrderCount" | "duplicateCount" | "examples">

/** What conformance marked in the rows, by its bits. */
export const countRows = (frame: Frame.Frame): RowCounts => {
  const bits = { outOfOrderCount: RowFlag.outOfOrder, duplicateCount: RowFlag.duplicate } as const
  const { flags } = frame
  const counts = { outOfOrderCount: 0, duplicateCount: 0 }
  for (let row = 0; row < flags.length; row++) {
    if ((flags[row]! & bits.outOfOrderCount) !== 0) counts.outOfOrderCount += 1
    if ((flags[row]! & bits.duplicateCount) !== 0) counts.duplicateCount += 1
  }
  const names = (["outOfOrderCount", "duplicateCount"] as const).filter((name) => counts[name] > 0)
  const examples = Object.fromEntries(names.map((name) => [name, firstFlagged(frame, bits[name])]))
  return { rows: Frame.length(frame), ...counts, ...(names.length > 0 && { examples }) }
}

/** What two stretches of rows come to together, the earlier one first. */
export const addCounts = (before: RowCounts, after: RowCounts): RowCounts => {
  const names = (["outOfOrderCount", "duplicateCount"] as const).filter((name) => before[name] + after[name] > 0)
  const examples = names.map((name) => {
    const times = [...(before.examples?.[name] ?? []), ...(after.examples?.[name] ?? [])]
    return [name, times.slice(0, examplesMax)] as const
  })
  return {
    rows: before.rows + after.rows,
    outOfOrderCount: before.outOfOrderCount + after.outOfOrderCount,
    duplicateCount: before.duplicateCount + after.duplicateCount,
    ...(names.length > 0 && { examples: Object.fromEntries(examples) })
  }
}

/** What rules found in the rows, and what they keep out of them; and what steps of conformance did to rows. */
const findingsOf = (
  intervalMs: number,
  found: Found,
  missing: ReadonlyArray<MissingRange>
): Pick<QualitySummary, "findings" | "conformed"> => {
  const { rules, steps } = Findings.split(found)
  const kept = missing.flatMap((range) =>
    range.rule === undefined ? [] : [[range.rule, RangeSet.of(range.start, range.end)] as const]
  )
  const flag = Object.entries(rules).map(([rule, each]) => [rule, { ...each, severity: "flag" }] as const)
  // a rule that has become stricter since then has some of both: what is kept out is told
  const quarantine = Object.entries(foundIn(Findings.make(kept), intervalMs)).map(
    ([rule, each]) => [rule, { ...each, severity: "quarantine" }] as const
  )
  const all = [...flag, ...quarantine]
  return {
    ...(all.length > 0 && { findings: Object.fromEntries(all) }),
    ...(Object.keys(steps).length > 0 && { conformed: steps })
  }
}

/** What of the range is closed, as far as nothing is stored of it: no bar is expected there. */
export const closedTime = (
  { entry: { calendar, interval }, range }: ValidRequest,
  stored: RangeSet.RangeSet
): RangeSet.RangeSet => RangeSet.subtract(Calendar.closedBars(calendar, interval, range), stored)

/** Bars that can have a row, those that have one, and what conformance found in them. */
export const qualitySummary = (
  { entry: { interval }, range }: ValidRequest,
  { counts, covered, found }: Pick<Loaded, "covered"> & { readonly counts: RowCounts; readonly found: Found },
  missing: ReadonlyArray<MissingRange>,
  closed: RangeSet.RangeSet
): QualitySummary => {
  const { rows, ...marked } = counts
  const unavailable = timeOf(missing.filter(({ state }) => state === "unavailable"))
  const unexpected = RangeSet.union(unavailable, RangeSet.subtract(closed, covered))
  const knownEmptyBars = bars(covered, interval.lengthMs) - rows
  return {
    rows,
    expectedBars: barCount(interval, ...range) - knownEmptyBars - bars(unexpected, interval.lengthMs),
    knownEmptyBars,
    gapCount: missing.length,
    ...marked,
    ...findingsOf(interval.lengthMs, found, missing)
  }
}

/** The time of which a job says why it is missing: nobody is asked about any of a window whose run has failed. */
const timeOfJob = ({ ranges, state, windowStart }: BackfillJob, grid: Window.Grid): RangeSet.RangeSet =>
  state === "FAILED" || state === "QUARANTINED" ? RangeSet.of(...Window.windowRange(grid, windowStart)) : ranges

/** A range that nobody was asked for. */
const left = (range: MissingRange, notAsked: NonNullable<Filled["notAsked"]>): MissingRange => ({
  ...range,
  reason: `${notAsked._tag === "BackfillOff" ? "not" : "it could not be"} asked for: ${notAsked.message}`,
  ...(notAsked._tag === "BackfillOff" && { evidence: notAsked.switch })
})

/** The missing ranges with what is known of the jobs that were to fill them. */
export const explained = (
  missing: ReadonlyArray<MissingRange>,
  { jobs, notAsked }: Pick<Filled, "jobs" | "notAsked">,
  grid: Window.Grid
): ReadonlyArray<MissingRange> =>
  missing.map((range) => {
    const job = jobs.find((each) => each.failure !== null && touches(timeOfJob(each, grid), range))
    if (range.state !== "missing") return range
    if (job?.failure === undefined || job.failure === null)
      return notAsked === undefined ? range : left(range, notAsked)
    const state = job.state === "QUARANTINED" ? "quarantined" : "missing"
    return { ...range, state, reason: `${job.failure.source}: ${job.failure.message}`, retryAt: job.nextAttemptAt }
  })

const touches = (ranges: RangeSet.RangeSet, { end, start }: MissingRange): boolean =>
  !RangeSet.equals(RangeSet.clip(ranges, start, end), RangeSet.empty)
