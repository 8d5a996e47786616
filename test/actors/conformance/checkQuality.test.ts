/** Does each quality rule find what it is for, and nothing else, and does its severity come true? */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { carriedBehind } from "../../../actors/conformance/carriedBehind.ts"
import type { Carried } from "../../../actors/conformance/checkQuality.ts"
import { flaggedIn, quarantinedIn } from "../../../actors/conformance/ConformanceReport.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as FrameModule from "../../../protocol/frame/Frame.ts"
import { planQuality } from "../../../protocol/frame/planQuality.ts"
import type { QualityRule } from "../../../protocol/frame/QualityRules.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { check, found, planOf, quietBars, withColumn } from "../../support/candles.ts"
import { law } from "../../support/law.ts"
import { conformed, intervalOf, rawOf } from "../../support/rows.ts"

const minute = 60_000

const suspects = ({ flags }: FrameModule.Frame): ReadonlyArray<number> =>
  Array.from(flags).flatMap((flag, row) => ((flag & RowFlag.suspect) === 0 ? [] : [row]))

describe("rules on a row by itself", () => {
  it("negativeVolume finds volumes below zero, and none of zero", () => {
    expect(
      found(quietBars(6, { 2: { volume: -1 }, 3: { volume: 0 }, 4: { volume: -0 } }), [{ rule: "negativeVolume" }])
    ).toEqual({ negativeVolume: [2] })
  })

  it("ohlcOrder finds a high below the low, and an open or a close outside of them", () => {
    const frame = quietBars(8, {
      1: { high: 99, low: 101 },
      3: { open: 102, high: 101 },
      4: { close: 99, low: 99.5 },
      6: { high: Number.NaN }
    })
    expect(found(frame, [{ rule: "ohlcOrder" }])).toEqual({ ohlcOrder: [1, 3, 4] })
  })

  it("nonFinite finds what is missing or infinite, wherever it stands among its neighbours", () => {
    for (let row = 0; row < 11; row++) {
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        expect(found(quietBars(11, { [row]: { volume: value } }), [{ rule: "nonFinite" }])).toEqual({
          nonFinite: [row]
        })
      }
    }
    // so large that their sum is beyond what a float64 holds, and yet finite
    const large = quietBars(8, { 1: { volume: 1.7e308 }, 2: { volume: 1.7e308 } })
    expect(found(large, [{ rule: "nonFinite" }])).toEqual({})
  })

  it("zeroPrice finds a price of zero in any of the columns, once a row", () => {
    const frame = quietBars(5, { 1: { open: 0, high: 0, low: 0, close: 0 }, 3: { low: 0 } })
    const { findings } = Result.getOrThrow(check(frame, planOf([{ rule: "zeroPrice" }])))
    expect(findings).toMatchObject([{ rule: "zeroPrice", count: 2, examples: [{ column: "open" }, { column: "low" }] }])
    for (let row = 0; row < 11; row++) {
      // beside what is missing, and beside what is so small that products of it are zero
      const among = { [row]: { close: 0 }, [row - 1]: { close: Number.NaN }, [row + 1]: { close: 1e-300 } }
      expect(found(quietBars(11, among), [{ rule: "zeroPrice", columns: ["close"] }])).toEqual({ zeroPrice: [row] })
    }
  })
})

