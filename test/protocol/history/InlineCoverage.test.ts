/** Is coverage that a root can't hold itself found again in its pages? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ChunkRef, CoveragePage } from "../../../protocol/history/CoveragePage.ts"
import { inlineRangesMax } from "../../../protocol/history/CoverageRoot.ts"
import * as InlineCoverage from "../../../protocol/history/InlineCoverage.ts"
import * as RangeMeasure from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Window from "../../../protocol/history/Window.ts"
import { shuffled } from "../../support/rows.ts"

const grid: Window.Grid = { intervalMs: 1, anchorMs: 0, windowBars: 64 }

const chunk = (ranges: RangeSet.RangeSet, source: string): ChunkRef => ({
  source,
  id: source,
  ranges,
  contentHash: "",
  rows: 0,
  lastEventTime: null
})

/** Two sources that overlap in each window, and together have just its ranges. */
const chunksOf = ({ ranges, windowStart }: Window.WindowRanges): ReadonlyArray<ChunkRef> => [
  chunk(RangeSet.clip(ranges, -Infinity, windowStart + 40), "a"),
  chunk(RangeSet.clip(ranges, windowStart + 20, Infinity), "b")
]

/** The pages of a series with this coverage, in any order. */
const pagesHolding = (covered: RangeSet.RangeSet, seed: number): ReadonlyArray<CoveragePage> => {
  const entries = Window.split(grid, covered).map((part) => ({
    windowStart: part.windowStart,
    generation: 0,
    chunks: chunksOf(part)
  }))
  const byPage = Map.groupBy(entries, ({ windowStart }) => Window.pageIndex(grid, windowStart))
  const pages = Array.from(byPage, ([index, windows]): CoveragePage => ({ format: 1, index, windows }))
  return shuffled(pages.length, seed).map((index) => pages[index]!)
}

/** A set of exactly `count` ranges: each gap and each length is drawn from the seed. */
const setOf = (count: number, seed: number): RangeSet.RangeSet => {
  let state = seed
  const upTo = (most: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return 1 + ((state >>> 8) % most)
  }
  let time = -count
  const edges = Float64Array.from({ length: count * 2 }, () => (time += upTo(30)))
  return { edges }
}

const sizes = fc.oneof(
  fc.nat(5_000),
  fc.constantFrom(0, 1, inlineRangesMax - 1, inlineRangesMax, inlineRangesMax + 1, 5_000)
)

/** Sets this large are costly to make, so fewer of them than laws draw elsewhere. */
const forSets = (claim: (covered: RangeSet.RangeSet, seed: number) => void): void =>
  fc.assert(
    fc.property(sizes, fc.nat(), (count, seed) => claim(setOf(count, seed), seed)),
    { numRuns: 60 }
  )

describe("InlineCoverage", () => {
  it("whole() of what split() leaves, with the pages, is all that was covered", () => {
    forSets((covered, seed) => {
      expect(InlineCoverage.whole(InlineCoverage.split(covered), pagesHolding(covered, seed))).toEqual(covered)
    })
  })
  it("whole() needs only the pages that have windows before the inline rest", () => {
    forSets((covered, seed) => {
      const root = InlineCoverage.split(covered)
      const before = root.coveredInPagesBefore ?? -Infinity
      const needed = pagesHolding(covered, seed).filter((page) => page.windows[0]!.windowStart < before)
      expect(InlineCoverage.whole(root, needed)).toEqual(covered)
    })
  })
  it("split() keeps the newest ranges, whole, and at most as many as a root holds", () => {
    forSets((covered) => {
      const { covered: inline, coveredInPagesBefore } = InlineCoverage.split(covered)
      const kept = Math.min(RangeMeasure.size(covered), inlineRangesMax)
      expect(inline.edges).toEqual(covered.edges.slice(covered.edges.length - kept * 2))
      expect(coveredInPagesBefore).toBe(kept < RangeMeasure.size(covered) ? inline.edges[0] : null)
    })
  })
  it("split() of an inline rest changes nothing", () => {
    forSets((covered) => {
      const { covered: inline } = InlineCoverage.split(covered)
      expect(InlineCoverage.split(inline)).toEqual({ covered: inline, coveredInPagesBefore: null })
    })
  })
  it("whole() believes the root, not the pages, from the inline rest on", () => {
    const stored = pagesHolding(RangeSet.of(0, 60), 1)
    const root = { covered: RangeSet.of(30, 40), coveredInPagesBefore: 30 }
    expect(InlineCoverage.whole(root, stored)).toEqual(RangeSet.of(0, 40))
  })
  it("whole() of a root that holds everything asks no page", () => {
    const root = { covered: RangeSet.of(30, 40), coveredInPagesBefore: null }
    expect(InlineCoverage.whole(root, pagesHolding(RangeSet.of(0, 60), 1))).toEqual(root.covered)
  })
})
