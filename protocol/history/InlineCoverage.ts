/**
 * How does a root name more covered ranges than it can hold?
 *
 * A root is one record of bounded size: it holds the newest ranges itself and says from which time on downwards the
 * others are to be looked up. They are there already, since the entries of the pages name what each chunk covers.
 */
import type { CoveragePage } from "./CoveragePage.ts"
import { inlineRangesMax, type CoverageRoot } from "./CoverageRoot.ts"
import * as RangeMeasure from "./RangeMeasure.ts"
import * as RangeSet from "./RangeSet.ts"

/** What of a root says which time is covered. */
export type InlineCoverage = Pick<CoverageRoot, "covered" | "coveredInPagesBefore">

/** The root's own part of the coverage: the newest ranges, and where they begin when there are others before them. */
export const split = (covered: RangeSet.RangeSet): InlineCoverage => {
  const others = RangeMeasure.size(covered) - inlineRangesMax
  if (others <= 0) return { covered, coveredInPagesBefore: null }
  const [start] = RangeMeasure.at(covered, others)
  return { covered: RangeSet.clip(covered, start, Infinity), coveredInPagesBefore: start }
}

/**
 * The whole coverage of the root whose pages are given: all of those that have windows before `coveredInPagesBefore`,
 * in any order. A root that holds its coverage itself needs none.
 */
export const whole = (root: InlineCoverage, pages: ReadonlyArray<CoveragePage>): RangeSet.RangeSet => {
  if (root.coveredInPagesBefore === null) return root.covered
  const chunks = pages.flatMap(({ windows }) => windows).flatMap((entry) => entry.chunks)
  const stored = RangeSet.unionAll(chunks.map((chunk) => chunk.ranges))
  return RangeSet.union(RangeSet.clip(stored, -Infinity, root.coveredInPagesBefore), root.covered)
}
