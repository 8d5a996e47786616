/** Does the range algebra obey its laws, and does it agree with a bitmap and with another library? */
import * as fc from "fast-check"
import * as multi from "multi-integer-range"
import { describe, expect, it } from "vitest"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { bitmap, frame, pairs, rangeSet } from "../../support/rangeSets.ts"

const { clip, contains, empty, equals, intersect, make, missing, of, subtract, union, unionAll } = RangeSet

const expectSame = (actual: RangeSet.RangeSet, expected: RangeSet.RangeSet) =>
  expect(toPairs(actual)).toEqual(toPairs(expected))

const two = [rangeSet, rangeSet] satisfies [unknown, unknown]

describe("laws", () => {
  law("union() commutes", two, (a, b) => expectSame(union(a, b), union(b, a)))
  law("union() associates", [rangeSet, rangeSet, rangeSet], (a, b, c) =>
    expectSame(union(a, union(b, c)), union(union(a, b), c))
  )
  law("union() repeats harmlessly", two, (a, b) => expectSame(union(union(a, b), b), union(a, b)))
  law("intersect() commutes", two, (a, b) => expectSame(intersect(a, b), intersect(b, a)))
  law("intersect() associates", [rangeSet, rangeSet, rangeSet], (a, b, c) =>
    expectSame(intersect(a, intersect(b, c)), intersect(intersect(a, b), c))
  )
  law("intersect() distributes over union()", [rangeSet, rangeSet, rangeSet], (a, b, c) =>
    expectSame(intersect(a, union(b, c)), union(intersect(a, b), intersect(a, c)))
  )
  law("subtract() and intersect() divide a set: (a ∩ b) ∪ (a \\ b) = a", two, (a, b) => {
    expectSame(union(intersect(a, b), subtract(a, b)), a)
    expectSame(intersect(intersect(a, b), subtract(a, b)), empty)
  })
  law("intersect() is what a double subtract() leaves", two, (a, b) =>
    expectSame(intersect(a, b), subtract(a, subtract(a, b)))
  )
  law("missing() obeys De Morgan within a frame", [rangeSet, rangeSet, frame], (a, b, [start, end]) => {
    const not = (set: RangeSet.RangeSet) => missing(set, start, end)
    expectSame(not(union(a, b)), intersect(not(a), not(b)))
    expectSame(not(intersect(a, b)), union(not(a), not(b)))
    expectSame(not(not(a)), clip(a, start, end))
  })
  law("missing() is the frame without the set", [rangeSet, frame], (a, [start, end]) =>
    expectSame(missing(a, start, end), subtract(of(start, end), a))
  )
  law("clip() is intersect() with the frame", [rangeSet, frame], (a, [start, end]) =>
    expectSame(clip(a, start, end), intersect(a, of(start, end)))
  )
  law("contains() holds when nothing is left of the second set", two, (a, b) => {
    expect(contains(a, b)).toBe(subtract(b, a).edges.length === 0)
    expect(contains(union(a, b), b)).toBe(true)
  })
  law("unionAll() is union() one by one", [fc.array(rangeSet, { maxLength: 9 })], (sets) =>
    expectSame(unionAll(sets), sets.reduce(union, empty))
  )
  law("equals() holds for equal times and no others", two, (a, b) => {
    expect(equals(a, make(toPairs(a).toReversed()))).toBe(true)
    expect(equals(a, b)).toBe(JSON.stringify(bits(a)) === JSON.stringify(bits(b)))
  })
})

const bits = (set: RangeSet.RangeSet) => bitmap(toPairs(set))

/** The set holds each time for which `truth` says so of the two bitmaps, and its edges ascend strictly. */
const expectBits = (
  { edges }: RangeSet.RangeSet,
  [a, b]: readonly [ReadonlyArray<boolean>, ReadonlyArray<boolean>],
  truth: (inA: boolean, inB: boolean) => boolean
) => {
  expect(bits({ edges })).toEqual(a.map((inA, index) => truth(inA, b[index] ?? false)))
  for (let edge = 1; edge < edges.length; edge++) expect(edges[edge]).toBeGreaterThan(edges[edge - 1]!)
  expect(edges.length % 2).toBe(0)
}

describe("against a bitmap", () => {
  law("make() holds the times of its pairs", [pairs], (given) =>
    expectBits(make(given), [bitmap(given), []], (inA) => inA)
  )
  law("union() is or", two, (a, b) => expectBits(union(a, b), [bits(a), bits(b)], (inA, inB) => inA || inB))
  law("subtract() is and-not", two, (a, b) => expectBits(subtract(a, b), [bits(a), bits(b)], (inA, inB) => inA && !inB))
  law("intersect() is and", two, (a, b) => expectBits(intersect(a, b), [bits(a), bits(b)], (inA, inB) => inA && inB))
  law("clip() is and with the frame", [rangeSet, frame], (a, at) =>
    expectBits(clip(a, ...at), [bits(a), bitmap([at])], (inA, inFrame) => inA && inFrame)
  )
  law("missing() is the frame and-not the set", [rangeSet, frame], (a, at) =>
    expectBits(missing(a, ...at), [bits(a), bitmap([at])], (inA, inFrame) => inFrame && !inA)
  )
  law("unionAll() is or of all", [fc.array(pairs, { maxLength: 9 })], (lists) =>
    expectBits(unionAll(lists.map(make)), [bitmap(lists.flat()), []], (inA) => inA)
  )
  law("contains() is implication", two, (a, b) => {
    const inA = bits(a)
    expect(contains(a, b)).toBe(bits(b).every((inB, index) => !inB || inA[index] === true))
  })
})