describe("rules on moves", () => {
  it("jump finds a price further from the one before than its share, up as down", () => {
    const frame = quietBars(9, { 2: { close: 151 }, 5: { close: 49 }, 7: { close: 140 } })
    // each is as far as its way back
    expect(found(frame, [{ rule: "jump", share: 0.5 }])).toEqual({ jump: [2, 3, 5, 6] })
  })

  it.each([4, 24, 168])(
    "jump and reversal find a fall as well as a rise in bars of %s hours, by their standard shares",
    (hours) => {
      const intervalMs = hours * 3_600_000
      for (const close of [2000, 5]) {
        const frame = quietBars(9, { 4: { close } }, intervalMs)
        const rules = planOf([{ rule: "jump" }, { rule: "reversal" }], ohlcv, intervalMs)
        const { findings } = Result.getOrThrow(check(frame, rules, { interval: intervalOf(`${hours}h`) }))
        expect(findings.map(({ count, rule }) => [rule, count])).toEqual([
          ["jump", 2],
          ["reversal", 1]
        ])
      }
    }
  )

  it("jump does not compare prices with a long time between them, nor with what is missing or zero", () => {
    const frame = quietBars(9, { 2: { close: Number.NaN }, 3: { close: 0 }, 4: { close: 100 } })
    expect(found(frame, [{ rule: "jump", share: 0.5 }])).toEqual({ jump: [3] })
    const apart = { ...quietBars(2, { 1: { close: 500 } }), eventTimeMs: Float64Array.of(0, 61 * minute) }
    expect(found(apart, [{ rule: "jump" }])).toEqual({})
    expect(found(apart, [{ rule: "jump", maxGapBars: 61 }])).toEqual({ jump: [61] })
  })

  const wild = (bars: number): Record<number, { close: number }> =>
    Object.fromEntries(Array.from({ length: bars }, (_, bar) => [100 + bar, { close: bar % 2 === 0 ? 104 : 100 }]))

  it("zScore finds a move that is none of its like, once enough are known", () => {
    const rule: QualityRule = { rule: "zScore", z: 10, bars: 50, minBars: 20 }
    expect(found(quietBars(80, { 60: { close: 103 } }), [rule])).toEqual({ zScore: [60, 61] })
    expect(found(quietBars(80, { 20: { close: 103 } }), [rule])).toEqual({})
    expect(found(quietBars(80, { 21: { close: 103 } }), [rule])["zScore"]).toContain(21)
    // however quiet the market was, a small move is none
    expect(found(quietBars(80, { 60: { close: 101.5 } }), [rule])).toEqual({})
  })

  it("zScore is not blinded by one spike, and gets used to a market that has become wilder", () => {
    const twice = quietBars(120, { 60: { close: 1000 }, 64: { close: 1000 } })
    expect(found(twice, [{ rule: "zScore", bars: 100, minBars: 20 }])["zScore"]).toEqual([60, 61, 64, 65])
    const restless =
      found(quietBars(220, wild(120)), [{ rule: "zScore", z: 10, bars: 100, minBars: 20 }])["zScore"] ?? []
    expect(restless.length).toBeGreaterThan(0)
    expect(restless.length).toBeLessThan(10)
  })

  it("zScore knows nothing of the bars that follow", () => {
    const rules: ReadonlyArray<QualityRule> = [{ rule: "zScore", z: 4, bars: 20, minBars: 5, minMove: 0 }]
    const frame = quietBars(60, { 30: { close: 103 }, 41: { close: 98 } })
    const whole = found(frame, rules)["zScore"] ?? []
    for (let length = 1; length <= 60; length++) {
      const known = found(FrameModule.slice(frame, 0, length), rules)["zScore"] ?? []
      expect(known).toEqual(whole.filter((bar) => bar < length))
    }
  })

  it("reversal finds the bars of a spike, and not a price that stays where it went", () => {
    const rule: QualityRule = { rule: "reversal", share: 0.1, withinBars: 3 }
    expect(found(quietBars(20, { 5: { close: 150 }, 6: { close: 149 } }), [rule])).toEqual({ reversal: [5, 6] })
    expect(found(quietBars(20, { 5: { close: 50 } }), [rule])).toEqual({ reversal: [5] })
    const stays = Object.fromEntries(Array.from({ length: 15 }, (_, bar) => [5 + bar, { close: 150 + bar / 100 }]))
    expect(found(quietBars(20, stays), [rule])).toEqual({})
    const slow = { 5: { close: 150 }, 6: { close: 150 }, 7: { close: 150 }, 8: { close: 150 } }
    expect(found(quietBars(20, slow), [rule])).toEqual({})
  })
})

