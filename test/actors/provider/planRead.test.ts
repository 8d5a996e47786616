/** Does a plan give each part of a range its state, and each gap what the strategy says? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { planRead } from "../../../actors/provider/planRead.ts"
import * as MissingRange from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as SlaPolicy from "../../../protocol/history/SlaPolicy.ts"
import { Strategy } from "../../../protocol/history/Strategy.ts"
import { law } from "../../support/law.ts"
import { entry, lack, minute, requestOf, viewOf } from "../../support/requests.ts"

const late = 1000 * minute

const minutes = (...pairs: ReadonlyArray<Range>): RangeSet.RangeSet =>
  RangeSet.make(pairs.map(([start, end]): Range => [start * minute, end * minute]))

const inMinutes = (set: RangeSet.RangeSet) => toPairs(set).map(([start, end]) => [start / minute, end / minute])

const most = minutes([0, 4], [7, 10])
const ask = (
  strategy: Strategy,
  covered: RangeSet.RangeSet,
  {
    exceptions = [],
    sla = {}
  }: { exceptions?: ReadonlyArray<MissingRange.MissingRange>; sla?: SlaPolicy.SlaPolicy } = {}
) => planRead(requestOf({ strategy, sla: SlaPolicy.resolve(strategy, sla) }), viewOf(covered, exceptions), late)

describe("planRead()", () => {
  it("planRead() names what is covered of the range, and what is not", () => {
    const plan = ask("seamless", minutes([-50, 4], [7, 90]))
    expect(inMinutes(plan.covered)).toEqual([
      [0, 4],
      [7, 10]
    ])
    expect(plan.missing).toMatchObject([{ start: 4 * minute, end: 7 * minute, state: "missing" }])
    expect(inMinutes(plan.gap)).toEqual([[4, 7]])
  })

  const small = { fail_fast: "fail", partial_fill: "queue", auto_backfill: "wait", seamless: "wait" } as const

  it.each(Strategy.literals)("planRead() of %s does nothing where all is covered", (strategy) => {
    expect(ask(strategy, minutes([0, 10])).gapMode).toBe("none")
  })

  it.each(Strategy.literals)("planRead() of %s does about a small gap what the strategy says", (strategy) => {
    expect(ask(strategy, most).gapMode).toBe(small[strategy])
  })

  it.each(Strategy.literals)("planRead() of %s fills nothing of the past, and judges it all the same", (strategy) => {
    const plan = planRead(requestOf({ strategy, asOf: { version: 3 } }), viewOf(most), late)
    expect(plan.gapMode).toBe(strategy === "fail_fast" ? "fail" : "none")
    expect(plan.missing).toMatchObject([{ start: 4 * minute, end: 7 * minute, state: "missing" }])
  })

  const limited = { fail_fast: "fail", partial_fill: "queue", auto_backfill: "queue", seamless: "queue" } as const

  it.each(Strategy.literals)("planRead() of %s waits for no gap with more bars than maxSyncGapBars", (strategy) => {
    expect(ask(strategy, most, { sla: { maxSyncGapBars: 2 } }).gapMode).toBe(limited[strategy])
    expect(ask(strategy, most, { sla: { maxSyncGapBars: 3 } }).gapMode).toBe(small[strategy])
  })

  it.each(Strategy.literals)("planRead() of %s waits for no gap that lasts longer than maxSyncGapMs", (strategy) => {
    expect(ask(strategy, most, { sla: { maxSyncGapMs: 3 * minute - 1 } }).gapMode).toBe(limited[strategy])
    expect(ask(strategy, most, { sla: { maxSyncGapMs: 3 * minute } }).gapMode).toBe(small[strategy])
  })

  it("planRead() counts the bars of all gaps together", () => {
    expect(ask("seamless", minutes([1, 2], [4, 9]), { sla: { maxSyncGapBars: 3 } }).gapMode).toBe("queue")
  })

  it("planRead() of AUTO_BACKFILL waits for any gap that no limit is set for, SEAMLESS for 1,440 bars", () => {
    const range: Range = [0, 1441 * minute]
    const wait = (strategy: Strategy) =>
      planRead(requestOf({ strategy, range, sla: SlaPolicy.resolve(strategy) }), viewOf(minutes()), 9000 * minute)
    expect([wait("auto_backfill").gapMode, wait("seamless").gapMode]).toEqual(["wait", "queue"])
  })

  const unaskable = [
    ["deferred until later", lack([4, 7], "deferred", late + 1)],
    ["deferred for good", lack([4, 7], "deferred", null)],
    ["unavailable", lack([4, 7], "unavailable")],
    ["quarantined", lack([4, 7], "quarantined")]
  ] as const

  it.each(unaskable)("planRead() does not ask for time that is %s", (_, known) => {
    for (const strategy of ["partial_fill", "auto_backfill", "seamless"] as const) {
      const plan = ask(strategy, most, { exceptions: [known] })
      expect(plan).toMatchObject({ gapMode: "none", gap: RangeSet.empty, missing: [known] })
    }
  })

  it("planRead() asks again for time that was deferred until now", () => {
    const plan = ask("seamless", most, { exceptions: [lack([4, 7], "deferred", late)] })
    expect(inMinutes(plan.gap)).toEqual([[4, 7]])
    expect(plan).toMatchObject({ gapMode: "wait", missing: [{ state: "deferred" }] })
  })

  it("planRead() of FAIL_FAST refuses deferred and quarantined time, and not what cannot be had", () => {
    const modes = unaskable.map(([, known]) => ask("fail_fast", most, { exceptions: [known] }).gapMode)
    expect(modes).toEqual(["fail", "fail", "none", "fail"])
  })

  it("planRead() says why it does so", () => {
    const cause = (strategy: Strategy, covered: RangeSet.RangeSet, sla: SlaPolicy.SlaPolicy = {}) =>
      ask(strategy, covered, { sla }).because
    expect(Strategy.literals.map((strategy) => cause(strategy, minutes([0, 10])))).toEqual(
      Strategy.literals.map(() => "complete")
    )
    expect(Strategy.literals.map((strategy) => cause(strategy, most))).toEqual([
      "strategy",
      "strategy",
      "strategy",
      "small"
    ])
    expect(cause("auto_backfill", most, { maxSyncGapBars: 2 })).toBe("large")
    const deferred = [lack([4, 7], "deferred", late + 1)]
    expect(ask("seamless", most, { exceptions: deferred }).because).toBe("notAskable")
    expect(planRead(requestOf({ asOf: { version: 3 } }), viewOf(most), late).because).toBe("past")
  })

  it("planRead() divides the gap by windows: each is one job", () => {
    const plan = planRead(requestOf({ range: [0, 30 * minute] }), viewOf(minutes([3, 12])), late)
    expect(plan.gapWindows.map(({ ranges, windowStart }) => [windowStart / minute, inMinutes(ranges)])).toEqual([
      [0, [[0, 3]]],
      [10, [[12, 20]]],
      [20, [[20, 30]]]
    ])
    expect(ask("seamless", minutes([0, 10])).gapWindows).toEqual([])
  })

  it("planRead() asks only for the part of a gap that makes sense to ask for", () => {
    const plan = ask("seamless", minutes([0, 2]), { exceptions: [lack([3, 5], "unavailable")] })
    expect(inMinutes(plan.gap)).toEqual([
      [2, 3],
      [5, 10]
    ])
    expect(plan.missing.map(({ state }) => state)).toEqual(["missing", "unavailable", "missing"])
  })
})

const planAt = (nowMs: number, exceptions: ReadonlyArray<MissingRange.MissingRange> = []) =>
  planRead(requestOf(), viewOf(minutes([0, 4]), exceptions), nowMs)

describe("planRead() and time that the configuration says is not to be had", () => {
  const listed = { ...entry, listedAt: 3 * minute, delistedAt: 8 * minute }
  const unlistedPlan = (strategy: Strategy, covered: RangeSet.RangeSet) =>
    planRead(
      requestOf({ entry: listed, strategy, sla: SlaPolicy.resolve(strategy) }),
      viewOf(covered, [lack([0, 10], "quarantined")]),
      late
    )

  it.each(Strategy.literals)("planRead() of %s has no gap there, whatever is stored of it", (strategy) => {
    const plan = unlistedPlan(strategy, minutes([3, 8]))
    expect(plan.gapMode).toBe("none")
    expect(plan.missing.map(({ end, start, state }) => [start / minute, end / minute, state])).toEqual([
      [0, 3, "unavailable"],
      [8, 10, "unavailable"]
    ])
  })

  it("planRead() takes what is covered for covered, though it lies outside of the listing", () => {
    expect(inMinutes(unlistedPlan("seamless", minutes([0, 10])).covered)).toEqual([[0, 10]])
  })
})

describe("planRead() and bars that are not final", () => {
  const delayMs = entry.finalityDelayMs

  it("planRead() waits with a bar until its source's delay has passed", () => {
    expect(inMinutes(planAt(8 * minute + delayMs - 1).gap)).toEqual([[4, 7]])
    expect(inMinutes(planAt(8 * minute + delayMs).gap)).toEqual([[4, 8]])
  })

  it("planRead() says when the first of them will be", () => {
    const { missing } = planAt(7 * minute + delayMs)
    expect(missing.map(({ end, start, state }) => [start / minute, end / minute, state])).toEqual([
      [4, 7, "missing"],
      [7, 10, "deferred"]
    ])
    expect(missing[1]!.retryAt).toBe(8 * minute + delayMs)
  })

  it("planRead() asks for nothing where only such bars lack", () => {
    expect(planAt(3 * minute)).toMatchObject({ gapMode: "none", gap: RangeSet.empty })
  })

  it("planRead() takes the clock's word about them against an older one", () => {
    const plan = planAt(7 * minute + delayMs, [lack([6, 9], "deferred", 0)])
    expect(plan.missing.map(({ end, start }) => [start / minute, end / minute])).toEqual([
      [4, 6],
      [6, 7],
      [7, 10]
    ])
    expect(inMinutes(plan.gap)).toEqual([[4, 7]])
  })
})

const someMinutes = fc
  .array(fc.tuple(fc.integer({ min: -2, max: 11 }), fc.integer({ min: 1, max: 4 })), { maxLength: 4 })
  .map((pairs) => minutes(...pairs.map(([start, length]): Range => [start, start + length])))

law(
  "planRead() divides the range: covered, and missing with one state each",
  [someMinutes, someMinutes, fc.constantFrom(...MissingRange.MissingState.literals), fc.integer({ min: 0, max: 15 })],
  (covered, excepted, state, now) => {
    const known = toPairs(RangeSet.subtract(excepted, covered)).map(([start, end]) =>
      lack([start / minute, end / minute], state, 5 * minute)
    )
    const plan = planRead(requestOf(), viewOf(covered, known), now * minute)
    const missing = MissingRange.timeOf(plan.missing)
    expect(isEmpty(RangeSet.intersect(plan.covered, missing))).toBe(true)
    expect(inMinutes(RangeSet.union(plan.covered, missing))).toEqual([[0, 10]])
    expect(RangeSet.contains(missing, plan.gap)).toBe(true)
    // the parts do not overlap: together they last as long as their union
    const lengths = plan.missing.map(({ end, start }) => end - start)
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(
      toPairs(missing).reduce((sum, [start, end]) => sum + end - start, 0)
    )
    expect(plan.gapMode).toBe(isEmpty(plan.gap) ? "none" : "wait")
  }
)
