/** What does a root cover, wherever it keeps that? */
import { Effect } from "effect"
import type { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import * as InlineCoverage from "../../protocol/history/InlineCoverage.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { ChunkStore } from "./ChunkStore.ts"

/** The root with all covered time: what it does not hold itself is in its pages. */
export const wholeView = Effect.fnUntraced(function* (root: CoverageRoot) {
  if (root.coveredInPagesBefore === null) return { root, covered: root.covered } satisfies CoverageView
  const store = yield* ChunkStore
  const ids = root.pages.map(({ id }) => id)
  return { root, covered: InlineCoverage.whole(root, yield* store.pages(root.series, ids)) } satisfies CoverageView
})
