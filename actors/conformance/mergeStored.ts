/**
 * Which rows stand where several sources have stored some?
 *
 * By the preference of whoever reads, unless the rules of the series say that the last writer is right.
 */
import type { ConformanceRules } from "../../protocol/frame/ConformanceRules.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import { type Merged, mergeBySource, type SourceRows } from "./mergeBySource.ts"
import { mergeByWriter } from "./mergeByWriter.ts"

/** What says whose rows stand. */
export interface MergeRules {
  readonly interval: Interval
  readonly rules: ConformanceRules
}

/** The rows of `wanted` time, and whose they are; sources come the preferred first, `empty` gives the columns. */
export const mergeStored = (
  sources: ReadonlyArray<SourceRows>,
  wanted: RangeSet,
  empty: Frame,
  { interval, rules: { conflict = "priority", versionColumn = "version" } }: MergeRules
): Merged =>
  conflict === "priority"
    ? mergeBySource(sources, wanted, empty)
    : mergeByWriter(sources, wanted, empty, {
        intervalMs: interval.lengthMs,
        versionColumn: conflict === "version" ? versionColumn : null
      })
