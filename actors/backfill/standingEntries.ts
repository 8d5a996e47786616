/** What is stored of some windows, by a root? */
import { Effect } from "effect"
import { entryOf } from "../../protocol/history/CoveragePage.ts"
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
