/** Is what a source proves the same whatever way it is asked, and is nothing claimed before it was answered? */
import * as fc from "fast-check"
import { expect } from "vitest"
import * as Answer from "../../../actors/backfill/Answer.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"
import {
  barMs,
  closingMarket,
  converse,
  cuts,
  fill,
  knowable,
  market,
  wantedUntil,
  windowsOf
} from "../../support/market.ts"

const ranks = fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 })
/** The set in whole bars. */
const barsOf = (set: RangeSet.RangeSet): RangeSet.RangeSet =>
  RangeSet.make(toPairs(set).map(([start, end]): Range => [start * barMs, end * barMs]))

const stretch = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 10 }))
  .map(([start, length]): Range => [start * barMs, (start + length) * barMs])

law(
  "proven() window by window, in any order, is all that can be known",
  [market, fc.constantFrom(1, 3, 5, 8, 10, 20), ranks],
  (of, bars, order) => {
    const all = RangeSet.clip(knowable(of), 0, wantedUntil)
    expect(toPairs(fill(of, windowsOf(bars, order)))).toEqual(toPairs(all))
  }
)

law("proven() of any stretch is all of it that can be known", [market, stretch], (of, at) => {
  expect(toPairs(fill(of, [at]))).toEqual(toPairs(RangeSet.clip(knowable(of), ...at)))
})

law(
  "proven() claims no bar that has not come, at any time of a conversation",
  [market, stretch, cuts(0)],
  (of, at, cut) => {
    const covered = RangeSet.subtract(knowable({ ...of, finalUntil: Infinity }), RangeSet.of(...at))
    const came = new Set<number>()
    for (const { answer, page } of converse(of, at, { covered, cut })) {
      for (const bar of page) came.add(bar)
      const proven = Answer.proven(answer)
      expect(of.bars.filter((bar) => includes(proven, bar) && !came.has(bar))).toEqual([])
    }
  }
)

law(
  "proven() window by window, in any order, is all that can be known of a market that closes",
  [closingMarket(false), fc.constantFrom(1, 3, 5, 8, 10, 20), ranks],
  (of, bars, order) => {
    const all = RangeSet.clip(knowable(of), 0, wantedUntil)
    expect(toPairs(fill(of, windowsOf(bars, order)))).toEqual(toPairs(all))
  }
)

law(
  "proven() of any stretch is all of it that can be known of a market that closes",
  [closingMarket(false), stretch],
  (of, at) => {
    expect(toPairs(fill(of, [at]))).toEqual(toPairs(RangeSet.clip(knowable(of), ...at)))
  }
)

law(
  "proven() keeps to what can be known, and has each bar, where a market has bars while it is closed",
  [closingMarket(true), fc.constantFrom(1, 3, 5, 8, 10, 20), ranks],
  (of, bars, order) => {
    const covered = fill(of, windowsOf(bars, order))
    expect(RangeSet.contains(knowable(of), covered)).toBe(true)
    const wanted = of.bars.filter((bar) => includes(RangeSet.of(0, wantedUntil), bar))
    expect(wanted.filter((bar) => !includes(covered, bar))).toEqual([])
    expect(RangeSet.contains(covered, RangeSet.clip(of.closed ?? RangeSet.empty, 0, wantedUntil))).toBe(true)
  }
)

law(
  "proven() claims no bar of a market that closes which has not come, and never takes anything back",
  [closingMarket(true), stretch, cuts(0)],
  (of, at, cut) => {
    const came = new Set<number>()
    let before = RangeSet.empty
    for (const { answer, page } of converse(of, at, { covered: RangeSet.empty, cut })) {
      for (const bar of page) came.add(bar)
      const proven = Answer.proven(answer)
      expect(of.bars.filter((bar) => includes(proven, bar) && !came.has(bar))).toEqual([])
      expect(RangeSet.contains(proven, before)).toBe(true)
      before = proven
    }
  }
)

law(
  "nextRequest() never asks about covered time, nor in vain for long, where a market closes",
  [closingMarket(true), stretch, rangeSet, cuts(1)],
  (of, at, some, cut) => {
    const covered = RangeSet.subtract(barsOf(some), RangeSet.of(...at))
    const turns = converse(of, at, { covered, cut })
    for (const { request } of turns) {
      expect(toPairs(RangeSet.intersect(RangeSet.of(request.start, request.end), covered))).toEqual([])
    }
    const inside = of.bars.filter((bar) => includes(RangeSet.of(...at), bar)).length
    expect(turns.length).toBeLessThanOrEqual(2 * inside + 6)
  }
)
