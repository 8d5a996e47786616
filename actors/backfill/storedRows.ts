/** Which rows has a source stored of some time? */
import { Effect } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import type { ChunkRef } from "../../protocol/history/CoveragePage.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { mergeFrames, rowsIn } from "../conformance/mergeFrames.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import type { Upon } from "./standingEntries.ts"

type Catalogued = Pick<CatalogEntry, "schema" | "series">
type Named = Pick<ChunkRef, "id" | "ranges">

/**
 * The rows of a window's chunk in some time, and what was found in all of the chunk. There are none of time that does
 * not count any more, or where there is no chunk.
 */
export const storedChunk = Effect.fnUntraced(function* (
  { schema, series }: Catalogued,
  windowStart: number,
  chunk: Named | undefined,
  time?: RangeSet.RangeSet
) {
  const empty = Frame.empty(schema)
  const ranges = chunk === undefined ? RangeSet.empty : time ? RangeSet.intersect(chunk.ranges, time) : chunk.ranges
  if (chunk === undefined || isEmpty(ranges)) return { rows: empty, findings: Findings.none }
  const { values } = yield* (yield* ChunkStore).chunks(series, [{ windowStart, id: chunk.id }])
  const { findings = Findings.none, frame } = values.get(chunk.id)!
  return { rows: mergeFrames([empty, ...rowsIn(frame, ranges)]), findings }
})

/** The rows of a window's chunk in some time. */
export const storedRows = (
  entry: Catalogued,
  windowStart: number,
  chunk: Named | undefined,
  time?: RangeSet.RangeSet
) => Effect.map(storedChunk(entry, windowStart, chunk, time), ({ rows }) => rows)

/** The time of the bars that a source had stored, as far as it is in `time`. */
export const storedBars = (entry: CatalogEntry, upon: ReadonlyMap<number, Upon>, time: RangeSet.RangeSet) =>
  Effect.map(
    Effect.forEach(upon, ([windowStart, { chunk }]) => storedRows(entry, windowStart, chunk, time)),
    (frames) =>
      RangeSet.make(
        frames.flatMap(({ eventTimeMs }) =>
          Array.from(eventTimeMs, (start) => [start, start + entry.interval.lengthMs] as const)
        )
      )
  )
