/** Which rows of a source are stored right before some time? */
import { Effect } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import type { ChunkRef } from "../../protocol/history/CoveragePage.ts"
import { at, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { mergeFrames, rowsIn } from "../conformance/mergeFrames.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { standingEntries } from "./standingEntries.ts"
import { storedRows } from "./storedRows.ts"

/** As many bars at the most: more than the standard rules look back, and a window or two. */
const barsMax = 250

/** Whose rows are looked up. */
interface Stored {
  readonly entry: CatalogEntry
  readonly source: string
  readonly view: CoverageView
}

/** The last range of the set, where it ends at that moment. */
const endingAt = (set: RangeSet.RangeSet, moment: number): RangeSet.RangeSet => {
  const [start, end] = at(set, size(set) - 1)
  return end === moment ? RangeSet.of(start, end) : RangeSet.empty
}

/** The source's chunks of the time, by the windows' starts. */
const ownChunks = Effect.fnUntraced(function* ({ entry, source, view: { root } }: Stored, time: RangeSet.RangeSet) {
  const grid = Window.makeGrid(entry.interval, root.windowBars)
  const starts = Window.split(grid, time).map(({ windowStart }) => windowStart)
  const entries = yield* standingEntries(root, grid, starts)
  return entries.flatMap(({ chunks, windowStart }) =>
    chunks.flatMap((chunk) => (chunk.source === source ? [{ windowStart, chunk }] : []))
  )
})

/** What is known of a window's chunk in the time: nothing where it is damaged. */
const rowsOf = (
  { entry }: Stored,
  { chunk, windowStart }: { readonly chunk: ChunkRef; readonly windowStart: number },
  time: RangeSet.RangeSet
) =>
  storedRows(entry, windowStart, chunk, time).pipe(
    Effect.map((rows) => [{ rows, ranges: RangeSet.intersect(chunk.ranges, time) }]),
    Effect.catchTag("StoreDamaged", () => Effect.succeed([]))
  )

/**
 * Its rows up to that moment, without a gap in what is known of them; none where the time before is not there. They say
 * how the rows behind them are judged, and no more: where they can't be read these are judged without them. Whoever
 * reads them is told of the damage.
 */
export const storedBefore = Effect.fnUntraced(function* (stored: Stored, moment: number) {
  const { entry, view } = stored
  const from = moment - barsMax * entry.interval.lengthMs
  const time = endingAt(RangeSet.clip(view.covered, from, moment), moment)
  const chunks = yield* ownChunks(stored, time).pipe(Effect.catchTag("StoreDamaged", () => Effect.succeed([])))
  const own = (yield* Effect.forEach(chunks, (each) => rowsOf(stored, each, time))).flat()
  const known = endingAt(RangeSet.unionAll(own.map(({ ranges }) => ranges)), moment)
  return mergeFrames([Frame.empty(entry.schema), ...own.flatMap(({ rows }) => rowsIn(rows, known))])
})