describe("rules on order", () => {
  const given = (...minutes: ReadonlyArray<number>) => ({
    givenMs: Float64Array.from(minutes, (each) => each * minute)
  })

  it("timeBackwards finds bars given behind later ones, beyond the tolerance", () => {
    const rules: ReadonlyArray<QualityRule> = [{ rule: "timeBackwards" }]
    expect(found(quietBars(6), rules, given(0, 1, 4, 2, 5, 2, 3))).toEqual({ timeBackwards: [2] })
    expect(found(quietBars(6), [{ rule: "timeBackwards", toleranceBars: 0 }], given(0, 1, 4, 2, 5, 3))).toEqual({
      timeBackwards: [2, 3]
    })
  })

  it("timeBackwards takes the newest first for an order", () => {
    expect(found(quietBars(6), [{ rule: "timeBackwards" }], given(5, 4, 3, 2, 1, 0))).toEqual({})
    expect(found(quietBars(6), [{ rule: "timeBackwards" }], given(5, 4, 4, 3, 2, 1, 0))).toEqual({})
    expect(found(quietBars(6), [{ rule: "timeBackwards" }], given(5, 4, 3, 2, 0, 1))).not.toEqual({})
  })

  it("staleRepeat finds a bar with volume from its n-th repetition on, and none without trades or with time between", () => {
    const same = (volume: number) =>
      Object.fromEntries([3, 4, 5, 6].map((bar) => [bar, { open: 100, high: 101, low: 99, close: 100.5, volume }]))
    expect(found(quietBars(9, same(2)), [{ rule: "staleRepeat", bars: 3 }])).toEqual({ staleRepeat: [5, 6] })
    expect(found(quietBars(9, same(0)), [{ rule: "staleRepeat", bars: 3 }])).toEqual({})
    const frame = quietBars(9, same(2))
    const spread = { ...frame, eventTimeMs: frame.eventTimeMs.map((timeMs) => timeMs * 2) }
    expect(found(spread, [{ rule: "staleRepeat", bars: 3 }])).toEqual({})
    const flat = { open: 100, high: 100, low: 100, close: 100 }
    const still = quietBars(9, { 3: flat, 4: flat, 5: flat, 6: flat })
    expect(found(still, [{ rule: "staleRepeat" }])).toEqual({})
    expect(found(still, [{ rule: "staleRepeat", flatBars: 3 }])).toEqual({ staleRepeat: [5, 6] })
  })

  it("barCount finds stretches of the grid with too few bars, in bars of the series' own length", () => {
    const every = quietBars(60)
    const thin = FrameModule.pick(
      every,
      Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 21, 22, 23, 24, 35, 36)
    )
    const rule: QualityRule = { rule: "barCount", bars: 10, minShare: 0.5 }
    const { findings } = Result.getOrThrow(check(thin, planOf([rule])))
    // the last block is not over
    expect(findings.map(({ count, ranges }) => [count, toPairs(ranges)])).toEqual([[2, [[10 * minute, 12 * minute]]]])
    const closedIn = () => RangeSet.of(12 * minute, 20 * minute)
    expect(Result.getOrThrow(check(thin, planOf([rule]), { closedIn })).findings).toEqual([])
    // nothing at all of a block, where somebody is owed bars
    const gap = FrameModule.pick(every, Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 40, 41))
    expect(found(gap, [rule])).toEqual({ barCount: [40] })
    expect(check(gap, planOf([{ ...rule, severity: "reject" }]))).toMatchObject({
      failure: { message: expect.stringMatching(/1 bar: event_time is 2400000 at 1970-01-01T00:40/) }
    })
    expect(found(gap, [rule], { closedIn: () => RangeSet.of(10 * minute, 40 * minute) })).toEqual({})
    // an hour of hours is no thin minute
    const hours = { interval: intervalOf("1h") }
    expect(Result.getOrThrow(check(quietBars(48, {}, 3_600_000), planOf([rule]), hours)).findings).toEqual([])
  })
})

describe("a rule that refuses", () => {
  const rule: QualityRule = { rule: "barCount", bars: 10, minShare: 0.5, severity: "reject" }
  const every = quietBars(60)
  const rowsAt = (...bars: ReadonlyArray<number>) => FrameModule.pick(every, Uint32Array.from(bars))
  const ground = { schema: ohlcv, interval: intervalOf("1m"), rules: { quality: [rule] } }
  /** What becomes of rows that were asked for from a bar on, behind others. */
  const behind = (before: ReadonlyArray<number>, from: number, ...bars: ReadonlyArray<number>) => {
    const carried = carriedBehind(rowsAt(...before), ground)
    return check(rowsAt(...bars), planOf([rule]), { carried, asked: [from * minute, 60 * minute] })
  }

  it("barCount refuses no rows for the sake of those that stand before them, few or none", () => {
    expect(behind([0, 1, 2], 10, 10, 11)).toMatchObject({ success: { findings: [] } })
    expect(behind([0, 1, 2, 3, 4], 30, 30, 31)).toMatchObject({ success: { findings: [] } })
    expect(behind([0, 1, 2, 3, 4], 35, 35, 36)).toMatchObject({ success: { findings: [] } })
    // those before count all the same
    expect(behind([0, 1, 2, 3], 4, 4, 10)).toMatchObject({ success: { findings: [] } })
  })

  it("barCount refuses rows that are few with those before them, and time of which nothing was given", () => {
    expect(behind([0, 1, 2], 3, 3, 10)).toMatchObject({
      failure: { message: expect.stringContaining("1 bar: event_time is 180000 at 1970-01-01T00:03:00Z") }
    })
    expect(behind([0, 1, 2, 3, 4], 15, 30, 31)).toMatchObject({
      failure: { message: expect.stringContaining("1 bar: event_time is 1800000 at 1970-01-01T00:30:00Z") }
    })
  })

  it("barCount that flags tells of what stands as well", () => {
    const carried = carriedBehind(rowsAt(0, 1, 2), ground)
    const asked = [10 * minute, 60 * minute] as const
    const { findings } = Result.getOrThrow(
      check(rowsAt(10, 11), planOf([{ ...rule, severity: "flag" }]), { carried, asked })
    )
    expect(findings).toMatchObject([
      { count: 3, ranges: RangeSet.of(0, 3 * minute), examples: [{ timeMs: 0 }, {}, {}] }
    ])
  })
})

