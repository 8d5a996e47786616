/**
 * What does a reader see otherwise when a source's rows are stored beside those of others?
 *
 * Of time that is missing there is nothing to tell. Where others have some of it, whose rows a reader is given is
 * decided by the order of the sources, or by whatever the rules of the series say; what differs then is told like a
 * revision, though no stored row was touched.
 */
import { Effect } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import type { WindowEntry } from "../../protocol/history/CoveragePage.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { WindowCommit } from "../../protocol/messages/Coverage.ts"
import type { SourceRows } from "../conformance/mergeBySource.ts"
import { mergeRevision } from "../conformance/mergeRevision.ts"
import { mergeStored } from "../conformance/mergeStored.ts"
import { tellRevised, timeOfRevised } from "../conformance/tellRevised.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { byPreference } from "../sources/storedWindows.ts"
import { storedRows } from "./storedRows.ts"

/** Rows that a source has not had of a window. */
interface Added {
  readonly windowStart: number
  readonly rows: Frame.Frame
  readonly ranges: RangeSet.RangeSet
}

/** The bars that whoever reads in the order of the configuration is given otherwise from now on. */
export const tellBeside = Effect.fnUntraced(function* (
  { entry, source }: { readonly entry: CatalogEntry; readonly source: string },
  standing: WindowEntry,
  { ranges, rows, windowStart }: Added
) {
  const others = standing.chunks.filter((chunk) => !isEmpty(RangeSet.intersect(chunk.ranges, ranges)))
  const shared = RangeSet.intersect(ranges, RangeSet.unionAll(others.map((chunk) => chunk.ranges)))
  const untold: Pick<WindowCommit, "revised" | "revisedBars"> = {}
  if (isEmpty(shared)) return untold
  const before = yield* Effect.forEach(others, (chunk) =>
    Effect.map(storedRows(entry, windowStart, chunk), (frame): SourceRows => ({ ...chunk, frame }))
  )
  const seen = (sources: ReadonlyArray<SourceRows>): Frame.Frame =>
    mergeStored(byPreference(sources, entry.sources), shared, Frame.empty(entry.schema), entry).frame
  const change = mergeRevision(seen(before), seen([...before, { source, ranges, frame: rows }]), shared)
  const revised = timeOfRevised(change, entry.interval.lengthMs)
  return isEmpty(revised) ? untold : { revised, revisedBars: tellRevised(change, source) }
})
