/**
 * What of a series' bars differs between two versions?
 *
 * Both roots are found, and only windows whose chunks are not the same are loaded, one after the other, until as many
 * bars are found as are wanted. What is left is counted as far as it was looked into, and told from where on it is.
 */
import { Effect, Schema } from "effect"
import { checkRange } from "../../protocol/history/checkRange.ts"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import type { BarChange } from "../../protocol/history/BarChange.ts"
import { DiffRequest, type HistoryDiff } from "../../protocol/history/HistoryDiff.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import type { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { diffFrames } from "../conformance/diffFrames.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import { PastRoots } from "../sources/PastRoots.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { diffWindows, pagesBeyond, type PageSpan } from "./diffWindows.ts"
import { loadRows } from "./loadRows.ts"
import { findSeries, invalid, validSources } from "./validRequest.ts"

const limitDefault = 100
/** Windows that one answer looks into: each takes chunks of both versions. */
const windowsMax = 32

const decode = Schema.decodeUnknownEffect(DiffRequest, { onExcessProperty: "error" })

/** What is compared. */
interface Compared {
  readonly entry: CatalogEntry
  readonly sources: ReadonlyArray<string>
  readonly from: CoverageView
  readonly to: CoverageView
  readonly range: Range
  readonly limit: number
}

/** The range that is meant: all time where nothing is said of it. */
const rangeOf = Effect.fnUntraced(function* ({ end, start }: DiffRequest, { interval }: CatalogEntry) {
  if (end === undefined) {
    const whole: Range = [start ?? -Infinity, Infinity]
    return whole
  }
  if (start === undefined) return yield* new InvalidRequest({ field: "end", problem: "is given without start" })
  return yield* Effect.fromResult(checkRange({ start, end }, interval))
})

const pagesOf = Effect.fnUntraced(function* (root: CoverageRoot, other: CoverageRoot, span: PageSpan) {
  const store = yield* ChunkStore
  return yield* store.pages(root.series, pagesBeyond(root, other, span))
})

const pageOf = (grid: Window.Grid, timeMs: number): number =>
  Number.isFinite(timeMs) ? Window.pageIndex(grid, Window.windowStart(grid, timeMs)) : timeMs

/** The pages that have some of the range: no other is looked into. */
const spanOf = (grid: Window.Grid, [start, end]: Range): PageSpan => [pageOf(grid, start), pageOf(grid, end)]

/** What of the range lies in the window. */
const within = (grid: Window.Grid, windowStart: number, [start, end]: Range): Range => {
  const [first, behind] = Window.windowRange(grid, windowStart)
  return [Math.max(first, start), Math.min(behind, end)]
}

/** The windows whose chunks are not the same and that have some of the range, as that. */
const differingIn = Effect.fnUntraced(function* ({ entry, from, range, to }: Compared) {
  // version 0 has no windows whose length would count
  const grid = Window.makeGrid(entry.interval, (from.root.version === 0 ? to : from).root.windowBars)
  const span = spanOf(grid, range)
  const [before, after] = yield* Effect.all([pagesOf(from.root, to.root, span), pagesOf(to.root, from.root, span)], {
    concurrency: 2
  })
  return diffWindows(before, after)
    .map((windowStart) => within(grid, windowStart, range))
    .filter((part) => isRange(...part))
})

const changesIn = Effect.fnUntraced(function* ({ entry, from, sources, to }: Compared, range: Range) {
  const request = { entry, range, sources }
  const [before, after] = yield* Effect.all([loadRows(request, from), loadRows(request, to)], { concurrency: 2 })
  return diffFrames(before.frame, after.frame)
})

const compare = Effect.fnUntraced(function* (compared: Compared) {
  const { limit } = compared
  const differing = yield* differingIn(compared)
  const found: Array<BarChange> = []
  let looked = 0
  for (const part of differing) {
    if (looked === windowsMax || found.length >= limit) break
    found.push(...(yield* changesIn(compared, part)))
    looked += 1
  }
  const changes = found.slice(0, limit)
  const next = found[limit]?.eventTime ?? differing[looked]?.[0] ?? null
  return { changes, windows: { differing: differing.length, looked }, barsLeft: found.length - changes.length, next }
})

const pointOf = ({ root: { committedAt, version } }: CoverageView) => ({ version, committedAt })

/** What differs between two versions, as far as one answer goes. */
export const diff = Effect.fnUntraced(function* (input: unknown) {
  const request = yield* Effect.mapError(decode(input), invalid)
  const entry = yield* findSeries(request)
  const roots = yield* PastRoots
  const { fromVersion, limit = limitDefault, toVersion } = request
  const range = yield* rangeOf(request, entry)
  const sources = yield* validSources(entry, request.sourcePriority)
  const from = yield* roots.at(entry, { version: fromVersion })
  const to = yield* roots.at(entry, { version: toVersion })
  return {
    ...entry.series,
    from: pointOf(from),
    to: pointOf(to),
    ...(yield* compare({ entry, sources, from, to, range, limit }))
  } satisfies HistoryDiff
})
