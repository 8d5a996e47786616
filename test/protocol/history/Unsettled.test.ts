/** Is every bar that may still change asked for once more, in time, and is a root kept small? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { coarsen } from "../../../protocol/history/coarsen.ts"
import { bounds, includes, isEmpty, size } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Unsettled from "../../../protocol/history/Unsettled.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const spacing = { lengthMs: 1, anchorMs: 0 }

const timeOf = (unsettled: ReadonlyArray<Unsettled.UnsettledRange>, source?: string): RangeSet.RangeSet =>
  RangeSet.make(
    unsettled.flatMap((range) =>
      source === undefined || range.source === source ? [[range.start, range.end] as const] : []
    )
  )

const source = fc.constantFrom("binance", "kraken")
const settleMs = fc.constantFrom(1, 7, 40)
const asked = fc
  .tuple(source, settleMs, rangeSet, rangeSet)
  .map(([source, settleMs, ranges, some]): Unsettled.Asked => ({
    source,
    settleMs,
    ranges,
    unsettled: RangeSet.intersect(ranges, some)
  }))
const history = fc.array(asked, { maxLength: 6 }).map((all) => all.reduce(Unsettled.after, []))

describe("coarsen()", () => {
  law(
    "coarsen() keeps all of the set and its ends, in as many ranges as there may be",
    [rangeSet, fc.integer({ min: 1, max: 6 })],
    (set, max) => {
      const few = coarsen(set, max)
      assert.isTrue(RangeSet.contains(few, set))
      assert.deepStrictEqual(bounds(few), bounds(set))
      assert.strictEqual(size(few), Math.min(max, size(set)))
    }
  )
})

describe("after()", () => {
  law(
    "after() has what may yet change of what was asked, and all that was known of other time and sources",
    [history, asked],
    (before, now) => {
      const after = Unsettled.after(before, now)
      const [mine, others] = [timeOf(after, now.source), after.filter((range) => range.source !== now.source)]
      const wanted = RangeSet.union(RangeSet.subtract(timeOf(before, now.source), now.ranges), now.unsettled)
      assert.deepStrictEqual(toPairs(mine), toPairs(wanted))
      assert.deepStrictEqual(
        others,
        before.filter((range) => range.source !== now.source)
      )
    }
  )

  it("after() remembers few ranges, however many there are, and forgets no bar", () => {
    const bars = RangeSet.make(Array.from({ length: 1000 }, (_, bar) => [bar * 3, bar * 3 + 1] as const))
    const kept = Unsettled.after([], { source: "binance", settleMs: 7, ranges: bars, unsettled: bars })
    assert.isAtMost(kept.length, 128)
    assert.isTrue(RangeSet.contains(timeOf(kept), bars))
  })
})

describe("within()", () => {
  law("within() leaves what is of the time", [history, rangeSet], (before, time) => {
    assert.deepStrictEqual(
      toPairs(timeOf(Unsettled.within(before, time))),
      toPairs(RangeSet.intersect(timeOf(before), time))
    )
  })
})

describe("unsettledIn()", () => {
  law(
    "unsettledIn() has the bars whose end and settle window were not over when they were asked for",
    [rangeSet, settleMs, fc.nat(200)],
    (bars, settleMs, askedAtMs) => {
      const found = Unsettled.unsettledIn(bars, { askedAtMs, settleMs, spacing })
      for (let bar = -40; bar < 240; bar++) {
        const isOpen = includes(bars, bar) && bar + 1 + settleMs > askedAtMs
        assert.strictEqual(includes(found, bar), isOpen, `bar ${bar}`)
      }
    }
  )

  it("unsettledIn() has none of a source whose bars never change", () => {
    assert.isTrue(isEmpty(Unsettled.unsettledIn(RangeSet.of(0, 100), { askedAtMs: 0, settleMs: 0, spacing })))
  })
})

describe("due()", () => {
  law(
    "due() has no bar before it has settled, and each within a quarter of its settle window after",
    [history, fc.nat(400)],
    (unsettled, nowMs) => {
      const due = Unsettled.due(unsettled, spacing, nowMs)
      for (const { end, settleMs, source, start } of unsettled) {
        for (let bar = start; bar < end; bar++) {
          const settledFor = nowMs - (bar + 1 + settleMs)
          const isDue = includes(due.get(source) ?? RangeSet.empty, bar)
          const others = unsettled.some((other) => other.source === source && other.settleMs !== settleMs)
          if (settledFor >= Math.max(1, Math.floor(settleMs / 4))) assert.isTrue(isDue, `bar ${bar} at ${nowMs}`)
          if (settledFor < 0 && !others) assert.isFalse(isDue, `bar ${bar} at ${nowMs}`)
        }
      }
    }
  )

  law(
    "nextDueMs() is the very moment at which more is due, and there is none where all is",
    [history, fc.nat(400)],
    (unsettled, nowMs) => {
      const dueAt = (time: number) =>
        Array.from(Unsettled.due(unsettled, spacing, time).values()).reduce(
          (sum, set) => sum + toPairs(set).reduce((bars, [start, end]) => bars + end - start, 0),
          0
        )
      const next = Unsettled.nextDueMs(unsettled, spacing, nowMs)
      if (next === undefined) assert.strictEqual(dueAt(nowMs), dueAt(1_000_000))
      else {
        assert.isAbove(next, nowMs)
        assert.strictEqual(dueAt(next - 1), dueAt(nowMs))
        assert.isAtLeast(dueAt(next), dueAt(nowMs))
      }
    }
  )
})
