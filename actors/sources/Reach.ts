/**
 * Which time of a series can be had at all, and which of it now?
 *
 * Pure: from the configuration and the clock. None of it is stored, so that another configuration, or another day,
 * says something else at once. What is stored of time comes behind it.
 */
import { Option } from "effect"
import { isoTime } from "../../protocol/history/isoTime.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { bounds, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CatalogEntry } from "./SeriesCatalog.ts"

type Limits = Pick<CatalogEntry, "interval" | "sources" | "finalityDelayMs" | "listedAt" | "delistedAt" | "retentionMs">

/** Time out of reach, and why. */
interface Limit extends Pick<MissingRange.MissingRange, "state" | "reason" | "evidence"> {
  readonly time: RangeSet.RangeSet
}

/** Before the bar in which trading began. */
const unlisted = ({ interval, listedAt }: Limits): RangeSet.RangeSet =>
  listedAt === null ? RangeSet.empty : RangeSet.of(-Infinity, Interval.alignDown(interval, listedAt))

/** Behind the bar in which trading ended. */
const delisted = ({ delistedAt, interval }: Limits): RangeSet.RangeSet =>
  delistedAt === null ? RangeSet.empty : RangeSet.of(Interval.alignUp(interval, delistedAt), Infinity)

/** Time in which nothing was traded, by the configuration: an absence that goes on up to it ends there. */
export const untraded = (entry: Limits): RangeSet.RangeSet => RangeSet.union(unlisted(entry), delisted(entry))

/** Time of which somebody who keeps bars for so long has none any more; nothing where all are kept. */
export const forgotten = (
  retentionMs: number | null | undefined,
  interval: Interval.Interval,
  nowMs: number
): RangeSet.RangeSet =>
  retentionMs === null || retentionMs === undefined
    ? RangeSet.empty
    : RangeSet.of(-Infinity, Interval.alignUp(interval, nowMs - retentionMs))

/** Up to when bars of the series are final. */
export const finalUntil = ({ finalityDelayMs, interval }: Limits, nowMs: number): number =>
  Interval.alignDown(interval, nowMs - finalityDelayMs)

const lengthText = (lengthMs: number): string =>
  Option.match(Interval.parse(`${lengthMs / 1000}s`), { onNone: () => `${lengthMs} ms`, onSome: ({ text }) => text })

const limitsOf = (entry: Limits, nowMs: number): ReadonlyArray<Limit> => {
  const { delistedAt, finalityDelayMs, interval, listedAt, retentionMs } = entry
  const sources = entry.sources.join(", ")
  return [
    {
      time: unlisted(entry),
      state: "unavailable",
      reason: "before its listing",
      evidence: `configured: listed at ${isoTime(listedAt ?? 0)}`
    },
    {
      time: delisted(entry),
      state: "unavailable",
      reason: "after its delisting",
      evidence: `configured: delisted at ${isoTime(delistedAt ?? 0)}`
    },
    {
      time: forgotten(retentionMs, interval, nowMs),
      state: "unavailable",
      reason: "longer ago than its sources keep bars",
      evidence: `configured: ${sources} keep bars for ${lengthText(retentionMs ?? 0)} at the most`
    },
    {
      time: RangeSet.of(finalUntil(entry, nowMs), Infinity),
      state: "deferred",
      reason: "its bars are not final yet",
      evidence: `configured: bars of ${sources} are final ${finalityDelayMs} ms after their end`
    }
  ]
}

/** What of some time is out of reach now, why, and until when. Ascending; no two parts overlap. */
export const outOf = (
  entry: Limits,
  within: RangeSet.RangeSet,
  nowMs: number
): ReadonlyArray<MissingRange.MissingRange> => {
  if (isEmpty(within)) return []
  const found: Array<MissingRange.MissingRange> = []
  let rest = within
  for (const { time, ...why } of limitsOf(entry, nowMs)) {
    const part = RangeSet.intersect(rest, time)
    rest = RangeSet.subtract(rest, part)
    for (const [start, end] of toPairs(part)) {
      // the first bar of it is the first to be had
      const retryAt = why.state === "deferred" ? start + entry.interval.lengthMs + entry.finalityDelayMs : null
      found.push({ start, end, retryAt, ...why })
    }
  }
  return found.toSorted((a, b) => a.start - b.start)
}

/** Every part of `missing` with its state: what is out of reach, what is stored of the rest, and missing else. */
export const classify = (
  entry: Limits,
  missing: RangeSet.RangeSet,
  stored: ReadonlyArray<MissingRange.MissingRange>,
  nowMs: number
): ReadonlyArray<MissingRange.MissingRange> => {
  const out = outOf(entry, missing, nowMs)
  return MissingRange.classify(missing, [...MissingRange.without(stored, MissingRange.timeOf(out)), ...out])
}

/** What of `missing` it makes sense to ask a source for now. */
export const askable = (
  entry: Limits,
  missing: RangeSet.RangeSet,
  stored: ReadonlyArray<MissingRange.MissingRange>,
  nowMs: number
): RangeSet.RangeSet => MissingRange.askable(classify(entry, missing, stored, nowMs), nowMs)

/** What can't be had of all the time there has been, since the Unix epoch or since there is data. */
export const unavailable = (
  entry: Limits,
  covered: RangeSet.RangeSet,
  nowMs: number
): ReadonlyArray<MissingRange.MissingRange> => {
  const epoch = Interval.alignDown(entry.interval, 0)
  const first = Option.match(bounds(covered), { onNone: () => epoch, onSome: ({ start }) => Math.min(epoch, start) })
  const past = RangeSet.missing(covered, first, Interval.alignUp(entry.interval, nowMs))
  return outOf(entry, past, nowMs).filter(({ state }) => state === "unavailable")
}
