/** Has every uncovered moment one state, and is the right time asked for again? */
import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import {
  askable,
  classify,
  clipTo,
  isOwed,
  MissingRange,
  MissingState,
  timeOf,
  without
} from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const of = ([start, end]: Range, state: MissingState = "deferred", retryAt: number | null = 50): MissingRange => ({
  start,
  end,
  state,
  reason: `for the test: ${state}`,
  retryAt
})

const spans = (ranges: ReadonlyArray<MissingRange>) => ranges.map(({ end, start, state }) => [start, end, state])

describe("without()", () => {
  it("without() keeps the parts outside the set, each with its reason", () => {
    expect(
      without(
        [of([0, 10])],
        RangeSet.make([
          [3, 5],
          [8, 20]
        ])
      )
    ).toEqual([of([0, 3]), of([5, 8])])
    expect(without([of([0, 10])], RangeSet.of(0, 10))).toEqual([])
  })
})

describe("clipTo()", () => {
  law("clipTo() and without() divide a range", [rangeSet, rangeSet], (set, known) => {
    const ranges = toPairs(known).map((pair) => of(pair))
    const inside = timeOf(clipTo(ranges, set))
    expect(toPairs(inside)).toEqual(toPairs(RangeSet.intersect(known, set)))
    expect(toPairs(timeOf(without(ranges, set)))).toEqual(toPairs(RangeSet.subtract(known, set)))
  })
})

describe("classify()", () => {
  it("classify() gives what is known of it, and missing where nothing is, in order", () => {
    const known = [of([8, 12], "unavailable", null), of([2, 4])]
    expect(
      spans(
        classify(
          RangeSet.make([
            [0, 6],
            [9, 11]
          ]),
          known
        )
      )
    ).toEqual([
      [0, 2, "missing"],
      [2, 4, "deferred"],
      [4, 6, "missing"],
      [9, 11, "unavailable"]
    ])
  })

  law("classify() leaves no time out and adds none", [rangeSet, rangeSet], (missing, known) => {
    const classified = classify(
      missing,
      toPairs(known).map((pair) => of(pair))
    )
    expect(toPairs(timeOf(classified))).toEqual(toPairs(missing))
    for (const { end, start, state } of classified) {
      expect(RangeSet.contains(known, RangeSet.of(start, end))).toBe(state === "deferred")
    }
  })
})

describe("isOwed()", () => {
  it("isOwed() is what can be had at all, sooner or later", () => {
    const owed = MissingState.literals.filter((state) => isOwed(of([0, 1], state)))
    expect(owed).toEqual(["missing", "deferred", "quarantined"])
  })
})

describe("what is stored", () => {
  it("a range of before, without evidence and count, can still be read, and keeps its form", () => {
    const before = { start: 0, end: 1, state: "deferred", reason: "too soon", retryAt: 2 }
    expect(Schema.decodeUnknownSync(MissingRange)(before)).toEqual(before)
    const now = { ...before, evidence: "answered once", answers: 1 }
    expect(Schema.encodeSync(MissingRange)(Schema.decodeUnknownSync(MissingRange)(now))).toEqual(now)
  })
})

describe("askable()", () => {
  it("askable() is missing time, and deferred time that is due", () => {
    const ranges = [
      of([0, 1], "missing", null),
      of([2, 3], "deferred", 50),
      of([4, 5], "deferred", 51),
      of([6, 7], "deferred", null),
      of([8, 9], "unavailable", 0),
      of([10, 11], "quarantined", 0)
    ]
    expect(toPairs(askable(ranges, 50))).toEqual([
      [0, 1],
      [2, 3]
    ])
  })
})
