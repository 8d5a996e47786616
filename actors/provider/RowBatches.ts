/**
 * How are the rows of a long range loaded without holding them all?
 *
 * Window after window, in batches of about one size: the pages that name the chunks are read as they are needed, and
 * what goes by takes nobody's place in memory.
 */
import { Effect, Option } from "effect"
import * as Interval from "../../protocol/history/Interval.ts"
import { bars, bounds } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { makeGrid, windowsPerPage } from "../../protocol/history/Window.ts"
import type { CoverageFailure, CoverageView } from "../../protocol/messages/Coverage.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import { loadPlanned, type PlannedWindow, planWindows } from "../sources/storedWindows.ts"
import { joinWindows } from "./loadRows.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The rows of some windows, with the time that they are about. */
export interface Batch extends ReturnType<typeof joinWindows> {
  readonly covered: RangeSet.RangeSet
  /** Where their chunks were. */
  readonly chunks: { readonly fromCache: number; readonly fromStorage: number }
}

/** The batches of a range: each is loaded when it is asked for; none where all have been. */
export type RowBatches = Effect.Effect<Option.Option<Batch>, CoverageFailure, ChunkStore>

/** How much of a range is loaded at once. */
export interface BatchSize {
  readonly rows: number
  readonly windows: number
}

/** A part of an answer has some thousands of rows: a batch is a few parts, and few requests to the store. */
export const usualSize: BatchSize = { rows: 16_384, windows: 64 }

/** About how many rows a window gives. */
const rowsOf = ({ entry, fill }: ValidRequest, { chunks, ranges }: PlannedWindow): number =>
  fill === "none" ? Math.max(0, ...chunks.map(({ rows }) => rows)) : bars(ranges, entry.interval.lengthMs)

/** How many of the windows make a batch; one at the least. */
export const countOf = (request: ValidRequest, size: BatchSize, windows: ReadonlyArray<PlannedWindow>): number => {
  let rows = 0
  for (const [index, window] of windows.entries()) {
    rows += rowsOf(request, window)
    if (index > 0 && (rows > size.rows || index === size.windows)) return index
  }
  return windows.length
}

/** Gives the windows of some covered time, page by page, with what is stored of each; none behind the last. */
export const makePages = (
  { entry, sources }: Pick<ValidRequest, "entry" | "sources">,
  { root }: Pick<CoverageView, "root">,
  covered: RangeSet.RangeSet
): Effect.Effect<Option.Option<ReadonlyArray<PlannedWindow>>, CoverageFailure, ChunkStore> => {
  const grid = makeGrid(entry.interval, root.windowBars)
  const pages = { lengthMs: grid.intervalMs * grid.windowBars * windowsPerPage, anchorMs: grid.anchorMs }
  let rest = covered
  return Effect.suspend(() => {
    const left = bounds(rest)
    if (Option.isNone(left)) return Effect.succeedNone
    const { end, start } = left.value
    const pageEnd = Interval.alignUp(pages, start + 1)
    const time = RangeSet.clip(rest, start, pageEnd)
    rest = pageEnd < end ? RangeSet.clip(rest, pageEnd, end) : RangeSet.empty
    return Effect.asSome(planWindows({ entry, sources, once: true }, { root }, time))
  })
}

/** The batches of what is covered of a request under a root, in the order of time. */
export const make = (
  request: ValidRequest,
  view: Pick<CoverageView, "root">,
  covered: RangeSet.RangeSet,
  size = usualSize
): RowBatches => {
  const { entry } = request
  const nextPage = makePages(request, view, covered)
  let planned: ReadonlyArray<PlannedWindow> = []

  const next: RowBatches = Effect.gen(function* () {
    if (planned.length === 0) planned = Option.getOrElse(yield* nextPage, () => [])
    if (planned.length === 0) return Option.none()
    const chosen = planned.slice(0, countOf(request, size, planned))
    const { windows, ...chunks } = yield* loadPlanned({ ...request, once: true }, chosen)
    planned = planned.slice(chosen.length)
    const time = RangeSet.unionAll(chosen.map(({ ranges }) => ranges))
    return Option.some({ ...joinWindows(entry, windows), covered: time, chunks })
  })
  return next
}
