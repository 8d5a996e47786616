/** What would it take to fill a range, as its series is covered now? */
import { Clock, Effect } from "effect"
import { RangeNotFinal } from "../../protocol/history/BackfillErrors.ts"
import type { BackfillPlan } from "../../protocol/history/BackfillPlan.ts"
import { type AskedRange, checkRange } from "../../protocol/history/checkRange.ts"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { planBackfill } from "../../protocol/history/planBackfill.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import { DataSources } from "../sources/DataSource.ts"
import * as Reach from "../sources/Reach.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"

/** A range of a series, as an operator names it. */
export interface AskedSeriesRange extends AskedRange {
  readonly nodeId: string
  readonly interval: string
}

/** The series and the range, once they have been found right: a source may be asked for all of it. */
export const validRange = Effect.fnUntraced(function* ({ interval, nodeId, ...asked }: AskedSeriesRange) {
  if (Interval.parse(interval)._tag === "None") {
    const problem = `${JSON.stringify(interval)} is no interval: a whole number and s, m, h, d or w, such as 1m`
    return yield* new InvalidRequest({ field: "interval", problem })
  }
  const entry = yield* (yield* SeriesCatalog).find(nodeId, interval)
  const range = yield* Effect.fromResult(checkRange(asked, entry.interval))
  const [start, end] = range
  const nowMs = yield* Clock.currentTimeMillis
  const finalEnd = Interval.alignDown(entry.interval, nowMs - entry.finalityDelayMs)
  if (isRange(finalEnd, end)) return yield* new RangeNotFinal({ start, end, finalEnd })
  return { entry, range }
})

/** What of a range is covered, and what of the rest may be asked for now. */
const shares = (entry: CatalogEntry, { covered, root }: CoverageView, [start, end]: Range, nowMs: number) => {
  const known = Reach.classify(entry, RangeSet.missing(covered, start, end), root.exceptions, nowMs)
  const inState = (state: MissingRange.MissingState) =>
    MissingRange.timeOf(known.filter((missing) => missing.state === state))
  const askable = MissingRange.askable(known, nowMs)
  return {
    askable,
    covered: RangeSet.clip(covered, start, end),
    unavailable: inState("unavailable"),
    quarantined: inState("quarantined"),
    deferred: RangeSet.subtract(inState("deferred"), askable)
  }
}

/**
 * The sources of a series that this host has, in the order in which they are asked, with what each is asked for: all
 * that it keeps of what those before it don't.
 */
const sharesOf = Effect.fnUntraced(function* (entry: CatalogEntry, askable: RangeSet.RangeSet, nowMs: number) {
  const all = yield* DataSources
  let left = askable
  return entry.sources.flatMap((name) => {
    const source = all.get(name)
    if (source === undefined) return []
    const wanted = RangeSet.subtract(left, Reach.forgotten(source.capabilities.retentionMs, entry.interval, nowMs))
    left = RangeSet.subtract(left, wanted)
    return [{ name, wanted, ...source.capabilities }]
  })
})

/** The sum; null where one of them is not known. */
const total = (values: ReadonlyArray<number | null>): number | null =>
  values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0)

/** A series, and what of it is to be brought. */
interface Share {
  readonly entry: CatalogEntry
  readonly wanted: RangeSet.RangeSet
  readonly windowBars: number
}

/** What is asked of sources so that bars can be made: of what is rolled up, what its finer bars lack. */
const askedFor = Effect.fnUntraced(function* (own: Share, nowMs: number) {
  let share = own
  while (share.entry.derivedFrom !== null) {
    const { derivedFrom, series } = share.entry
    const entry = yield* (yield* SeriesCatalog).find(series.nodeId, derivedFrom)
    const { covered, root } = yield* (yield* Coverage).of(entry.series)
    const wanted = Reach.askable(entry, RangeSet.subtract(share.wanted, covered), root.exceptions, nowMs)
    share = { entry, wanted, windowBars: root.windowBars }
  }
  return share
})

const costOf = ({ entry, wanted, windowBars }: Share, nowMs: number) =>
  Effect.map(sharesOf(entry, wanted, nowMs), (sources) =>
    planBackfill(wanted, sources, Window.makeGrid(entry.interval, windowBars))
  )

/** The plan of a range. */
export const planRange = Effect.fnUntraced(function* (asked: AskedSeriesRange) {
  const { entry, range } = yield* validRange(asked)
  const view = yield* (yield* Coverage).of(entry.series)
  const nowMs = yield* Clock.currentTimeMillis
  const share = shares(entry, view, range, nowMs)
  const { lengthMs } = entry.interval
  const own: Share = { entry, wanted: share.askable, windowBars: view.root.windowBars }
  const { bars, windows } = yield* costOf(own, nowMs)
  const { sources } = yield* costOf(yield* askedFor(own, nowMs), nowMs)
  const count = (set: RangeSet.RangeSet) => RangeMeasure.bars(set, lengthMs)
  const taken = sources.filter((source) => source.requests > 0)
  const plan: BackfillPlan = {
    ...entry.series,
    start: range[0],
    end: range[1],
    coveredBars: count(share.covered),
    unavailableBars: count(share.unavailable),
    quarantinedBars: count(share.quarantined),
    deferredBars: count(share.deferred),
    bars,
    windows,
    requests: total(taken.map((source) => source.requests)) ?? 0,
    seconds: sources.length === 0 ? null : total(taken.map((source) => source.seconds)),
    sources
  }
  return plan
})
