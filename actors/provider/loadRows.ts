/**
 * How do stored rows get into an answer?
 *
 * The root's pages name the chunks of each window; chunks come from memory or in batches from the store, and each
 * stretch of time from the preferred source that covers it.
 */
import { Effect } from "effect"
import { contentHash } from "../../protocol/frame/contentHash.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { type ChunkRef, entryOf } from "../../protocol/history/CoveragePage.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { mergeBySource } from "../conformance/mergeBySource.ts"
import { mergeByWriter, type WriterRule } from "../conformance/mergeByWriter.ts"
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

/** The chunks that have a say where the last writer is right: any of the time. */
const touching = (chunks: ReadonlyArray<ChunkRef>, ranges: RangeSet.RangeSet): ReadonlyArray<ChunkRef> =>
  chunks.filter((chunk) => !RangeSet.equals(RangeSet.subtract(ranges, chunk.ranges), ranges))

/** How the last writer is known, where the rules of the series say that it is right. */
const writerRule = ({ entry: { interval, rules } }: ValidRequest): WriterRule | undefined => {
  const { conflict = "priority", versionColumn = "version" } = rules
  if (conflict === "priority") return undefined
  return { intervalMs: interval.lengthMs, versionColumn: conflict === "version" ? versionColumn : null }
}

const partsOf = Effect.fnUntraced(function* (
  request: ValidRequest,
  { root }: CoverageView,
  covered: RangeSet.RangeSet
) {
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
    const preferred = byPreference(chunks, request.sources)
    const isByWriter = writerRule(request) !== undefined
    return { windowStart, ranges, chunks: isByWriter ? touching(preferred, ranges) : needed(preferred, ranges) }
  })
})

const merge = ({ chunks, ranges }: Part, { frames }: Fetched, empty: Frame.Frame, rule: WriterRule | undefined) => {
  const sources = chunks.map(({ id, ranges, source }) => ({ source, ranges, frame: frames.get(id) ?? empty }))
  return rule === undefined ? mergeBySource(sources, ranges, empty) : mergeByWriter(sources, ranges, empty, rule)
}

/** The hash of a part's rows; known already where they are one whole chunk. */
const hashOf = ({ chunks, windowStart }: Part, frame: Frame.Frame): WindowContent => {
  const [only, ...others] = chunks
  const isWhole = only !== undefined && others.length === 0 && only.rows === Frame.length(frame)
  return { windowStart, contentHash: isWhole ? only.contentHash : contentHash(frame) }
}

/** The rows of the request's range that the root covers. */
export const loadRows = Effect.fnUntraced(function* (request: ValidRequest, view: CoverageView) {
  const store = yield* ChunkStore
  const { schema, series } = request.entry
  const covered = RangeSet.clip(view.covered, ...request.range)
  const parts = yield* partsOf(request, view, covered)
  const names = parts.flatMap(({ chunks, windowStart }) => chunks.map(({ id }) => ({ windowStart, id })))
  const fetched = yield* store.chunks(series, names)
  const empty = Frame.empty(schema)
  const rule = writerRule(request)
  const merged = parts.map((part) => merge(part, fetched, empty, rule))
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
  frame: Frame.empty(schema),
  covered: RangeSet.empty,
  contributions: new Map(),
  fingerprint: fingerprint({ series, range, covered: RangeSet.empty }, []),
  fromCache: 0,
  fromStorage: 0
})
