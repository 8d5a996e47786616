/** What is told of one change of the coverage of a series? */
import { type CoverageRoot, rolledBackCause } from "../protocol/history/CoverageRoot.ts"
import type { Range } from "../protocol/history/Range.ts"
import { toPairs } from "../protocol/history/RangePairs.ts"

/** One version of the coverage of a series, and how it came about. Times are epoch milliseconds. */
export interface CoverageChange {
  readonly nodeId: string
  readonly interval: string
  readonly version: number
  /** Always later than that of the version before. */
  readonly committedAt: number
  readonly added: ReadonlyArray<Range>
  readonly removed: ReadonlyArray<Range>
  /** Covered bars whose values changed. */
  readonly revised: ReadonlyArray<Range>
  /** The backfill jobs that brought it. */
  readonly jobs: ReadonlyArray<string>
  readonly source: string
  readonly cause: string
  /** What is covered since. */
  readonly coverageRanges: ReadonlyArray<Range>
  /** Null where that is all of it; else the covered ranges before this time are too many to be told here. */
  readonly coverageRangesFrom: number | null
  readonly watermarks: CoverageRoot["watermarks"]
  /**
   * Whether storage was rolled back: versions that were told may be gone, and what they had brought is in `removed`
   * where it is lost. Versions go on far above.
   */
  readonly isRolledBack: boolean
  /** How many versions before this one were asked for and can't be told any more, since they are no longer kept. */
  readonly missedVersions: number
}

/** The change that a root is. */
export const changeOf = (root: CoverageRoot, missedVersions: number): CoverageChange => {
  const { committedAt, covered, coveredInPagesBefore, diff, series, version, watermarks } = root
  return {
    nodeId: series.nodeId,
    interval: series.interval,
    version,
    committedAt,
    added: toPairs(diff.added),
    removed: toPairs(diff.removed),
    revised: diff.revised === undefined ? [] : toPairs(diff.revised),
    jobs: diff.jobs,
    source: diff.source,
    cause: diff.cause,
    coverageRanges: toPairs(covered),
    coverageRangesFrom: coveredInPagesBefore,
    watermarks,
    isRolledBack: diff.cause === rolledBackCause,
    missedVersions
  }
}
