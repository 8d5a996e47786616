/** Does a range set survive JSON, and is what is not canonical refused with a message that helps? */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { arePairsOf, Pairs, toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { pairs, rangeSet } from "../../support/rangeSets.ts"

const decode = Schema.decodeUnknownResult(Pairs)
const encode = Schema.encodeSync(Pairs)

const refusal = (json: unknown): string => {
  const result = decode(json)
  return Result.isFailure(result) ? result.failure.message : "accepted"
}

describe("arePairsOf()", () => {
  law("arePairsOf() holds for the list that is read as the set, and for no other", [rangeSet, pairs], (set, json) => {
    expect(arePairsOf(encode(set), set)).toBe(true)
    const read = decode(json)
    expect(arePairsOf(json, set)).toBe(Result.isSuccess(read) && RangeSet.equals(read.success, set))
  })
  it.each([[undefined], [{}], [[[0, 60, 1]]], [[["0", "60"]]], [[[0, 60], []]], [[{ 0: 0, 1: 60, length: 2 }]]])(
    "arePairsOf() of %j is false",
    (json) => expect(arePairsOf(json, RangeSet.of(0, 60))).toBe(false)
  )
})

describe("Pairs", () => {
  law("Pairs gives the same set back through JSON text", [rangeSet], (set) =>
    expect(decode(JSON.parse(JSON.stringify(encode(set))))).toEqual(Result.succeed(set))
  )
  law("Pairs accepts a list exactly when it is canonical", [pairs], (json) => {
    const canonical = toPairs(RangeSet.make(json))
    expect(Result.isSuccess(decode(json))).toBe(JSON.stringify(canonical) === JSON.stringify(json))
  })
  it.each([
    [
      "a fraction",
      [
        [0, 1],
        [2, 3.5]
      ],
      "Expected an integer\n  at [1][1]"
    ],
    ["NaN", [[Number.NaN, 1]], "Expected an integer\n  at [0][0]"],
    ["more than exact integers", [[0, 2 ** 53]], "Expected an integer\n  at [0][1]"],
    ["text", [["0", 1]], "Expected number\n  at [0][0]"],
    ["a lone start", [[0]], "Missing key\n  at [0][1]"],
    ["an empty range", [[60, 60]], "start 60 is not before end 60\n  at [0]"],
    ["a reversed range", [[60, 0]], "start 60 is not before end 0\n  at [0]"],
    [
      "ranges out of order",
      [
        [60, 90],
        [0, 30]
      ],
      "start 0 is before 90, where the range before it ends\n  at [1]"
    ],
    [
      "overlap",
      [
        [0, 60],
        [30, 90]
      ],
      "start 30 is before 60, where the range before it ends\n  at [1]"
    ],
    [
      "touching ranges",
      [
        [0, 60],
        [60, 90]
      ],
      "start 60 touches the range before it: they are one range\n  at [1]"
    ],
    ["no list", {}, "Expected array"]
  ])("Pairs refuses %s", (_, json, message) => {
    expect(refusal(json)).toBe(message)
  })
  it("Pairs refuses to encode what is no range set", () => {
    expect(Result.isFailure(Schema.encodeUnknownResult(Pairs)({ edges: [0, 60] }))).toBe(true)
  })
  it("Pairs reads an empty list as the empty set", () => {
    expect(decode([])).toEqual(Result.succeed(RangeSet.empty))
  })
})
