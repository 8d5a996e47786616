/**
 * What is stored of some time, window by window?
 *
 * The root's pages name the chunks of each window; chunks come from memory or in batches from the store. Which source's
 * row counts where several have one is decided by whoever puts them together.
 */
import { Effect } from "effect"
import type * as Frame from "../../protocol/frame/Frame.ts"
import { type ChunkRef, type CoveragePage, entryOf } from "../../protocol/history/CoveragePage.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { type ChunkName, ChunkStore, type Reading, type StoredChunk } from "./ChunkStore.ts"
import type { From, StoreFailure } from "./Shelf.ts"
import type { CatalogEntry } from "./SeriesCatalog.ts"

/** Whose rows are wanted: of which series, and the preferred source first. */
export interface Wanted extends Reading {
  readonly entry: CatalogEntry
  readonly sources: ReadonlyArray<string>
}

/** What one source has of a window. */
interface StoredRows {
  readonly source: string
  readonly ranges: RangeSet.RangeSet
  readonly frame: Frame.Frame
  /** What quality rules found in the rows. */
  readonly findings: Findings.Findings
}

/** A window's wanted time, the chunks that it may be taken from, the preferred first, and their rows. */
export interface StoredWindow extends Window.WindowRanges {
  readonly chunks: ReadonlyArray<ChunkRef>
  readonly rows: ReadonlyArray<StoredRows>
}

/** A window's wanted time and the chunks that its rows are in, before those are read. */
export type PlannedWindow = Omit<StoredWindow, "rows">

/** What was found in the rows that are taken from each source of a window; by source the time that is taken of it. */
export const findingsIn = (
  { rows }: Pick<StoredWindow, "rows">,
  contributions: ReadonlyMap<string, RangeSet.RangeSet>
): Findings.Findings =>
  Findings.unionAll(
    rows.map(({ findings, source }) => Findings.intersect(findings, contributions.get(source) ?? RangeSet.empty))
  )

/** What sources have, that of the preferred first; sources that nobody prefers come last. */
export const byPreference = <Has extends { readonly source: string }>(
  chunks: ReadonlyArray<Has>,
  sources: ReadonlyArray<string>
): ReadonlyArray<Has> => {
  const rank = ({ source }: Has): number => (sources.includes(source) ? sources.indexOf(source) : sources.length)
  return chunks.toSorted((a, b) => rank(a) - rank(b))
}

/** The chunks that the window's time needs: a later source's only where those before it leave something open. */
const needed = (chunks: ReadonlyArray<ChunkRef>, ranges: RangeSet.RangeSet): ReadonlyArray<ChunkRef> => {
  let open = ranges
  return chunks.filter((chunk) => {
    const rest = RangeSet.subtract(open, chunk.ranges)
    const isNeeded = !RangeSet.equals(rest, open)
    open = rest
    return isNeeded
  })
}

/** The chunks that have a say where the last writer is right: any of the time. */
const touching = (chunks: ReadonlyArray<ChunkRef>, ranges: RangeSet.RangeSet): ReadonlyArray<ChunkRef> =>
  chunks.filter((chunk) => !RangeSet.equals(RangeSet.subtract(ranges, chunk.ranges), ranges))

/** The windows of covered time, and the pages that name their chunks. */
const pagesOf = ({ entry }: Wanted, { root }: Pick<CoverageView, "root">, covered: RangeSet.RangeSet) => {
  const grid = Window.makeGrid(entry.interval, root.windowBars)
  const windows = Window.split(grid, covered)
  const indexes = new Set(windows.map(({ windowStart }) => Window.pageIndex(grid, windowStart)))
  return { grid, root, windows, refs: root.pages.filter(({ index }) => indexes.has(index)) }
}

/** What is known of how windows are stored. */
interface Known {
  readonly grid: Window.Grid
  readonly pages: Iterable<CoveragePage>
}

/** Which chunks a window needs, by these pages; none where no page names any. */
const planWith = ({ entry, sources }: Wanted, { grid, pages }: Known) => {
  const byIndex = new Map(Array.from(pages, (page) => [page.index, page]))
  const isByPriority = (entry.rules.conflict ?? "priority") === "priority"
  return ({ ranges, windowStart }: Window.WindowRanges): PlannedWindow => {
    const { chunks } = entryOf(byIndex.get(Window.pageIndex(grid, windowStart)), windowStart)
    const preferred = byPreference(chunks, sources)
    return { windowStart, ranges, chunks: isByPriority ? needed(preferred, ranges) : touching(preferred, ranges) }
  }
}

