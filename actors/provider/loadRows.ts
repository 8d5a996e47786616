/**
 * How do stored rows get into an answer?
 *
 * The root's pages name the chunks of each window; chunks come from memory or in batches from the store, and each
 * stretch of time from the preferred source that covers it.
 */
import { Effect } from "effect"
import { contentHash } from "../../protocol/frame/contentHash.ts"
import { fieldNames } from "../../protocol/frame/DataSchema.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { type ChunkRef, entryOf } from "../../protocol/history/CoveragePage.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { mergeBySource } from "../conformance/mergeBySource.ts"
import { ChunkStore, type Fetched } from "../sources/ChunkStore.ts"
import { fingerprint, type WindowContent } from "./fingerprint.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The rows of an answer. */
export interface Loaded {
  readonly frame: Frame.Frame
  readonly covered: RangeSet.RangeSet
  readonly contributions: ReadonlyMap<string, RangeSet.RangeSet>
  readonly fingerprint: string
  readonly fromCache: number
  readonly fromStorage: number
}

/** What rows are wanted. */
type Wanted = Pick<ValidRequest, "entry" | "range" | "sources">

/** A window of the answer, its covered time, and the chunks it may be taken from, the preferred first. */
interface Part extends Window.WindowRanges {
  readonly chunks: ReadonlyArray<ChunkRef>
}

const byPreference = (chunks: ReadonlyArray<ChunkRef>, sources: ReadonlyArray<string>): ReadonlyArray<ChunkRef> => {
  const rank = ({ source }: ChunkRef): number => (sources.includes(source) ? sources.indexOf(source) : sources.length)
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

const partsOf = Effect.fnUntraced(function* (request: Wanted, { root }: CoverageView, covered: RangeSet.RangeSet) {
  const store = yield* ChunkStore
  const grid = Window.makeGrid(request.entry.interval, root.windowBars)
  const windows = Window.split(grid, covered)
  const indexes = new Set(windows.map(({ windowStart }) => Window.pageIndex(grid, windowStart)))
  const refs = root.pages.filter(({ index }) => indexes.has(index))
  const pages = yield* store.pages(
    root.series,
    refs.map(({ id }) => id)
  )
  const byIndex = new Map(pages.map((page) => [page.index, page]))
  return windows.map(({ ranges, windowStart }): Part => {
    const { chunks } = entryOf(byIndex.get(Window.pageIndex(grid, windowStart)), windowStart)
    return { windowStart, ranges, chunks: needed(byPreference(chunks, request.sources), ranges) }
  })
})

const merge = ({ chunks, ranges }: Part, { frames }: Fetched, empty: Frame.Frame) =>
  mergeBySource(
    chunks.map(({ id, ranges, source }) => ({ source, ranges, frame: frames.get(id) ?? empty })),
    ranges,
    empty
  )

/** The hash of a part's rows; known already where they are one whole chunk. */
const hashOf = ({ chunks, windowStart }: Part, frame: Frame.Frame): WindowContent => {
  const [only, ...others] = chunks
  const isWhole = only !== undefined && others.length === 0 && only.rows === Frame.length(frame)
  return { windowStart, contentHash: isWhole ? only.contentHash : contentHash(frame) }
}

/** The rows of the request's range that the root covers. */
export const loadRows = Effect.fnUntraced(function* (request: Wanted, view: CoverageView) {
  const store = yield* ChunkStore
  const { schema, series } = request.entry
  const covered = RangeSet.clip(view.covered, ...request.range)
  const parts = yield* partsOf(request, view, covered)
  const names = parts.flatMap(({ chunks, windowStart }) => chunks.map(({ id }) => ({ windowStart, id })))
  const fetched = yield* store.chunks(series, names)
  const empty = Frame.empty(fieldNames(schema))
  const merged = parts.map((part) => merge(part, fetched, empty))
  const contributions = new Map<string, RangeSet.RangeSet>()
  for (const [source, ranges] of merged.flatMap((each) => Array.from(each.contributions))) {
    contributions.set(source, RangeSet.union(contributions.get(source) ?? RangeSet.empty, ranges))
  }
  const loaded: Loaded = {
    frame: Frame.concat([empty, ...merged.map(({ frame }) => frame)]),
    covered,
    contributions,
    fingerprint: fingerprint(
      { series, range: request.range, covered },
      parts.map((part, index) => hashOf(part, merged[index]?.frame ?? empty))
    ),
    fromCache: fetched.fromCache,
    fromStorage: fetched.fromStorage
  }
  return loaded
})

/** What an answer has whose rows did not come in time: nothing. */
export const nothingLoaded = ({ entry: { schema, series }, range }: ValidRequest): Loaded => ({
  frame: Frame.empty(fieldNames(schema)),
  covered: RangeSet.empty,
  contributions: new Map(),
  fingerprint: fingerprint({ series, range, covered: RangeSet.empty }, []),
  fromCache: 0,
  fromStorage: 0
})
