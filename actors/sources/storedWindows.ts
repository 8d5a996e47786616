/**
 * What is stored of some time, window by window?
 *
 * The root's pages name the chunks of each window; chunks come from memory or in batches from the store. Which source's
 * row counts where several have one is decided by whoever puts them together.
 */
import { Effect } from "effect"
import type * as Frame from "../../protocol/frame/Frame.ts"
import { type ChunkRef, entryOf } from "../../protocol/history/CoveragePage.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { ChunkStore } from "./ChunkStore.ts"
import type { From, StoreFailure } from "./Shelf.ts"
import type { CatalogEntry } from "./SeriesCatalog.ts"

/** Whose rows are wanted: of which series, and the preferred source first. */
export interface Wanted {
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

/** What is stored of covered time, by name: the chunks that it is taken from. */
const partsThere = Effect.fnUntraced(function* (
  { entry, sources }: Wanted,
  { root }: CoverageView,
  covered: RangeSet.RangeSet,
  from: From
) {
  const store = yield* ChunkStore
  const grid = Window.makeGrid(entry.interval, root.windowBars)
  const windows = Window.split(grid, covered)
  const pageOf = ({ windowStart }: Window.WindowRanges): number => Window.pageIndex(grid, windowStart)
  const indexes = new Set(windows.map(pageOf))
  const refs = root.pages.filter(({ index }) => indexes.has(index))
  const ids = refs.map(({ id }) => id)
  const pages = yield* store.pagesThere(root.series, ids, from)
  const byIndex = new Map(Array.from(pages.values.values(), (page) => [page.index, page]))
  const isByPriority = (entry.rules.conflict ?? "priority") === "priority"
  const parts = windows
    // a page that the root does not name says that nothing is stored of it; one that can't be read says nothing
    .filter((window) => byIndex.has(pageOf(window)) || !refs.some(({ index }) => index === pageOf(window)))
    .map(({ ranges, windowStart }): Omit<StoredWindow, "rows"> => {
      const { chunks } = entryOf(byIndex.get(Window.pageIndex(grid, windowStart)), windowStart)
      const preferred = byPreference(chunks, sources)
      return { windowStart, ranges, chunks: isByPriority ? needed(preferred, ranges) : touching(preferred, ranges) }
    })
  return { parts, pages }
})

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

/** What can be had of covered time: a window without all of its chunks is left out whole. */
export const windowsThere = Effect.fnUntraced(function* (
  wanted: Wanted,
  view: CoverageView,
  covered: RangeSet.RangeSet,
  from: From
) {
  const store = yield* ChunkStore
  const { parts, pages } = yield* partsThere(wanted, view, covered, from)
  const names = parts.flatMap(({ chunks, windowStart }) => chunks.map(({ id }) => ({ windowStart, id })))
  const { failure, fromCache, fromStorage, values } = yield* store.chunksThere(wanted.entry.series, names, from)
  const windows = parts
    .filter(({ chunks }) => chunks.every(({ id }) => values.has(id)))
    .map((part): StoredWindow => ({
      ...part,
      rows: part.chunks.map(({ id, ranges, source }) => {
        const { findings = Findings.none, frame } = values.get(id)!
        return { source, ranges, frame, findings }
      })
    }))
  const failed = pages.failure ?? failure
  return {
    windows,
    failure: failed,
    chunks: { wanted: names.length, fromCache, fromStorage },
    storageAsked: failed !== undefined || fromStorage + pages.fromStorage > 0
  } satisfies WindowsThere
})

/** What is stored of covered time, all of it. */
export const loadWindows = Effect.fnUntraced(function* (
  wanted: Wanted,
  view: CoverageView,
  covered: RangeSet.RangeSet
) {
  const { failure, windows } = yield* windowsThere(wanted, view, covered, "anywhere")
  if (failure !== undefined) return yield* Effect.fail(failure)
  return { windows }
})
