/** Are stretches joined where that saves requests or costs none, and nowhere else? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { pagesFor, type Paging, planStretches } from "../../../actors/backfill/planStretches.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { durationMs, isEmpty, notLongerThan } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const all = RangeSet.of(-1000, 1000)
const paging: Paging = { intervalMs: 1, barsPerRequest: 10, joinGapsBars: 100 }

const plan = (wanted: ReadonlyArray<Range>, askable = all, changes: Partial<Paging> = {}) =>
  toPairs(planStretches(RangeSet.make(wanted), askable, { ...paging, ...changes }))

describe("planStretches()", () => {
  // prettier-ignore
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Range>, ReadonlyArray<Range>]> = [
    ["joins what one page holds", [[0, 2], [8, 10]], [[0, 10]]],
    ["joins many holes into as few pages as they take", [[0, 1], [3, 4], [6, 7], [12, 13], [15, 16]], [[0, 16]]],
    ["parts what would take three pages in the place of two", [[0, 2], [28, 30]], [[0, 2], [28, 30]]],
    ["fills pages that are not full", [[0, 5], [15, 20]], [[0, 20]]],
    ["parts what would take a page more", [[0, 5], [16, 21]], [[0, 5], [16, 21]]],
    ["parts full pages from each other", [[0, 10], [11, 21]], [[0, 10], [11, 21]]],
    ["leaves a single stretch as it is", [[3, 7]], [[3, 7]]],
    ["has nothing to ask where nothing is wanted", [], []]
  ]

  it.each(cases)("planStretches() %s", (_, wanted, expected) => {
    expect(plan(wanted)).toEqual(expected)
  })

  it("planStretches() never joins over time that may not be asked for", () => {
    const holes: ReadonlyArray<Range> = [
      [0, 2],
      [8, 10]
    ]
    expect(plan(holes, RangeSet.subtract(all, RangeSet.of(4, 5)))).toEqual(holes)
    expect(plan(holes, RangeSet.empty)).toEqual(holes)
    expect(plan(holes, RangeSet.of(2, 8))).toEqual([[0, 10]])
  })

  it("planStretches() joins over no more bars than it is told", () => {
    const holes: ReadonlyArray<Range> = [
      [0, 2],
      [8, 10]
    ]
    expect(plan(holes, all, { joinGapsBars: 6 })).toEqual([[0, 10]])
    expect(plan(holes, all, { joinGapsBars: 5 })).toEqual(holes)
    expect(plan(holes, all, { joinGapsBars: 0 })).toEqual(holes)
  })
})

const pages = (set: RangeSet.RangeSet, of: Paging): number =>
  toPairs(set).reduce((sum, stretch) => sum + pagesFor(stretch, of), 0)

law(
  "planStretches() asks for all that is wanted, for nothing else but gaps that may be asked for, in no more pages",
  [rangeSet, rangeSet, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 30 })],
  (wanted, askable, barsPerRequest, joinGapsBars) => {
    const of: Paging = { intervalMs: 1, barsPerRequest, joinGapsBars }
    const stretches = planStretches(wanted, askable, of)
    const along = RangeSet.subtract(stretches, wanted)
    expect(RangeSet.contains(stretches, wanted)).toBe(true)
    expect(RangeSet.contains(askable, along)).toBe(true)
    expect(durationMs(notLongerThan(along, joinGapsBars))).toBe(durationMs(along))
    expect(pages(stretches, of)).toBeLessThanOrEqual(pages(wanted, of))
    // nothing before the first or behind the last that is wanted
    if (!isEmpty(wanted)) {
      expect(stretches.edges[0]).toBe(wanted.edges[0])
      expect(stretches.edges.at(-1)).toBe(wanted.edges.at(-1))
    } else expect(isEmpty(stretches)).toBe(true)
  }
)
