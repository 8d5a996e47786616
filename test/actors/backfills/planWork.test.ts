/** Is it asked for what is left and nothing else, in order, and never for too much at a time? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Outstanding from "../../../actors/backfills/Outstanding.ts"
import { outstandingMax, planWork, type Situation, windowsPerDemand } from "../../../actors/backfills/planWork.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { BackfillOrder } from "../../../protocol/history/NamedBackfill.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeMeasure from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Window from "../../../protocol/history/Window.ts"
import { law } from "../../support/law.ts"

const grid: Window.Grid = { intervalMs: 5, anchorMs: 0, windowBars: 2 }
const windowMs = 10
const nowMs = 1000

const bars = (set: RangeSet.RangeSet): number => RangeMeasure.bars(set, grid.intervalMs)
const windowsOf = (set: RangeSet.RangeSet) => Window.split(grid, set).map(({ windowStart }) => windowStart)

const lack = (range: Range, state: MissingRange["state"], retryAt: number | null = null): MissingRange => ({
  start: range[0],
  end: range[1],
  state,
  reason: "for the test",
  retryAt
})

const situation = (changes: {
  readonly range?: Range
  readonly order?: BackfillOrder
  readonly covered?: RangeSet.RangeSet
  readonly exceptions?: ReadonlyArray<MissingRange>
  readonly quarantined?: RangeSet.RangeSet
  readonly outstanding?: Outstanding.Outstanding
}): Situation => ({
  backfill: {
    start: changes.range?.[0] ?? 0,
    end: changes.range?.[1] ?? 100,
    order: changes.order ?? "oldest_first",
    quarantined: changes.quarantined ?? RangeSet.empty
  },
  covered: changes.covered ?? RangeSet.empty,
  exceptions: changes.exceptions ?? [],
  grid,
  outstanding: changes.outstanding ?? Outstanding.none,
  nowMs
})

const range: fc.Arbitrary<Range> = fc
  .tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 1, max: 500 }))
  .map(([start, length]) => [start * 5, (start + length) * 5])

const part: fc.Arbitrary<Range> = fc
  .tuple(fc.integer({ min: -30, max: 500 }), fc.integer({ min: 1, max: 60 }))
  .map(([start, length]) => [start * 5, (start + length) * 5])

const parts = fc.array(part, { maxLength: 6 }).map((pairs) => RangeSet.make(pairs))

const exceptions = fc.array(
  fc
    .tuple(part, fc.constantFrom("unavailable", "quarantined", "deferred", "missing"), fc.boolean())
    .map(([at, state, isDue]): MissingRange =>
      lack(at, state, state === "deferred" ? (isDue ? nowMs : nowMs + 50) : null)
    ),
  { maxLength: 4 }
)

const anySituation = fc
  .record({
    range,
    order: fc.constantFrom<BackfillOrder>("oldest_first", "newest_first"),
    covered: parts,
    exceptions,
    quarantined: parts,
    outstanding: fc.uniqueArray(fc.integer({ min: -10, max: 250 }), { maxLength: outstandingMax }).map((indexes) =>
      Outstanding.asked(
        Outstanding.none,
        indexes.map((index) => index * windowMs)
      )
    )
  })
  .map(situation)

describe("planWork()", () => {
  law(
    "planWork() counts each bar of the range as covered, left, unavailable or quarantined, once",
    [anySituation],
    (at) => {
      const { start, end } = at.backfill
      const { figures } = planWork(at)
      const covered = bars(RangeSet.clip(at.covered, start, end))
      expect(covered + figures.leftBars + figures.unavailableBars + figures.quarantinedBars).toBe(figures.bars)
      expect(figures.bars).toBe((end - start) / 5)
      expect(figures.deferredBars).toBeLessThanOrEqual(figures.leftBars)
      expect(figures.leftWindows).toBeLessThanOrEqual(figures.windows)
    }
  )

  law(
    "planWork() asks for nothing that is covered, settled, too early, outside, or asked for already",
    [anySituation],
    (at) => {
      const { askable, demands, outstanding } = planWork(at)
      const asked = RangeSet.unionAll(demands)
      const known = (state: MissingRange["state"]) =>
        at.exceptions.filter((each) => each.state === state && (each.retryAt ?? 0) !== nowMs)
      const refused = RangeSet.unionAll([
        at.covered,
        at.backfill.quarantined,
        ...["unavailable", "quarantined", "deferred"].map((state) =>
          RangeSet.make(known(state as MissingRange["state"]).map(({ end, start }): Range => [start, end]))
        ),
        Outstanding.timeOf(outstanding, grid)
      ])
      expect(RangeSet.intersect(asked, refused)).toEqual(RangeSet.empty)
      expect(RangeSet.contains(askable, asked)).toBe(true)
      expect(RangeSet.contains(RangeSet.of(at.backfill.start, at.backfill.end), asked)).toBe(true)
    }
  )

  law(
    "planWork() has no more windows outstanding than may be, and asks for a whole claim of them",
    [anySituation],
    (at) => {
      const { askable, demands, outstanding } = planWork(at)
      const counts = demands.map((demand) => windowsOf(demand).length)
      expect(outstanding.size + counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(outstandingMax)
      expect(counts.slice(0, -1).every((count) => count === windowsPerDemand)).toBe(true)
      // where there is room for a claim, there is one as long as anything is left that nobody was asked for
      const asked = RangeSet.unionAll([...demands, Outstanding.timeOf(outstanding, grid)])
      const isAll = RangeMeasure.isEmpty(RangeSet.subtract(askable, asked))
      const room = outstandingMax - outstanding.size - counts.reduce((sum, count) => sum + count, 0)
      expect(isAll || room < windowsPerDemand).toBe(true)
    }
  )

  law("planWork() takes whole windows in the order of the backfill", [anySituation], (at) => {
    const { askable, demands, outstanding } = planWork(at)
    const free = RangeSet.subtract(askable, Outstanding.timeOf(outstanding, grid))
    const starts = windowsOf(free)
    const ordered = at.backfill.order === "oldest_first" ? starts : starts.toReversed()
    const asked = demands.flatMap((demand) => {
      const windows = windowsOf(demand)
      return at.backfill.order === "oldest_first" ? windows : windows.toReversed()
    })
    expect(asked).toEqual(ordered.slice(0, asked.length))
    for (const windowStart of asked) {
      const [from, until] = Window.windowRange(grid, windowStart)
      expect(RangeSet.clip(RangeSet.unionAll(demands), from, until)).toEqual(RangeSet.clip(free, from, until))
    }
  })

  it("planWork() waits for the first time that is deferred", () => {
    const at = situation({
      exceptions: [
        lack([0, 50], "deferred", nowMs + 90),
        lack([50, 100], "deferred", nowMs + 20),
        lack([200, 300], "deferred", nowMs + 1)
      ]
    })
    expect(planWork(at)).toMatchObject({
      demands: [],
      deferredUntil: nowMs + 20,
      figures: { leftBars: 20, deferredBars: 20 }
    })
  })

  it("planWork() has nothing left where all is covered or can't be had", () => {
    const at = situation({
      covered: RangeSet.of(0, 40),
      exceptions: [lack([30, 60], "unavailable"), lack([60, 80], "quarantined")],
      quarantined: RangeSet.of(75, 100)
    })
    expect(planWork(at).figures).toMatchObject({ leftBars: 0, leftWindows: 0, unavailableBars: 4, quarantinedBars: 8 })
  })

  it("planWork() of a million windows looks at no more of them than it asks for", () => {
    const at = situation({ range: [0, 1_000_000 * windowMs], order: "newest_first" })
    const began = process.hrtime.bigint()
    const { demands, figures } = planWork(at)
    const elapsedMs = Number(process.hrtime.bigint() - began) / 1e6
    expect(demands.map((demand) => windowsOf(demand).length)).toEqual([16, 16, 16, 16])
    expect([figures.windows, figures.leftWindows]).toEqual([1_000_000, 1_000_000])
    expect(elapsedMs).toBeLessThan(100)
  })
})
