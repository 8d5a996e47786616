/** Does an operator's word on time change just what it says, and nothing come back by what was planned before it? */
import * as fc from "fast-check"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import * as Coverage from "../../../actors/coverage/Coverage.ts"
import { entryOf } from "../../../protocol/history/CoveragePage.ts"
import { rootHash } from "../../../protocol/history/CoverageRoot.ts"
import * as MissingRange from "../../../protocol/history/MissingRange.ts"
import { coveredPrefixEnd, isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Window from "../../../protocol/history/Window.ts"
import type { WindowCommit } from "../../../protocol/messages/Coverage.ts"
import { applied, at, deferred, grid, message, nothing, part, refOf } from "../../support/commits.ts"
import { rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import { windows } from "../../support/models/drawCommit.ts"
import { drawnCoverage, timeOfChunks } from "../../support/models/drawCoverage.ts"

const windowStarts = windows.map((window) => window * grid.windowBars)

/** Time in and between the windows of the drawn commits. */
const ranges = fc
  .array(fc.tuple(fc.constantFrom(...windowStarts), fc.integer({ min: -5, max: 9 }), fc.integer({ min: 1, max: 25 })), {
    minLength: 1,
    maxLength: 4
  })
  .map((parts) => RangeSet.make(parts.map(([window, from, length]) => [window + from, window + from + length])))

/** Windows of which somebody is bringing something. */
const underWay = fc.uniqueArray(fc.constantFrom(...windowStarts), { maxLength: 2 })

const entryIn = ({ pages }: Coverage.State, windowStart: number) =>
  entryOf(pages.get(Window.pageIndex(grid, windowStart)), windowStart)

/** The windows that an invalidation touches: those with some of the time, and those of work under way. */
const touchedBy = (state: Coverage.State, ranges: RangeSet.RangeSet, working: ReadonlyArray<number>) => {
  const removed = RangeSet.intersect(state.covered, ranges)
  return [...new Set([...working, ...Window.split(grid, removed).map(({ windowStart }) => windowStart)])]
}

const invalidated = (state: Coverage.State, ranges: RangeSet.RangeSet, working: ReadonlyArray<number> = []) =>
  Coverage.invalidate(state, { ranges, windows: touchedBy(state, ranges, working) }, "invalidated by ann", at(2000))

/** A chunk of what is missing of the window, merged upon the one that stands there. */
const refilled = (state: Coverage.State, { ranges, windowStart }: Window.WindowRanges): WindowCommit => {
  const { chunks, generation } = entryIn(state, windowStart)
  const base = chunks.find(({ source }) => source === "binance")
  const whole = RangeSet.union(base?.ranges ?? RangeSet.empty, ranges)
  // a chunk names its base, so no two of its descendants are alike
  const ref = refOf(toPairs(whole), { id: `${base?.id ?? ""} and ${JSON.stringify(toPairs(ranges))}` })
  return part(ref, { windowStart, base: base?.id ?? null, generation })
}

const first = refOf([[2, 8]])
const one = applied(nothing, message([part(first), part(refOf([[12, 18]]))])).state

describe("invalidate()", () => {
  it("invalidate() makes a version that says what was taken out, by whom and why", () => {
    const { changed, pages, state } = invalidated(one, rangesOf([5, 15]))
    expect(changed).toBe(true)
    expect(toPairs(state.covered)).toEqual([
      [2, 5],
      [15, 18]
    ])
    expect(toPairs(state.root.diff.removed)).toEqual([
      [5, 8],
      [12, 15]
    ])
    expect(state.root.diff).toMatchObject({ added: RangeSet.empty, jobs: [], source: "operator" })
    expect(state.root.diff.cause).toBe("invalidated by ann")
    expect(state.root).toMatchObject({ version: 2, previousRootHash: rootHash(one.root), committedAt: 2000 })
    expect(pages).toEqual([state.pages.get(0)])
  })

  it("invalidate() narrows the chunks that had the time, and drops those that have nothing left", () => {
    const { state } = invalidated(one, rangesOf([5, 20]))
    expect(entryIn(state, 0)).toEqual({
      windowStart: 0,
      generation: 1,
      chunks: [{ ...first, ranges: rangesOf([2, 5]) }]
    })
    expect(entryIn(state, 10)).toEqual({ windowStart: 10, generation: 1, chunks: [] })
  })

  it("invalidate() narrows the chunks of all sources", () => {
    const other = part(refOf([[4, 9]], { source: "kraken", id: "kraken" }))
    const both = applied(one, message([other], { source: "kraken" })).state
    const { state } = invalidated(both, rangesOf([5, 7]))
    expect(new Map(entryIn(state, 0).chunks.map(({ ranges, source }) => [source, toPairs(ranges)]))).toEqual(
      new Map([
        [
          "binance",
          [
            [2, 5],
            [7, 8]
          ]
        ],
        [
          "kraken",
          [
            [4, 5],
            [7, 9]
          ]
        ]
      ])
    )
  })

  it("invalidate() of a window that has nothing refuses what is on its way there", () => {
    const planned = message([part(refOf([[22, 25]]))])
    const { state } = invalidated(one, rangesOf([20, 30]), [20])
    expect(toPairs(state.root.diff.removed)).toEqual([])
    expect(Result.isFailure(Coverage.commit(state, planned, at(3000)))).toBe(true)
    const anew = message([part(refOf([[22, 25]]), { generation: 1 })])
    expect(toPairs(applied(state, anew).state.root.diff.added)).toEqual([[22, 25]])
  })

  it("invalidate() forgets what was known of the time, and of no other", () => {
    const known = applied(one, message([], { answered: rangesOf([20, 40]), exceptions: [deferred(20, 40)] })).state
    const { root } = invalidated(known, rangesOf([25, 30])).state
    expect(root.exceptions.map(({ end, start }) => [start, end])).toEqual([
      [20, 25],
      [30, 40]
    ])
  })

  it("invalidate() moves the low watermark back, and no event is unseen by it", () => {
    const { watermarks } = invalidated(one, rangesOf([5, 20])).state.root
    expect(watermarks).toEqual({ eventTimeLow: 5, eventTimeHigh: 17 })
    const { eventTimeLow } = invalidated(one, rangesOf([0, 20])).state.root.watermarks
    expect(eventTimeLow).toBeNull()
  })
})

describe("an invalidation", () => {
  law("invalidate() takes out exactly what was covered of the time", [drawnCoverage, ranges, underWay], (...drawn) => {
    const [{ state: before }, ranges, working] = drawn
    const { changed, pages, state } = invalidated(before, ranges, working)
    const { diff, exceptions, version, watermarks } = state.root
    expect([changed, version]).toEqual([true, before.root.version + 1])
    expect(toPairs(state.covered)).toEqual(toPairs(RangeSet.subtract(before.covered, ranges)))
    expect(toPairs(diff.removed)).toEqual(toPairs(RangeSet.intersect(before.covered, ranges)))
    expect(isEmpty(diff.added)).toBe(true)
    expect(exceptions).toEqual(MissingRange.without(before.root.exceptions, ranges))
    const start = toPairs(state.covered)[0]?.[0]
    expect(watermarks.eventTimeLow).toBe(start === undefined ? null : coveredPrefixEnd(state.covered, start))
    // no page is left out of what is put
    const others = Array.from(state.pages.values()).filter((page) => !pages.includes(page))
    expect(others.every((page) => before.pages.get(page.index) === page)).toBe(true)
  })

  law(
    "invalidate() leaves no chunk any of the time, and another all of its own",
    [drawnCoverage, ranges],
    (drawn, ranges) => {
      const { state } = invalidated(drawn.state, ranges)
      expect(toPairs(timeOfChunks(state))).toEqual(toPairs(state.covered))
      for (const windowStart of windowStarts) {
        const left = entryIn(state, windowStart).chunks
        const before = entryIn(drawn.state, windowStart).chunks
        expect(left).toEqual(
          before
            .map((chunk) => ({ ...chunk, ranges: RangeSet.subtract(chunk.ranges, ranges) }))
            .filter((chunk) => !isEmpty(chunk.ranges))
        )
      }
    }
  )

  law(
    "invalidate() refuses what was planned on a window before it, and on no other",
    [drawnCoverage, ranges, underWay],
    (...drawn) => {
      const [{ state: before }, ranges, working] = drawn
      const touched = touchedBy(before, ranges, working)
      const { state } = invalidated(before, ranges, working)
      for (const windowStart of windowStarts) {
        const window = { windowStart, ranges: RangeSet.of(...Window.windowRange(grid, windowStart)) }
        const planned = message([refilled(before, window)])
        expect(entryIn(state, windowStart).generation - entryIn(before, windowStart).generation).toBe(
          touched.includes(windowStart) ? 1 : 0
        )
        expect(Result.isFailure(Coverage.commit(state, planned, at(3000)))).toBe(touched.includes(windowStart))
      }
    }
  )

  law(
    "what was invalidated and is filled again is covered as it was",
    [drawnCoverage, ranges, underWay],
    (...drawn) => {
      const [{ state: before }, ranges, working] = drawn
      const { state } = invalidated(before, ranges, working)
      const { removed } = state.root.diff
      const again = message(Window.split(grid, removed).map((window) => refilled(state, window)))
      const after = applied(state, again).state
      expect(toPairs(after.covered)).toEqual(toPairs(before.covered))
      expect(toPairs(after.root.diff.added)).toEqual(toPairs(removed))
      // and by chunks, not by the root's word alone
      expect(toPairs(timeOfChunks(after))).toEqual(toPairs(before.covered))
      expect(toPairs(after.root.diff.removed)).toEqual([])
      expect(after.root.watermarks.eventTimeLow).toBe(before.root.watermarks.eventTimeLow)
    }
  )

  law(
    "invalidate() repeated takes out nothing more, and is a version all the same",
    [drawnCoverage, ranges],
    (drawn, ranges) => {
      const once = invalidated(drawn.state, ranges).state
      const twice = invalidated(once, ranges).state
      expect(toPairs(twice.covered)).toEqual(toPairs(once.covered))
      expect(toPairs(twice.root.diff.removed)).toEqual([])
      expect(twice.root.version).toBe(once.root.version + 1)
    }
  )
})

describe("note()", () => {
  const reasons = fc.constantFrom("skipped by ann", "set aside by ann")
  const exceptions = fc.tuple(ranges, reasons).map(([ranges, reason]) =>
    toPairs(ranges).map(([start, end]): MissingRange.MissingRange => ({
      start,
      end,
      state: reason.startsWith("skipped") ? "unavailable" : "quarantined",
      reason,
      retryAt: null
    }))
  )
  const noted = (
    state: Coverage.State,
    about: RangeSet.RangeSet,
    exceptions: ReadonlyArray<MissingRange.MissingRange>
  ) => Coverage.note(state, { about, exceptions, jobs: ["0.1"], cause: "skipped by ann" }, at(2000))

  law(
    "note() always makes a version, and never changes what is covered",
    [drawnCoverage, ranges, exceptions],
    (...drawn) => {
      const [{ state: before }, about, exceptions] = drawn
      const { changed, pages, state } = noted(before, about, exceptions)
      expect([changed, state.root.version]).toEqual([true, before.root.version + 1])
      expect(state.root.diff).toEqual({
        added: RangeSet.empty,
        removed: RangeSet.empty,
        jobs: ["0.1"],
        source: "operator",
        cause: "skipped by ann"
      })
      expect(state.covered).toEqual(before.covered)
      expect(pages).toEqual([])
      expect(state.pages).toEqual(before.pages)
      expect(state.root).toMatchObject({
        watermarks: before.root.watermarks,
        covered: before.root.covered,
        coveredInPagesBefore: before.root.coveredInPagesBefore,
        previousRootHash: before.root.version === 0 ? "" : rootHash(before.root)
      })
    }
  )

  law(
    "note() replaces what was known of the time it is about, where it is not covered",
    [drawnCoverage, exceptions],
    (...drawn) => {
      const [{ state: before }, exceptions] = drawn
      const about = MissingRange.timeOf(exceptions)
      const known = MissingRange.without(noted(before, about, exceptions).state.root.exceptions, before.covered)
      const said = MissingRange.without(MissingRange.clipTo(known, about), before.covered)
      expect(toPairs(MissingRange.timeOf(said))).toEqual(toPairs(RangeSet.subtract(about, before.covered)))
      expect(said.every(({ reason }) => reason === exceptions[0]?.reason)).toBe(true)
      const others = RangeSet.subtract(
        MissingRange.timeOf(before.root.exceptions),
        RangeSet.union(about, before.covered)
      )
      expect(toPairs(RangeSet.subtract(MissingRange.timeOf(known), about))).toEqual(toPairs(others))
    }
  )

  it("note() without anything to say is a version that keeps its trace", () => {
    const known = applied(one, message([], { answered: rangesOf([20, 40]), exceptions: [deferred(20, 40)] })).state
    const { root } = noted(known, rangesOf([20, 40]), []).state
    expect(root).toMatchObject({ version: 3, exceptions: [], committedAt: 2000 })
    expect(noted({ ...known, root }, RangeSet.empty, []).state.root).toMatchObject({ version: 4, committedAt: 2001 })
  })
})

it("a chunk that was narrowed is not taken for what it was, though its id is the same", () => {
  const first = refOf([[2, 8]])
  const covered = applied(nothing, message([part(first)])).state
  const { state } = Coverage.invalidate(covered, { ranges: rangesOf([5, 8]), windows: [0] }, "", at(2000))
  const after = applied(state, message([part(first, { generation: 1, base: first.id })])).state
  expect(toPairs(after.covered)).toEqual(toPairs(timeOfChunks(after)))
})
