/**
 * Which chunks does a window have?
 *
 * A page holds up to 256 window entries. It is immutable and named by its bytes: changing an entry makes another page,
 * which the next root names. A window may have a chunk from each of several sources; they are never mixed in storage.
 */
import { Schema } from "effect"
import { Pairs } from "./RangePairs.ts"

/** One source's chunk in a window. */
export const ChunkRef = Schema.Struct({
  source: Schema.String,
  /** SHA-256 of the chunk's bytes, in hex. */
  id: Schema.String,
  /** What of the window the source's answers cover. */
  ranges: Pairs,
  /** SHA-256 of the rows' times and values, in hex. */
  contentHash: Schema.String,
  rows: Schema.Int,
  /** The highest event time in the chunk; null where it has no rows. */
  lastEventTime: Schema.NullOr(Schema.Finite)
})
export type ChunkRef = typeof ChunkRef.Type

/** What is stored of one window. */
export const WindowEntry = Schema.Struct({
  windowStart: Schema.Finite,
  /** Raised when what was stored stops counting; work planned on an older one is refused. */
  generation: Schema.Int,
  chunks: Schema.Array(ChunkRef)
})
export type WindowEntry = typeof WindowEntry.Type

/** A run of window entries, ascending. */
export const CoveragePage = Schema.Struct({
  format: Schema.Literal(1),
  index: Schema.Int,
  windows: Schema.Array(WindowEntry)
})
export type CoveragePage = typeof CoveragePage.Type

/** The entry of a window of which nothing is stored. */
export const emptyEntry = (windowStart: number): WindowEntry => ({ windowStart, generation: 0, chunks: [] })

/** The entry of a window; an empty one where the page has none. */
export const entryOf = (page: CoveragePage | undefined, windowStart: number): WindowEntry =>
  page?.windows.find((entry) => entry.windowStart === windowStart) ?? emptyEntry(windowStart)

/** The page with the entry in its place. */
export const withEntry = (page: CoveragePage, entry: WindowEntry): CoveragePage => ({
  ...page,
  windows: [...page.windows.filter(({ windowStart }) => windowStart !== entry.windowStart), entry].toSorted(
    (a, b) => a.windowStart - b.windowStart
  )
})
