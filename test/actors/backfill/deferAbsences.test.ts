/** Does the wait for time that was answered in vain double, and begin anew with anything that is proven? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Absences, deferAbsences } from "../../../actors/backfill/deferAbsences.ts"
import { type MissingRange, timeOf } from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { defaults } from "../../../protocol/Settings.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const waits = { baseMs: 15, maxMs: 200 }
const source = { name: "binance", capabilities: { maxEmptyBars: 60 } }

const defer = (unproven: RangeSet.RangeSet, given: Partial<Absences> = {}) =>
  deferAbsences(unproven, { source, waits, known: [], proven: RangeSet.empty, nowMs: 1000, ...given })

const known = ([start, end]: Range, changes: Partial<MissingRange> = {}): MissingRange => ({
  start,
  end,
  state: "deferred",
  reason: "before",
  retryAt: 0,
  ...changes
})

const counts = (ranges: ReadonlyArray<MissingRange>) =>
  ranges.map(({ answers, end, retryAt, start }) => [start, end, answers, retryAt! - 1000])

describe("deferAbsences()", () => {
  it("deferAbsences() says who proved nothing, why that is so, how often, and when to ask again", () => {
    expect(defer(RangeSet.of(0, 100))).toEqual([
      {
        start: 0,
        end: 100,
        state: "deferred",
        reason:
          "binance gave no bar, and that proves nothing here: " +
          "an absence counts between two bars, up to 60 bars long",
        retryAt: 1015,
        evidence: "answered once",
        answers: 1
      }
    ])
  })

  it("deferAbsences() does not call absent what came and was left out as late", () => {
    const told = defer(RangeSet.of(0, 100), { late: RangeSet.of(20, 30) })
    expect(told.map(({ end, reason, start }) => [start, end, reason.includes("left out as late")])).toEqual([
      [0, 20, false],
      [20, 30, true],
      [30, 100, false]
    ])
  })

  it("deferAbsences() doubles the wait with each answer, up to the longest", () => {
    const seen: Array<number> = []
    let before: ReadonlyArray<MissingRange> = []
    for (let answer = 1; answer <= 6; answer++) {
      before = defer(RangeSet.of(0, 100), { known: before })
      expect(before).toMatchObject([{ answers: answer }])
      seen.push(before[0]!.retryAt! - 1000)
    }
    expect(seen).toEqual([15, 30, 60, 120, 200, 200])
    expect(before[0]?.evidence).toBe("answered 6 times in a row")
  })

  it("deferAbsences() waits a quarter of an hour first and a day at the longest, where nothing else is configured", () => {
    const { absenceBaseMs: baseMs, absenceMaxMs: maxMs } = defaults
    const first = defer(RangeSet.of(0, 1), { waits: { baseMs, maxMs } })
    const later = defer(RangeSet.of(0, 1), { waits: { baseMs, maxMs }, known: [known([0, 1], { answers: 60 })] })
    expect([first, later].map(([range]) => (range!.retryAt! - 1000) / 60_000)).toEqual([15, 24 * 60])
  })

  it("deferAbsences() counts each part by itself, and one that was stored without a count as the first", () => {
    const parts = [known([0, 10], { answers: 3 }), known([10, 20]), known([40, 50], { answers: 9 })]
    expect(counts(defer(RangeSet.of(5, 30), { known: parts }))).toEqual([
      [5, 10, 4, 120],
      [10, 20, 2, 30],
      [20, 30, 1, 15]
    ])
  })

  it("deferAbsences() begins anew where anything of it was proven, and only there", () => {
    const parts = [known([0, 10], { answers: 3 }), known([10, 20], { answers: 3 })]
    const proven = RangeSet.of(4, 5)
    expect(counts(defer(RangeSet.subtract(RangeSet.of(0, 20), proven), { known: parts, proven }))).toEqual([
      [0, 4, 1, 15],
      [5, 10, 1, 15],
      [10, 20, 4, 120]
    ])
  })

  it("deferAbsences() does not count what a person or a listing said", () => {
    const others = [known([0, 10], { state: "quarantined", answers: 4 }), known([10, 20], { state: "unavailable" })]
    expect(counts(defer(RangeSet.of(0, 20), { known: others }))).toEqual([[0, 20, 1, 15]])
  })
})

law(
  "deferAbsences() speaks of just the time that it is asked about, once each, and never of an earlier time than before",
  [rangeSet, rangeSet, rangeSet, fc.integer({ min: 1, max: 8 })],
  (unproven, before, proven, answers) => {
    const parts = toPairs(before).map((pair) => known(pair, { answers }))
    const deferred = defer(unproven, { known: parts, proven })
    expect(toPairs(timeOf(deferred))).toEqual(toPairs(unproven))
    const lengths = deferred.map(({ end, start }) => end - start)
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(
      toPairs(unproven).reduce((sum, [start, end]) => sum + end - start, 0)
    )
    for (const { answers: now, retryAt } of deferred) {
      expect([1, answers + 1]).toContain(now)
      expect(retryAt).toBe(1000 + Math.min(waits.maxMs, waits.baseMs * 2 ** (now! - 1)))
    }
  }
)