describe("checkQuality()", () => {
  it("tells the time of the rows, how many they are and the first five of them", () => {
    const bad = Object.fromEntries([3, 4, 5, 9, 11, 12, 13].map((bar) => [bar, { volume: -bar }]))
    const frame = quietBars(15, bad)
    const { findings } = Result.getOrThrow(check(frame, planOf([{ rule: "negativeVolume", name: "noShorts" }])))
    expect(findings).toEqual([
      {
        rule: "noShorts",
        severity: "flag",
        problem: "volume is below zero",
        count: 7,
        ranges: RangeSet.make([
          [3 * minute, 6 * minute],
          [9 * minute, 10 * minute],
          [11 * minute, 14 * minute]
        ]),
        examples: [3, 4, 5, 9, 11].map((bar) => ({ timeMs: bar * minute, column: "volume", value: -bar }))
      }
    ])
  })

  it("refuses the whole answer where a rule says so, with its rule, bar and value", () => {
    const refused = check(quietBars(5, { 2: { volume: -3 } }), planOf([{ rule: "negativeVolume", severity: "reject" }]))
    expect(refused).toMatchObject({
      failure: {
        _tag: "ConformanceFailed",
        step: "checkQuality",
        column: "volume",
        message: "quality rule negativeVolume: volume is below zero: 1 bar: volume is -3 at 1970-01-01T00:02:00Z"
      }
    })
  })

  it("keeps bars out with reason and values, once each, and tells nothing else of them", () => {
    const frame = quietBars(8, { 2: { volume: -3, close: 300 }, 5: { volume: -1 } })
    const rules: ReadonlyArray<QualityRule> = [
      { rule: "negativeVolume", severity: "quarantine" },
      { rule: "jump", severity: "quarantine" },
      { rule: "reversal" }
    ]
    const { findings } = Result.getOrThrow(check(frame, planOf(rules)))
    const aside = { state: "quarantined", retryAt: null }
    expect(quarantinedIn(findings)).toEqual([
      {
        ...aside,
        start: 2 * minute,
        end: 3 * minute,
        rule: "negativeVolume",
        reason: "quality rule negativeVolume: volume is below zero",
        evidence: "volume is -3 at 1970-01-01T00:02:00Z"
      },
      // the way back is a jump as well
      expect.objectContaining({ ...aside, start: 3 * minute, end: 4 * minute, rule: "jump" }),
      expect.objectContaining({ ...aside, start: 5 * minute, end: 6 * minute, rule: "negativeVolume" })
    ])
    expect(flaggedIn(findings)).toEqual({})
  })

  it("fails where a rule can't be computed, and where computing it breaks: nothing passes unchecked", () => {
    const frame = quietBars(5)
    const bid = planQuality([{ rule: "jump", column: "bid" }], { schema: ohlcv, intervalMs: minute })
    expect(check(frame, bid)).toMatchObject({
      failure: {
        step: "checkQuality",
        message:
          "quality rule jump: looks at bid, which the schema does not have; it has: open, high, low, close, volume"
      }
    })
    const without = { ...frame, columns: frame.columns.slice(0, 4) }
    expect(check(without, planOf([{ rule: "negativeVolume" }]))).toMatchObject({
      failure: { step: "checkQuality", column: "volume" }
    })
    const broken = withColumn(frame, {
      name: "volume",
      type: "float64",
      get values(): Float64Array {
        return new Proxy(new Float64Array(5), {
          get: () => {
            // as a bug in a rule would
            throw new TypeError("out of reach")
          }
        })
      }
    })
    expect(check(broken, planOf([{ rule: "negativeVolume" }]))).toMatchObject({
      failure: { step: "checkQuality", message: "quality rule negativeVolume: can't be computed: out of reach" }
    })
  })

  it("looks at whole numbers as at others", () => {
    const frame = withColumn(quietBars(3), {
      name: "volume",
      type: "int64",
      values: BigInt64Array.of(1n, -2n, -(2n ** 63n))
    })
    expect(found(frame, [{ rule: "negativeVolume" }])).toEqual({ negativeVolume: [1] })
  })

  it("conform() takes rows through the rules, which see them as they were given", () => {
    const quality = planQuality([], { schema: ohlcv, intervalMs: minute })
    const frame = quietBars(8, { 2: { volume: -1 } })
    const order = Uint32Array.of(0, 1, 2, 3, 4, 7, 6, 5, 5)
    const { frame: sealed, report } = conformed(rawOf(FrameModule.pick(frame, order)), { quality })
    expect(suspects(sealed)).toEqual([2])
    expect(report).toMatchObject({ rows: 8, findings: [{ rule: "negativeVolume", count: 1 }] })
  })

  it("conform() marks every row in which a rule finds something, also one about times", () => {
    const thin = FrameModule.pick(
      quietBars(40, { 21: { volume: -1 } }),
      Uint32Array.of(0, 1, 2, 3, 4, 10, 11, 21, 22, 23, 24, 30)
    )
    const rules: ReadonlyArray<QualityRule> = [
      { rule: "barCount", bars: 10, minShare: 0.4 },
      { rule: "negativeVolume", severity: "quarantine" }
    ]
    const { frame: sealed } = conformed(rawOf(thin), { quality: planOf(rules) })
    expect(suspects(sealed)).toEqual([5, 6, 7])
  })
})

