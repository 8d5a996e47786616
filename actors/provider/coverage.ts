/** What is covered of a series, as a caller sees it? */
import { Effect } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import type { CoverageRequest } from "../../protocol/history/HistoryRequest.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CoverageReport } from "../../protocol/history/HistoryResult.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import * as Reach from "../sources/Reach.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { confirmedView, viewAt } from "./currentView.ts"
import { checkConsistency } from "./validRequest.ts"

/** Whose word on it counts, or which point of the past is meant. */
type CoverageOptions = Pick<CoverageRequest, "asOf" | "consistency">

/** The coverage of a series with its version, now or then, and what is known of time that is not covered. */
export const coverageOf = Effect.fn(Span.historyCoverage)(function* (entry: CatalogEntry, options: CoverageOptions) {
  const { series } = entry
  const { asOf, consistency } = options
  yield* checkConsistency(options, asOf ?? null)
  const standing = consistency === "strict" ? confirmedView(series) : (yield* Coverage).of(series)
  const { atMs, covered, root } = yield* viewAt(entry, asOf, standing)
  const unavailable = Reach.unavailable(entry, covered, atMs)
  const stored = MissingRange.without(root.exceptions, RangeSet.union(covered, MissingRange.timeOf(unavailable)))
  const report: CoverageReport = {
    nodeId: series.nodeId,
    interval: series.interval,
    coverageRanges: covered,
    missingRanges: [...unavailable, ...stored].toSorted((a, b) => a.start - b.start),
    ...(root.unsettled !== undefined && { unsettledRanges: root.unsettled }),
    watermarks: root.watermarks,
    coverageVersion: root.version,
    windowBars: root.windowBars
  }
  return report
})
