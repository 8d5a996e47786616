/**
 * Which bars does a change of the root revise, and what does it tell of them?
 *
 * Pure. Few ranges and few bars with their values: a root stays small, however much a source has corrected.
 */
import { coarsen } from "../../protocol/history/coarsen.ts"
import type { CoverageDiff } from "../../protocol/history/CoverageRoot.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { type RevisedBar, revisedBarsMax } from "../../protocol/history/RevisedBar.ts"
import type { WindowCommit } from "../../protocol/messages/Coverage.ts"

/** Bars that are not as they were. */
export interface Revised {
  readonly time: RangeSet.RangeSet
  /** The first of them with their values. */
  readonly bars: ReadonlyArray<RevisedBar>
}

/** So many ranges of revised bars a root tells apart. */
const rangesMax = 256

/** None at all. */
export const none: Revised = { time: RangeSet.empty, bars: [] }

/** Those of one window. */
export const by = ({ revised = RangeSet.empty, revisedBars = [] }: WindowCommit): Revised => ({
  time: revised,
  bars: revisedBars
})

/** Those of both. */
export const and = (a: Revised, b: Revised): Revised =>
  isEmpty(b.time) ? a : { time: RangeSet.union(a.time, b.time), bars: [...a.bars, ...b.bars].slice(0, revisedBarsMax) }

/** What a diff tells of them: nothing where there are none. */
export const inDiff = (
  { bars, time }: Revised,
  covered: RangeSet.RangeSet
): Pick<CoverageDiff, "revised" | "revisedBars"> =>
  isEmpty(time) ? {} : { revised: RangeSet.intersect(coarsen(time, rangesMax), covered), revisedBars: bars }