// Its ranges include both ends, and neighbours such as [0, 4] and [5, 9] are joined: half-open ranges in other clothes.
const toMulti = (set: RangeSet.RangeSet): multi.MIR => toPairs(set).map(([start, end]) => [start, end - 1])
const expectMulti = (actual: RangeSet.RangeSet, expected: multi.MIR) => expect(toMulti(actual)).toEqual(expected)

const filled = (given: ReadonlyArray<Range>) => given.filter(([start, end]) => start < end)

describe("against multi-integer-range", () => {
  law("make() is normalize()", [pairs], (given) =>
    expectMulti(make(given), multi.normalize(filled(given).map(([start, end]): Range => [start, end - 1])))
  )
  law("union() is append()", two, (a, b) => expectMulti(union(a, b), multi.append(toMulti(a), toMulti(b))))
  law("subtract() is subtract()", two, (a, b) => expectMulti(subtract(a, b), multi.subtract(toMulti(a), toMulti(b))))
  law("intersect() is intersect()", two, (a, b) =>
    expectMulti(intersect(a, b), multi.intersect(toMulti(a), toMulti(b)))
  )
  law("missing() is what subtract() leaves of a frame", [rangeSet, frame], (a, at) =>
    expectMulti(missing(a, ...at), multi.subtract(toMulti(of(...at)), toMulti(a)))
  )
  law("clip() is intersect() with a frame", [rangeSet, frame], (a, at) =>
    expectMulti(clip(a, ...at), multi.intersect(toMulti(a), toMulti(of(...at))))
  )
  law("contains() is has()", two, (a, b) => expect(contains(a, b)).toBe(multi.has(toMulti(a), toMulti(b))))
  law("equals() is equals()", two, (a, b) => expect(equals(a, b)).toBe(multi.equals(toMulti(a), toMulti(b))))
})

describe("at the boundaries", () => {
  const day = 86_400_000
  const days = make([
    [-2 * day, -day],
    [0, day],
    [2 * day, 3 * day]
  ])

  it("of() gives no range where start is not before end", () => {
    expect([of(5, 5), of(6, 5), of(Number.NaN, 5)].map(toPairs)).toEqual([[], [], []])
  })
  it("make() joins touching ranges, in any order and across zero", () => {
    expect(
      toPairs(
        make([
          [0, 60],
          [60, 120],
          [-60, 0]
        ])
      )
    ).toEqual([[-60, 120]])
  })
  it("make() keeps a gap of one millisecond", () => {
    expect(
      toPairs(
        make([
          [61, 90],
          [0, 60]
        ])
      )
    ).toEqual([
      [0, 60],
      [61, 90]
    ])
  })
  it("make() takes any iterable and drops what is empty", () => {
    const given = new Map([
      [9, 9],
      [7, 3],
      [1, 2]
    ])
    expect(toPairs(make(given))).toEqual([[1, 2]])
    expect(make([])).toBe(empty)
  })
  it("union() joins sets that touch", () => {
    expect(toPairs(union(of(0, 60), of(60, 120)))).toEqual([[0, 120]])
    expect(toPairs(union(days, of(day, 2 * day)))).toEqual([
      [-2 * day, -day],
      [0, 3 * day]
    ])
  })
  it("union(), subtract() and intersect() with the empty set change nothing or leave nothing", () => {
    expect([union(days, empty), union(empty, days), subtract(days, empty)]).toEqual([days, days, days])
    expect([subtract(empty, days), intersect(days, empty), intersect(empty, days)]).toEqual([empty, empty, empty])
  })
  it("subtract() leaves nothing of a set without itself", () => {
    expect(subtract(days, days)).toEqual(empty)
  })
  it("intersect() of sets that touch is empty", () => {
    expect(intersect(of(0, 60), of(60, 120))).toEqual(empty)
  })
  it("missing() names what lacks before, between and after", () => {
    expect(toPairs(missing(days, -3 * day, 4 * day))).toEqual([
      [-3 * day, -2 * day],
      [-day, 0],
      [day, 2 * day],
      [3 * day, 4 * day]
    ])
  })
  it("missing() starts where a range ends and ends where a range starts", () => {
    expect(toPairs(missing(days, day, 2 * day))).toEqual([[day, 2 * day]])
    expect(toPairs(missing(days, day - 1, 2 * day + 1))).toEqual([[day, 2 * day]])
    expect(toPairs(missing(days, day + 1, 2 * day - 1))).toEqual([[day + 1, 2 * day - 1]])
  })
  it("missing() is empty within a range and for an empty frame, and the frame itself for an empty set", () => {
    expect([missing(days, 0, day), missing(days, 5, 6), missing(days, day, day)]).toEqual([empty, empty, empty])
    expect(toPairs(missing(empty, -day, day))).toEqual([[-day, day]])
  })
  it("clip() cuts the ranges at both ends of the frame", () => {
    expect(toPairs(clip(days, -day - 1, 1))).toEqual([
      [-day - 1, -day],
      [0, 1]
    ])
    expect([clip(days, -day, 0), clip(days, day, day), clip(empty, 0, day)]).toEqual([empty, empty, empty])
  })
  it("contains() refuses a range that spans a gap", () => {
    expect([contains(days, of(0, day)), contains(days, of(0, 2 * day + 1))]).toEqual([true, false])
    expect([contains(empty, empty), contains(empty, days), contains(days, empty)]).toEqual([true, false, true])
  })
  it("unionAll() of no sets is empty", () => {
    expect(unionAll([])).toEqual(empty)
  })
  it("union() leaves what it is given as it was", () => {
    const before = days.edges.slice()
    union(days, of(day, 2 * day))
    clip(days, 0, day).edges.fill(7)
    expect(days.edges).toEqual(before)
  })
})
