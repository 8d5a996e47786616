/** Which rows of a source are stored right before some time? */
import { Effect } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import { at, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { mergeFrames, rowsIn } from "../conformance/mergeFrames.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { loadWindows } from "../sources/storedWindows.ts"

/** As many bars at the most: more than the standard rules look back, and a window or two. */
const barsMax = 250

/** The last range of the set, where it ends at that moment. */
const endingAt = (set: RangeSet.RangeSet, moment: number): RangeSet.RangeSet => {
  const [start, end] = at(set, size(set) - 1)
  return end === moment ? RangeSet.of(start, end) : RangeSet.empty
}

/** Its rows up to that moment, without a gap in what is known of them; none where the time before is not there. */
export const storedBefore = Effect.fnUntraced(function* (
  { entry, source, view }: { readonly entry: CatalogEntry; readonly source: string; readonly view: CoverageView },
  moment: number
) {
  const from = moment - barsMax * entry.interval.lengthMs
  const time = endingAt(RangeSet.clip(view.covered, from, moment), moment)
  const { windows } = yield* loadWindows({ entry, sources: [source] }, view, time)
  const own = windows.flatMap(({ ranges, rows }) =>
    rows
      .filter((each) => each.source === source)
      .map((each) => ({ frame: each.frame, ranges: RangeSet.intersect(each.ranges, ranges) }))
  )
  const known = endingAt(RangeSet.unionAll(own.map(({ ranges }) => ranges)), moment)
  return mergeFrames([
    Frame.empty(entry.schema),
    ...own.flatMap(({ frame, ranges }) => rowsIn(frame, RangeSet.intersect(ranges, known)))
  ])
})
