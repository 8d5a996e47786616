/**
 * How do a source's rows become a sealed frame?
 *
 * The steps in their order; each is a file of its own. Rows are conformed once, where they enter.
 */
import { Result } from "effect"
import type { QualityPlan } from "../../protocol/frame/planQuality.ts"
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import { alignToInterval } from "./alignToInterval.ts"
import { castColumns } from "./castColumns.ts"
import { type Carried, checkQuality } from "./checkQuality.ts"
import type { ConformanceFailed } from "./ConformanceFailed.ts"
import type { ConformanceReport } from "./ConformanceReport.ts"
import { markDuplicates } from "./markDuplicates.ts"
import { markOutOfOrder } from "./markOutOfOrder.ts"
import { seal } from "./seal.ts"
import { toUtc } from "./toUtc.ts"

/** What the rows are to become, and where they come from. */
export interface ConformOptions {
  readonly schema: DataSchema
  readonly interval: Interval
  /** Name of the source in the configuration. */
  readonly source: string
  readonly ingestAtMs: number
  /** The backfill job that fetched the rows; empty where no job did. */
  readonly jobId: string
  /** Bits of `RowFlag` that hold for every row. */
  readonly flags: number
  /** What is checked of the rows. */
  readonly quality: QualityPlan
  /** What an earlier page of the same answer left, for rules that look at the rows before. */
  readonly carried?: Carried | undefined
}

/** A sealed frame beside what was found on the way to it. */
export interface Conformed {
  readonly frame: Frame
  readonly report: ConformanceReport
  /** What the next page of the same answer has to know. */
  readonly carried: Carried
}

/**
 * The rows as a sealed frame: the schema's columns as float64, one row a bar, strictly ascending, with flags and
 * lineage.
 *
 * Never writes into `rows`. Typed arrays that are clean already are passed on uncopied, so whoever gave them no longer
 * writes to them. Fails as `castColumns`, `toUtc` and `checkQuality` do.
 */
export const conform = (rows: RawRows, options: ConformOptions): Result.Result<Conformed, ConformanceFailed> =>
  Result.gen(function* () {
    const columns = yield* castColumns(rows, options.schema)
    const timeMs = yield* toUtc(rows.eventTime)
    const { eventTimeMs, movedToBar } = alignToInterval(timeMs, options.interval)
    const flags = new Uint32Array(eventTimeMs.length).fill(options.flags)
    const marked = { eventTimeMs, columns, flags }
    // Before duplicates are dropped: a repeated row says as much about the source's order as any other.
    const outOfOrderCount = markOutOfOrder(marked)
    const kept = markDuplicates(marked)
    const { ingestAtMs, jobId, source } = options
    const frame = seal(marked, kept.rows, { source, ingestAtMs, jobId })
    const { interval, quality } = options
    const checked = yield* checkQuality(frame, quality, { interval, givenMs: eventTimeMs, carried: options.carried })
    const { carried, findings } = checked
    const { duplicateCount } = kept
    const rowCount = frame.eventTimeMs.length
    return { frame, report: { rows: rowCount, movedToBar, outOfOrderCount, duplicateCount, findings }, carried }
  })
