/**
 * Which stored bars may their source still change, and until when?
 *
 * Pure. A bar that was asked for earlier than its source settles it is remembered in the root, and is asked for once
 * more when that time has come. A root remembers few ranges: bars that settle in the same way are joined, and where
 * there are too many, those with the least time between them; what is asked for too much of is found unchanged.
 */
import { Schema } from "effect"
import { coarsen } from "./coarsen.ts"
import { alignDown, alignUp, type Spacing } from "./Interval.ts"
import { bounds, isEmpty } from "./RangeMeasure.ts"
import { toPairs } from "./RangePairs.ts"
import * as RangeSet from "./RangeSet.ts"

/** Bars of a source that it may still change: each settles so long after its end. */
export const UnsettledRange = Schema.Struct({
  start: Schema.Finite,
  end: Schema.Finite,
  source: Schema.String,
  settleMs: Schema.Finite
})
export type UnsettledRange = typeof UnsettledRange.Type

/** What a source was asked about, as a commit tells of it. */
export interface Asked {
  readonly source: string
  /** Stored time about which it was asked once more: what was known of it before no longer counts. */
  readonly ranges: RangeSet.RangeSet
  /** What was stored and may still change. */
  readonly unsettled: RangeSet.RangeSet
  readonly settleMs: number
}

type Unsettled = ReadonlyArray<UnsettledRange>

/** The cause of jobs that ask for bars once more which their source has settled by then. */
export const settleCause = "settle"

/** So many ranges of one source and settle window a root remembers. */
const unsettledMax = 128

/** The bars of a set that had not settled when they were asked for. */
export const unsettledIn = (
  bars: RangeSet.RangeSet,
  { askedAtMs, settleMs, spacing }: { readonly askedAtMs: number; readonly settleMs: number; readonly spacing: Spacing }
): RangeSet.RangeSet =>
  settleMs === 0 ? RangeSet.empty : RangeSet.clip(bars, alignDown(spacing, askedAtMs - settleMs), Infinity)

interface Group {
  readonly source: string
  readonly settleMs: number
  readonly time: RangeSet.RangeSet
}

const grouped = (unsettled: Unsettled): ReadonlyArray<Group> => {
  const keys = new Map(unsettled.map((range) => [`${range.settleMs} ${range.source}`, range]))
  return Array.from(keys.values(), ({ settleMs, source }) => ({
    source,
    settleMs,
    time: timeOf(unsettled, { source, settleMs })
  }))
}

const timeOf = (unsettled: Unsettled, group: Omit<Group, "time">): RangeSet.RangeSet =>
  RangeSet.make(
    unsettled.flatMap(({ end, settleMs, source, start }) =>
      source === group.source && settleMs === group.settleMs ? [[start, end] as const] : []
    )
  )

const rangesOf = ({ settleMs, source, time }: Group): Unsettled =>
  toPairs(coarsen(time, unsettledMax)).map(([start, end]) => ({ start, end, source, settleMs }))

const told = (groups: ReadonlyArray<Group>): Unsettled => groups.flatMap(rangesOf)

/** What is unsettled after a source was asked: what it was asked about is as the answer found it. */
export const after = (unsettled: Unsettled, { ranges, settleMs, source, unsettled: time }: Asked): Unsettled => {
  const kept = grouped(unsettled).map((group) =>
    group.source === source ? { ...group, time: RangeSet.subtract(group.time, ranges) } : group
  )
  return told(grouped(told([...kept, { settleMs, source, time }])))
}

/** What is unsettled of this time: what is not stored can't be. */
export const within = (unsettled: Unsettled, time: RangeSet.RangeSet): Unsettled =>
  told(grouped(unsettled).map((group) => ({ ...group, time: RangeSet.intersect(group.time, time) })))

/** Bars are asked for together that settle within so long: a quarter of the time that they take to settle. */
const togetherMs = ({ settleMs }: Pick<UnsettledRange, "settleMs">): Spacing => ({
  lengthMs: Math.max(1, Math.floor(settleMs / 4)),
  anchorMs: 0
})

/** When the first bar of the range is asked for once more, in epoch milliseconds. */
const dueAtMs = ({ settleMs, start }: UnsettledRange, { lengthMs }: Spacing): number =>
  alignUp(togetherMs({ settleMs }), start + lengthMs + settleMs)

/** What of each source is to be asked for once more now; `spacing` is that of the bars. */
export const due = (unsettled: Unsettled, spacing: Spacing, nowMs: number): ReadonlyMap<string, RangeSet.RangeSet> => {
  const bySource = new Map<string, RangeSet.RangeSet>()
  for (const { settleMs, source, time } of grouped(unsettled)) {
    const settledUntil = alignDown(spacing, alignDown(togetherMs({ settleMs }), nowMs) - settleMs)
    const bars = RangeSet.clip(time, -Infinity, settledUntil)
    if (!isEmpty(bars)) bySource.set(source, RangeSet.union(bySource.get(source) ?? RangeSet.empty, bars))
  }
  return bySource
}

/** When the next of what is not due yet will be; undefined where nothing will. */
export const nextDueMs = (unsettled: Unsettled, spacing: Spacing, nowMs: number): number | undefined => {
  const times = grouped(unsettled).flatMap((group) => {
    const late = due(rangesOf(group), spacing, nowMs).get(group.source) ?? RangeSet.empty
    const first = bounds(RangeSet.subtract(group.time, late))
    return first._tag === "None" ? [] : [dueAtMs({ ...group, ...first.value }, spacing)]
  })
  return times.length === 0 ? undefined : Math.min(...times)
}
