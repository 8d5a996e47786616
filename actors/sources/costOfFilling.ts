/**
 * What would it take to bring missing bars of a series?
 *
 * By the capabilities of the sources that this host has, and the rates of their accounts: nobody is asked. What is
 * rolled up takes what its finer bars lack.
 */
import { Effect } from "effect"
import { type Cost, planBackfill } from "../../protocol/history/planBackfill.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { DataSources } from "./DataSource.ts"
import * as Reach from "./Reach.ts"
import { type CatalogEntry, SeriesCatalog } from "./SeriesCatalog.ts"

/** A series, and what of it is to be brought. */
export interface Share {
  readonly entry: CatalogEntry
  /** The sources that may be asked, in order. */
  readonly sources: ReadonlyArray<string>
  readonly wanted: RangeSet.RangeSet
  readonly windowBars: number
}

/** What is asked of sources together; null seconds where a rate is not known. */
interface Total {
  readonly requests: number
  readonly seconds: number | null
}

/**
 * The sources of a series that this host has, in the order in which they are asked, with what each is asked for: all
 * that it keeps of what those before it don't.
 */
const sharesOf = Effect.fnUntraced(function* ({ entry, sources, wanted: askable }: Share, nowMs: number) {
  const all = yield* DataSources
  let left = askable
  return sources.flatMap((name) => {
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

/** What is asked of sources so that bars can be made: of what is rolled up, what its finer bars lack. */
const askedFor = Effect.fnUntraced(function* (own: Share, nowMs: number) {
  let share = own
  while (share.entry.derivedFrom !== null) {
    const { derivedFrom, series } = share.entry
    const entry = yield* (yield* SeriesCatalog).find(series.nodeId, derivedFrom)
    const { covered, root } = yield* (yield* Coverage).of(entry.series)
    const wanted = Reach.askable(entry, RangeSet.subtract(share.wanted, covered), root.exceptions, nowMs)
    share = { entry, sources: entry.sources, wanted, windowBars: root.windowBars }
  }
  return share
})

const costOf = (share: Share, nowMs: number) =>
  Effect.map(sharesOf(share, nowMs), (sources) =>
    planBackfill(share.wanted, sources, Window.makeGrid(share.entry.interval, share.windowBars))
  )

const totalOf = (sources: Cost["sources"]): Total => {
  const taken = sources.filter((source) => source.requests > 0)
  return {
    requests: total(taken.map((source) => source.requests)) ?? 0,
    seconds: sources.length === 0 ? null : total(taken.map((source) => source.seconds))
  }
}

/** Bars and windows of the series itself; requests and seconds of the sources that are asked so that it has them. */
export const costOfFilling = Effect.fnUntraced(function* (own: Share, nowMs: number) {
  const { bars, windows } = yield* costOf(own, nowMs)
  const { sources } = yield* costOf(yield* askedFor(own, nowMs), nowMs)
  return { bars, windows, ...totalOf(sources), sources }
})
