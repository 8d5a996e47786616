/** What is covered of a series, as a caller sees it? */
import { Effect } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import type { CoverageReport } from "../../protocol/history/HistoryResult.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"

/** The coverage of a series with its version, and what is known of time that is not covered. */
export const coverageOf = Effect.fn(Span.historyCoverage)(function* ({ series }: CatalogEntry) {
  const coverage = yield* Coverage
  const { covered, root } = yield* coverage.of(series)
  const report: CoverageReport = {
    nodeId: series.nodeId,
    interval: series.interval,
    coverageRanges: covered,
    missingRanges: MissingRange.without(root.exceptions, covered),
    watermarks: root.watermarks,
    coverageVersion: root.version,
    windowBars: root.windowBars
  }
  return report
})
