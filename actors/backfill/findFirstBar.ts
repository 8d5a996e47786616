/**
 * Where does the history of a series begin?
 *
 * Sources that can tell are asked for their first bar. Only where all sources of the series can, and have told it, is
 * it known that there is nothing before the earliest; a probe that fails says nothing.
 */
import { Effect, Option } from "effect"
import { rulesOf, stampAheadMs } from "../../protocol/frame/ConformanceRules.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
import { bounds, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { type DataSource, DataSources, type RequestFailed } from "../sources/DataSource.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"

/** The first bar of a series, and which source has it. */
export interface FirstBar {
  readonly start: number
  readonly source: string
}

/** Sends one request to a source. */
export type SendTo = (
  source: DataSource
) => <A>(request: Effect.Effect<A, RequestFailed>) => Effect.Effect<A, RequestFailed>

/** The first bar of the series, by one request to each of its sources; none where that is not known. */
export const findFirstBar = Effect.fnUntraced(function* (entry: CatalogEntry, sendTo: SendTo) {
  const sources = yield* DataSources
  const found: Array<FirstBar> = []
  const probes = entry.sources.map((name) => {
    const source = sources.get(name)
    const probe = source?.firstBar?.(entry.symbol, entry.interval)
    return source === undefined || probe === undefined ? undefined : { name, probe: sendTo(source)(probe) }
  })
  for (const each of probes) {
    // one that can't tell may have what the others don't: nobody need be asked then
    if (probes.includes(undefined) || each === undefined) return Option.none<FirstBar>()
    const told = yield* Effect.option(each.probe)
    const start = Option.flatten(told)
    if (Option.isNone(start)) return Option.none<FirstBar>()
    // a bar that is stamped with its end begins before it
    const within = start.value - stampAheadMs(rulesOf(entry.rules, each.name).time)
    found.push({ start: Interval.alignDown(entry.interval, within), source: each.name })
  }
  return Option.fromUndefinedOr(found.toSorted((a, b) => a.start - b.start)[0])
})

/** What is covered, without closed time: that is covered where there never was a bar, too. */
export const tradedTime = (
  { calendar, interval }: Pick<CatalogEntry, "calendar" | "interval">,
  covered: RangeSet.RangeSet
): RangeSet.RangeSet =>
  Option.match(bounds(covered), {
    onNone: () => covered,
    onSome: ({ end, start }) => RangeSet.subtract(covered, Calendar.closedBars(calendar, interval, [start, end]))
  })

/** The time before anything that is known, where a source had no bar: its part before the first bar can't be had. */
export const leadingAbsence = (unproven: RangeSet.RangeSet, covered: RangeSet.RangeSet): RangeSet.RangeSet =>
  Option.match(bounds(covered), {
    onNone: () => unproven,
    onSome: ({ start }) => RangeSet.clip(unproven, -Infinity, start)
  })

/**
 * What is known of the time before the first bar, from the Unix epoch or the absence on; nothing where there is no
 * absence before it, or where the source is contradicted by bars that are stored.
 */
export const beforeFirstBar = (
  first: FirstBar,
  { covered, entry, absence }: { covered: RangeSet.RangeSet; entry: CatalogEntry; absence: RangeSet.RangeSet }
): ReadonlyArray<MissingRange> => {
  const from = Math.min(
    Interval.alignDown(entry.interval, 0),
    ...bounds(absence).pipe(
      Option.map(({ start }) => start),
      Option.toArray
    )
  )
  const start = Interval.alignDown(entry.interval, first.start)
  const before = RangeSet.of(from, start)
  if (isEmpty(RangeSet.intersect(absence, before)) || !isEmpty(RangeSet.intersect(covered, before))) return []
  return [
    {
      start: from,
      end: start,
      state: "unavailable",
      reason: "before its first bar",
      retryAt: null,
      evidence: `${first.source}'s first bar of ${entry.symbol} is at ${isoTime(first.start)}`
    }
  ]
}