/** What is stored of covered time, by name: the chunks to load for it; `once` for who goes through very many. */
export const planWindows = Effect.fnUntraced(function* (
  wanted: Wanted,
  view: Pick<CoverageView, "root">,
  covered: RangeSet.RangeSet
) {
  const store = yield* ChunkStore
  const { grid, refs, root, windows } = pagesOf(wanted, view, covered)
  const ids = refs.map(({ id }) => id)
  const pages = yield* store.pages(root.series, ids, wanted)
  return windows.map(planWith(wanted, { grid, pages }))
})

/** The rows of planned windows, of whose chunks all are there. */
const filledWith = (planned: ReadonlyArray<PlannedWindow>, chunks: ReadonlyMap<string, StoredChunk>) =>
  planned.map((part): StoredWindow => ({
    ...part,
    rows: part.chunks.map(({ id, ranges, source }) => {
      const { findings = Findings.none, frame } = chunks.get(id)!
      return { source, ranges, frame, findings }
    })
  }))

/** The chunks that planned windows name. */
const namesIn = (planned: ReadonlyArray<PlannedWindow>): ReadonlyArray<ChunkName> =>
  planned.flatMap(({ chunks, windowStart }) => chunks.map(({ id }) => ({ windowStart, id })))

/** The rows of windows, and how much of it was in memory already. */
export const loadPlanned = Effect.fnUntraced(function* (wanted: Wanted, parts: ReadonlyArray<PlannedWindow>) {
  const store = yield* ChunkStore
  const { fromCache, fromStorage, values } = yield* store.chunks(wanted.entry.series, namesIn(parts), wanted)
  return { windows: filledWith(parts, values), fromCache, fromStorage }
})

/** What is stored of covered time, and how much of it was in memory already. */
export const loadWindows = (wanted: Wanted, view: CoverageView, covered: RangeSet.RangeSet) =>
  Effect.flatMap(planWindows(wanted, view, covered), (parts) => loadPlanned(wanted, parts))

/** What is stored of covered time, as far as it could be had. */
export interface WindowsThere {
  readonly windows: ReadonlyArray<StoredWindow>
  /** Why the rest could not be had, where that is known: whoever wants memory alone does not learn it. */
  readonly failure: StoreFailure | undefined
  /** Chunks that were wanted, and where those that came were. */
  readonly chunks: { readonly wanted: number; readonly fromCache: number; readonly fromStorage: number }
  /** Whether anything was asked of the store. */
  readonly storageAsked: boolean
}

/** The same without a wait, where all of it is in memory; undefined where anything would have to be read. */
export const windowsAtHand = (
  wanted: Wanted,
  view: Pick<CoverageView, "root">,
  covered: RangeSet.RangeSet,
  { chunk, page }: ChunkStore["Service"]["inMemory"]
): WindowsThere | undefined => {
  const { grid, refs, windows } = pagesOf(wanted, view, covered)
  const pages = refs.flatMap(({ id }) => page(id) ?? [])
  if (pages.length < refs.length) return undefined
  const planned = windows.map(planWith(wanted, { grid, pages }))
  const chunks = new Map<string, StoredChunk>()
  let count = 0
  for (const part of planned) {
    for (const { id } of part.chunks) {
      const found = chunk(id)
      if (found === undefined) return undefined
      chunks.set(id, found)
      count += 1
    }
  }
  return {
    windows: filledWith(planned, chunks),
    failure: undefined,
    chunks: { wanted: count, fromCache: count, fromStorage: 0 },
    storageAsked: false
  }
}

/** What can be had of covered time: a window without all of its chunks is left out whole. */
export const windowsThere = Effect.fnUntraced(function* (
  wanted: Wanted,
  view: Pick<CoverageView, "root">,
  covered: RangeSet.RangeSet,
  from: From
) {
  const store = yield* ChunkStore
  const { grid, refs, root, windows } = pagesOf(wanted, view, covered)
  const ids = refs.map(({ id }) => id)
  const pages = yield* store.pagesThere(root.series, ids, from)
  // a page that the root does not name says that nothing is stored of a window; one that can't be read says nothing
  const unread = new Set(refs.filter(({ id }) => !pages.values.has(id)).map(({ index }) => index))
  const planned = windows
    .filter(({ windowStart }) => !unread.has(Window.pageIndex(grid, windowStart)))
    .map(planWith(wanted, { grid, pages: pages.values.values() }))
  const names = namesIn(planned)
  const chunks = yield* store.chunksThere(root.series, names, from)
  const whole = planned.filter((part) => part.chunks.every(({ id }) => chunks.values.has(id)))
  const failure = pages.failure ?? chunks.failure
  return {
    windows: filledWith(whole, chunks.values),
    failure,
    chunks: { wanted: names.length, fromCache: chunks.fromCache, fromStorage: chunks.fromStorage },
    storageAsked: failure !== undefined || chunks.fromStorage + pages.fromStorage > 0
  } satisfies WindowsThere
})
