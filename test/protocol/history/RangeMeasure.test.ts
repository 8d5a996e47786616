/** Do the measures of a range set agree with counting its times one by one? */
import * as Option from "effect/Option"
import { describe, expect, it } from "vitest"
import * as RangeMeasure from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { bitmap, rangeSet, stretch, time, timesOf } from "../../support/rangeSets.ts"

const {
  areApart,
  at,
  bars,
  bounds,
  coveredPrefixEnd,
  durationMs,
  firstBars,
  includes,
  isEmpty,
  longerThan,
  notLongerThan,
  size
} = RangeMeasure

const times = (set: RangeSet.RangeSet) => timesOf(bitmap(toPairs(set)))

describe("against single times", () => {
  law("durationMs() counts them", [rangeSet], (set) => expect(durationMs(set)).toBe(times(set).length))
  law("includes() is membership", [rangeSet, time], (set, time) =>
    expect(includes(set, time)).toBe(times(set).includes(time))
  )
  law("coveredPrefixEnd() is the first time not in the set", [rangeSet, time], (set, time) => {
    const isFree = bitmap(toPairs(set)).map((bit) => !bit)
    expect(coveredPrefixEnd(set, time)).toBe(isFree.indexOf(true, time - stretch.first) + stretch.first)
  })
  law("bounds() is around all of them, tightly", [rangeSet], (set) => {
    const [first, last] = [times(set).at(0), times(set).at(-1)]
    const expected = first === undefined || last === undefined ? undefined : { start: first, end: last + 1 }
    expect(Option.getOrUndefined(bounds(set))).toEqual(expected)
  })
  law("areApart() holds where all times of one set are before all of the other", [rangeSet, rangeSet], (a, b) => {
    const isBefore = (one: ReadonlyArray<number>, other: ReadonlyArray<number>) =>
      Math.max(-Infinity, ...one) < Math.min(Infinity, ...other)
    expect(areApart(a, b)).toBe(isBefore(times(a), times(b)) || isBefore(times(b), times(a)))
  })
  law("at() and size() walk the pairs", [rangeSet], (set) =>
    expect(Array.from({ length: size(set) }, (_, index) => at(set, index))).toEqual(toPairs(set))
  )
  law("longerThan() and notLongerThan() divide the ranges by length", [rangeSet, time], (set, limit) => {
    expect(toPairs(longerThan(set, limit))).toEqual(toPairs(set).filter(([start, end]) => end - start > limit))
    expect(toPairs(notLongerThan(set, limit))).toEqual(toPairs(set).filter(([start, end]) => end - start <= limit))
  })
  law("bars() counts whole bars of an aligned set", [rangeSet], (set) => {
    const aligned = RangeSet.make(toPairs(set).map(([start, end]) => [start * 60, end * 60]))
    expect(bars(aligned, 60)).toBe(times(set).length)
    expect(firstBars(aligned, 60, 5)).toEqual(
      times(set)
        .slice(0, 5)
        .map((time) => time * 60)
    )
  })
})

describe("at the boundaries", () => {
  it("includes() holds at a start and not at an end", () => {
    const set = RangeSet.of(-60, 60)
    expect([-61, -60, 59, 60].map((time) => includes(set, time))).toEqual([false, true, true, false])
  })
  it("coveredPrefixEnd() is its own start at the end of a range", () => {
    expect([coveredPrefixEnd(RangeSet.of(0, 60), 60), coveredPrefixEnd(RangeSet.empty, 5)]).toEqual([60, 5])
  })
  it("bars() counts no remainder", () => {
    expect(
      bars(
        RangeSet.make([
          [0, 90],
          [100, 159]
        ]),
        60
      )
    ).toBe(1)
    expect(firstBars(RangeSet.of(0, 90), 60, 5)).toEqual([0])
  })
  it("at() is NaN beyond the ranges", () => {
    expect([at(RangeSet.of(0, 1), 1), at(RangeSet.empty, 0), at(RangeSet.of(0, 1), -1)]).toEqual(
      Array.from({ length: 3 }, () => [Number.NaN, Number.NaN])
    )
  })
  it("isEmpty(), size(), durationMs() and bounds() know the empty set", () => {
    const { empty } = RangeSet
    expect([isEmpty(empty), size(empty), durationMs(empty), bounds(empty)]).toEqual([true, 0, 0, Option.none()])
    expect(isEmpty(RangeSet.of(0, 1))).toBe(false)
  })
  it("longerThan() leaves a range of just that length to notLongerThan()", () => {
    const set = RangeSet.of(0, 60)
    expect([longerThan(set, 60), notLongerThan(set, 60)]).toEqual([RangeSet.empty, set])
  })
})
