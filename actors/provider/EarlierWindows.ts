/**
 * What is the content of windows whose rows have been counted already?
 *
 * The account of an answer names the content of each of its windows, also of those that its reader had before it came
 * back. Pages tell it of most. The rows of the others are read once more: of windows that several sources have stored,
 * and of one that the range cuts.
 */
import { Effect, Option } from "effect"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CoverageFailure, CoverageView } from "../../protocol/messages/Coverage.ts"
import { shareOut } from "../conformance/mergeBySource.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import { loadPlanned, type PlannedWindow } from "../sources/storedWindows.ts"
import type { Contents } from "./AccountSoFar.ts"
import { joinWindows } from "./loadRows.ts"
import { countOf, makePages, usualSize } from "./RowBatches.ts"
import type { ValidRequest } from "./validRequest.ts"
import { contentByName } from "./windowContent.ts"

/** The contents of windows, some at a time, in the order of time; none where all have been given. */
export type EarlierWindows = Effect.Effect<Option.Option<Contents>, CoverageFailure, ChunkStore>

/** The contents of windows that their pages tell. */
const byName = (windows: ReadonlyArray<PlannedWindow>, contents: Contents["contents"]): Contents => {
  const taken = windows.flatMap(({ chunks, ranges }) => shareOut(chunks, ranges))
  const bySource = Map.groupBy(taken, ([{ source }]) => source)
  return {
    contents,
    contributions: new Map(
      Array.from(bySource, ([source, own]) => [source, RangeSet.unionAll(own.map(([, ranges]) => ranges))])
    )
  }
}

/** The windows of some covered time under a root. */
export const make = (
  request: ValidRequest,
  view: Pick<CoverageView, "root">,
  covered: RangeSet.RangeSet,
  size = usualSize
): EarlierWindows => {
  const nextPage = makePages(request, view, covered)
  let planned: ReadonlyArray<PlannedWindow> = []

  return Effect.gen(function* () {
    if (planned.length === 0) planned = Option.getOrElse(yield* nextPage, () => [])
    if (planned.length === 0) return Option.none()
    const told = planned.map(contentByName)
    const firstUntold = told.indexOf(undefined)
    const toldCount = firstUntold === -1 ? told.length : firstUntold
    if (toldCount > 0) {
      const windows = planned.slice(0, toldCount)
      planned = planned.slice(toldCount)
      return Option.some(
        byName(
          windows,
          told.slice(0, toldCount).filter((content) => content !== undefined)
        )
      )
    }
    const firstTold = told.findIndex((content) => content !== undefined)
    const untold = planned.slice(0, firstTold === -1 ? told.length : firstTold)
    const chosen = untold.slice(0, countOf(request, size, untold))
    planned = planned.slice(chosen.length)
    const { windows } = yield* loadPlanned({ ...request, once: true }, chosen)
    const { contents, contributions } = joinWindows(request.entry, windows)
    return Option.some({ contents, contributions })
  })
}
