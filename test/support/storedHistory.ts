/**
 * How does a test have any history stored, of several sources, and read it?
 *
 * Chunks and pages are put as workers put them; the root that names them is given to who reads.
 */
import { Effect, Layer } from "effect"
import * as ChunkStore from "../../actors/sources/ChunkStore.ts"
import { PastRoots } from "../../actors/sources/PastRoots.ts"
import { type CatalogEntry, SeriesCatalog } from "../../actors/sources/SeriesCatalog.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as Chunk from "../../protocol/history/Chunk.ts"
import type { ChunkRef, WindowEntry } from "../../protocol/history/CoveragePage.ts"
import type * as Findings from "../../protocol/history/Findings.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Backfill } from "../../protocol/messages/Backfill.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { viewOf } from "./requests.ts"

/** What one source has of a window. */
export interface StoredChunk {
  readonly windowStart: number
  readonly source: string
  readonly ranges: RangeSet.RangeSet
  readonly frame: Frame
  readonly findings: Findings.Findings
}

/** Stores chunks, and gives the root that names them. */
export const store = Effect.fnUntraced(function* (
  { interval, series }: CatalogEntry,
  windowBars: number,
  chunks: ReadonlyArray<StoredChunk>
) {
  const shelves = yield* ChunkStore.ChunkStore
  const byWindow = new Map<number, Array<ChunkRef>>()
  for (const { frame, windowStart, ...about } of chunks) {
    const chunk = Chunk.encode(frame, { series, windowStart, windowBars, base: null, schemaVersion: 1, ...about })
    yield* shelves.putChunk(series, windowStart, chunk)
    byWindow.set(windowStart, [...(byWindow.get(windowStart) ?? []), chunk.ref])
  }
  const grid = Window.makeGrid(interval, windowBars)
  const byPage = new Map<number, Array<WindowEntry>>()
  for (const [windowStart, refs] of Array.from(byWindow).toSorted(([a], [b]) => a - b)) {
    const index = Window.pageIndex(grid, windowStart)
    byPage.set(index, [...(byPage.get(index) ?? []), { windowStart, generation: 0, chunks: refs }])
  }
  const pages = yield* Effect.forEach(byPage, ([index, windows]) =>
    Effect.map(shelves.putPage(series, { format: 1, index, windows }), (id) => ({ index, id }))
  )
  const covered = RangeSet.unionAll(chunks.map(({ ranges }) => ranges))
  const view = viewOf(covered)
  return { ...view, root: { ...view.root, windowBars, pages } } satisfies CoverageView
})

const unused = Effect.die("nothing is asked of it")

/** All that a read rests on, over a root that stands, and stood at any point; it is looked up unless it is known. */
export const servicesOf = (view: CoverageView, isKnown = false) =>
  Layer.mergeAll(
    Layer.succeed(Coverage, {
      of: () => Effect.succeed(view),
      known: () => (isKnown ? view : undefined),
      ensure: () => unused,
      commit: () => unused,
      confirm: () => unused
    }),
    Layer.mock(Backfill, {}),
    Layer.succeed(SeriesCatalog, { all: [], find: () => unused }),
    Layer.succeed(PastRoots, { rootsMs: Infinity, at: () => Effect.succeed({ ...view, atMs: 10 ** 12 }) })
  )

/** A store in memory, with next to no room for what was read. */
export const stores = ChunkStore.layer(1).pipe(Layer.provide(Layer.fresh(MemoryMesh.layer)))
