/** Does a question leave covered time alone, and does it know what lies around its stretch? */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import * as Question from "../../../actors/backfill/Question.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const circumstances = {
  intervalMs: 1,
  maxEmptyBars: 4,
  barsPerRequest: 100,
  finalUntil: Infinity,
  closedIn: Question.neverClosed
}

const about = (
  stretch: Range,
  covered: ReadonlyArray<Range>,
  { finalUntil = Infinity, shut = [] }: { finalUntil?: number; shut?: ReadonlyArray<Range> } = {}
) =>
  Question.about(stretch, { ...circumstances, covered: RangeSet.make(covered), shut: RangeSet.make(shut), finalUntil })

it("about() may look one bar further than an absence can be long", () => {
  expect(about([10, 20], [])).toMatchObject({ lookFrom: 5, lookUntil: 25, coveredBefore: false, coveredBehind: false })
})

it("about() looks up to covered time on either side, and not into it", () => {
  expect(
    about(
      [10, 20],
      [
        [0, 8],
        [21, 30]
      ]
    )
  ).toMatchObject({ lookFrom: 8, lookUntil: 21 })
})

it("about() does not look over covered time that is in between", () => {
  expect(
    about(
      [10, 20],
      [
        [7, 8],
        [22, 23]
      ]
    )
  ).toMatchObject({ lookFrom: 8, lookUntil: 22 })
})

it("about() does not look where covered time touches the stretch", () => {
  const question = about(
    [10, 20],
    [
      [9, 10],
      [20, 21]
    ]
  )
  expect(question).toMatchObject({ lookFrom: 10, lookUntil: 20, coveredBefore: true, coveredBehind: true })
})

it("about() does not look at bars that are not final", () => {
  expect(about([10, 20], [], { finalUntil: 22 })).toMatchObject({ lookFrom: 5, lookUntil: 22 })
  expect(about([10, 20], [], { finalUntil: 20 })).toMatchObject({ lookUntil: 20, coveredBehind: false })
})

it("about() does not look at time that can't be had, and takes nothing there for a bar", () => {
  const shut: ReadonlyArray<Range> = [
    [-Infinity, 8],
    [21, Infinity]
  ]
  expect(about([10, 20], [], { shut })).toMatchObject({ lookFrom: 8, lookUntil: 21, coveredBeforeLook: false })
  const beside = { lookFrom: 8, lookUntil: 21, coveredBefore: false, coveredBehind: false }
  expect(about([8, 21], [], { shut })).toMatchObject(beside)
})

/** Closed in each second ten. */
const nights = (range: Range) =>
  RangeSet.clip(
    RangeSet.make(Array.from({ length: 80 }, (_, ten): Range => [ten * 20 - 790, ten * 20 - 780])),
    ...range
  )

const aboutSession = (stretch: Range, covered: ReadonlyArray<Range>) =>
  Question.about(stretch, {
    ...circumstances,
    covered: RangeSet.make(covered),
    shut: RangeSet.empty,
    closedIn: nights
  })

it("about() looks behind closed time, covered or not, and counts its open time alone", () => {
  expect(aboutSession([20, 30], [])).toMatchObject({ lookFrom: 5, lookUntil: 45, coveredBefore: false })
  const question = aboutSession(
    [20, 30],
    [
      [10, 20],
      [30, 40]
    ]
  )
  expect(question).toMatchObject({ lookFrom: 5, lookUntil: 45, coveredBefore: false, coveredBehind: false })
  expect(toPairs(question.lookable)).toEqual([
    [5, 10],
    [40, 45]
  ])
})

it("about() takes covered open time behind closed time for the end of an absence", () => {
  const question = aboutSession(
    [20, 30],
    [
      [9, 10],
      [30, 41]
    ]
  )
  expect(question).toMatchObject({ coveredBefore: true, coveredBehind: true })
  expect(aboutSession([20, 30], [[5, 6]])).toMatchObject({ lookFrom: 6, coveredBefore: false, coveredBeforeLook: true })
})

law(
  "about() allows looks at uncovered time alone, as far as it goes on from the stretch",
  [rangeSet, fc.integer({ min: -20, max: 120 }), fc.integer({ min: 1, max: 20 })],
  (set, start, length) => {
    const end = start + length
    const covered = RangeSet.subtract(set, RangeSet.of(start, end))
    const question = Question.about([start, end], { ...circumstances, covered, shut: RangeSet.empty })
    const looked = RangeSet.of(question.lookFrom, question.lookUntil)
    expect(toPairs(RangeSet.intersect(looked, covered))).toEqual([])
    expect(RangeSet.contains(looked, RangeSet.of(start, end))).toBe(true)
    expect(question.coveredBefore).toBe(includes(covered, start - 1))
    expect(question.coveredBehind).toBe(includes(covered, end))
    // no look stops early: what stops it is covered time, or the length of an absence
    expect(includes(covered, question.lookFrom - 1) || question.lookFrom === start - 5).toBe(true)
    expect(includes(covered, question.lookUntil) || question.lookUntil === end + 5).toBe(true)
  }
)
