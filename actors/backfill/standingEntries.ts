/** What is stored of some windows, by a root? */
import { Effect } from "effect"
import { type ChunkRef, entryOf } from "../../protocol/history/CoveragePage.ts"
import type { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import * as Window from "../../protocol/history/Window.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"

/** The entries of the windows, in their order. */
export const standingEntries = Effect.fnUntraced(function* (
  root: CoverageRoot,
  grid: Window.Grid,
  windowStarts: ReadonlyArray<number>
) {
  const store = yield* ChunkStore
  const indexes = new Set(windowStarts.map((windowStart) => Window.pageIndex(grid, windowStart)))
  const refs = root.pages.filter(({ index }) => indexes.has(index))
  const pages = yield* store.pages(
    root.series,
    refs.map(({ id }) => id)
  )
  const byIndex = new Map(pages.map((page) => [page.index, page]))
  return windowStarts.map((windowStart) => entryOf(byIndex.get(Window.pageIndex(grid, windowStart)), windowStart))
})

/** What stood of a window when its source was asked about it once more. */
export interface Upon {
  readonly generation: number
  /** The source's chunk; undefined where it had none. */
  readonly chunk: ChunkRef | undefined
}

/** What stands of the windows, by their starts, for a source that is about to be asked. */
export const uponNow = (root: CoverageRoot, grid: Window.Grid, windowStarts: ReadonlyArray<number>, source: string) =>
  Effect.map(
    standingEntries(root, grid, windowStarts),
    (entries): ReadonlyMap<number, Upon> =>
      new Map(
        entries.map(({ chunks, generation, windowStart }) => [
          windowStart,
          { generation, chunk: chunks.find((chunk) => chunk.source === source) }
        ])
      )
  )