describe("pages", () => {
  const all = planQuality(
    [
      { rule: "barCount", bars: 5, minShare: 0.9 },
      { rule: "staleRepeat", bars: 2 },
      { rule: "zScore", z: 3, bars: 10, minBars: 3, minMove: 0.001 },
      { rule: "jump", share: 0.01 }
    ],
    { schema: ohlcv, intervalMs: minute }
  )
  const odd = fc.constantFrom(
    { volume: -1 },
    { close: 0 },
    { close: 150 },
    { close: 60 },
    { high: 1 },
    { open: Number.NaN },
    { open: 100, high: 100, low: 100, close: 100, volume: 1 }
  )
  const bars = fc
    .tuple(
      fc.dictionary(fc.nat(59).map(String), odd, { maxKeys: 12 }),
      fc.subarray(Array.from({ length: 60 }, (_, at) => at))
    )
    .map(([changes, rows]) => FrameModule.pick(quietBars(60, changes), Uint32Array.from(rows)))
  const cuts = fc.uniqueArray(fc.nat(60), { maxLength: 6 })

  /** What is found of each rule, page by page. */
  const inPages = (frame: FrameModule.Frame, at: ReadonlyArray<number>) => {
    const length = FrameModule.length(frame)
    const edges = [0, ...at.filter((cut) => cut < length).toSorted((a, b) => a - b), length]
    const ranges = new Map<string, RangeSet.RangeSet>()
    let carried: Carried | undefined
    for (const [index, from] of edges.slice(0, -1).entries()) {
      const page = FrameModule.slice(frame, from, edges[index + 1]!)
      const checked = Result.getOrThrow(check(page, all, { carried }))
      carried = checked.carried
      for (const each of checked.findings) {
        ranges.set(each.rule, RangeSet.union(ranges.get(each.rule) ?? RangeSet.empty, each.ranges))
      }
    }
    return ranges
  }

  law("make no difference to what is found, but for a spike whose return is on the next", [bars, cuts], (frame, at) => {
    const whole = inPages(frame, [])
    const parts = inPages(frame, at)
    const names = all.rules.map(({ name }) => name).filter((name) => name !== "reversal")
    for (const name of names) expect(parts.get(name), name).toEqual(whole.get(name))
    const spikes = whole.get("reversal") ?? RangeSet.empty
    expect(RangeSet.contains(spikes, parts.get("reversal") ?? RangeSet.empty)).toBe(true)
  })
})
