/** Does a commit change the coverage once, in order, and never against what stands? */
import * as fc from "fast-check"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import * as Coverage from "../../../actors/coverage/Coverage.ts"
import { entryOf } from "../../../protocol/history/CoveragePage.ts"
import { rootHash } from "../../../protocol/history/CoverageRoot.ts"
import * as MissingRange from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Window from "../../../protocol/history/Window.ts"
import type { Commit, StaleCommit } from "../../../protocol/messages/Coverage.ts"
import { applied, at, deferred, grid, message, nothing, pageMs, part, refOf } from "../../support/commits.ts"
import { rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"

const refused = (state: Coverage.State, commit: Commit): StaleCommit =>
  Result.match(Coverage.commit(state, commit, at(1000)), {
    onFailure: (error) => error,
    onSuccess: () => expect.unreachable("the commit was taken")
  })

const first = refOf([[2, 5]])
const one = applied(nothing, message([part(first)])).state

const committedWhenClockIs = (nowMs: number) =>
  applied(one, message([part(refOf([[12, 14]]))]), nowMs).state.root.committedAt

describe("commit()", () => {
  it("commit() raises the version by one and tells what it added, by whom and why", () => {
    const { changed, state } = applied(one, message([part(refOf([[12, 20]]))], { jobs: ["10.1"], cause: "request-2" }))
    expect(changed).toBe(true)
    expect(state.root.version).toBe(2)
    expect(toPairs(state.covered)).toEqual([
      [2, 5],
      [12, 20]
    ])
    expect(toPairs(state.root.diff.added)).toEqual([[12, 20]])
    expect(state.root.diff).toMatchObject({ removed: RangeSet.empty, jobs: ["10.1"], source: "binance" })
    expect(state.root.diff.cause).toBe("request-2")
  })

  it("commit() repeated changes nothing and keeps the version", () => {
    const again = applied(one, message([part(first)]))
    expect(again).toEqual({ state: one, pages: [], changed: false })
  })

  it("commit() of rows that stand already, fetched anew, changes nothing", () => {
    const anew = refOf([[2, 5]], { id: "other bytes" })
    expect(applied(one, message([part(anew, { base: first.id })])).changed).toBe(false)
    expect(applied(one, message([part(anew)])).changed).toBe(false)
  })

  it("commit() of the same rows for more time does change the window", () => {
    const more = refOf([[2, 8]], { contentHash: first.contentHash })
    const { state } = applied(one, message([part(more, { base: first.id })]))
    expect(toPairs(state.covered)).toEqual([[2, 8]])
    expect(toPairs(state.root.diff.added)).toEqual([[5, 8]])
  })

  it("commit() that was planned upon another base is stale", () => {
    const other = refOf([[2, 7]])
    expect(refused(one, message([part(other)]))).toMatchObject({ _tag: "StaleCommit", windowStart: 0 })
    expect(refused(one, message([part(other, { base: "long gone" })]))._tag).toBe("StaleCommit")
    expect(refused(nothing, message([part(other, { base: first.id })]))._tag).toBe("StaleCommit")
    expect(applied(one, message([part(other, { base: first.id })])).changed).toBe(true)
  })

  it("commit() of another generation is stale, even where the chunk is the same", () => {
    const stale = refused(one, message([part(first, { generation: 1 })]))
    expect(stale.message).toMatch(/generation is 0, not 1/)
  })

  it("commit() that is stale in one window changes none", () => {
    const mixed = message([part(refOf([[12, 14]])), part(refOf([[2, 7]]))])
    expect(refused(one, mixed).windowStart).toBe(0)
  })

  it("commit() keeps the chunks of different sources side by side", () => {
    const other = refOf([[4, 9]], { source: "kraken", id: "kraken" })
    const { pages, state } = applied(one, message([part(other)], { source: "kraken" }))
    const sources = entryOf(pages[0], 0).chunks.map(({ source }) => source)
    expect(sources.toSorted()).toEqual(["binance", "kraken"])
    expect(toPairs(state.root.diff.added)).toEqual([[5, 9]])
  })

  it("commit() of several windows writes each page once, with all its windows", () => {
    const windows = [part(refOf([[12, 14]])), part(refOf([[20, 30]])), part(refOf([[pageMs, pageMs + 3]]))]
    const { pages, state } = applied(one, message(windows))
    expect(pages.map(({ index, windows }) => [index, windows.map(({ windowStart }) => windowStart)])).toEqual([
      [0, [0, 10, 20]],
      [1, [pageMs]]
    ])
    expect(state.root.version).toBe(2)
    expect(state.pages.get(0)).toBe(pages[0])
  })

  it("commit() puts only pages that change", () => {
    const both = applied(one, message([part(refOf([[pageMs, pageMs + 3]]))])).state
    const { pages } = applied(both, message([part(first), part(refOf([[pageMs + 10, pageMs + 12]]))]))
    expect(pages.map(({ index }) => index)).toEqual([1])
  })

  it("commit() names the root before by its hash, and the first has none before", () => {
    expect(one.root.previousRootHash).toBe("")
    const { root } = applied(one, message([part(refOf([[12, 14]]))])).state
    expect(root.previousRootHash).toBe(rootHash(one.root))
  })

  it("commit() is always later than the root before, whatever the clock says", () => {
    expect([committedWhenClockIs(900), committedWhenClockIs(1000), committedWhenClockIs(5000)]).toEqual([
      1001, 1001, 5000
    ])
  })
})

const withNews = (state: Coverage.State, answered: Range, exceptions: Commit["exceptions"]) =>
  applied(state, message([], { answered: rangesOf(answered), exceptions }))

describe("commit() and what is known of uncovered time", () => {
  it("commit() without rows keeps what the answer says of uncovered time", () => {
    const { pages, state } = withNews(one, [5, 9], [deferred(5, 9)])
    expect(state.root).toMatchObject({ version: 2, exceptions: [deferred(5, 9)] })
    expect(pages).toEqual([])
    expect(isEmpty(state.root.diff.added)).toBe(true)
  })

  it("commit() of what is known already changes nothing", () => {
    const { state } = withNews(one, [5, 9], [deferred(5, 9)])
    expect(withNews(state, [5, 9], [deferred(5, 9)]).changed).toBe(false)
  })

  it("commit() replaces what was known of answered time, and of no other", () => {
    const known = withNews(one, [10, 30], [deferred(10, 30, "before")]).state
    const { root } = withNews(known, [15, 20], [deferred(16, 20, "after")]).state
    expect(root.exceptions.map(({ end, reason, start }) => [start, end, reason])).toEqual([
      [10, 15, "before"],
      [16, 20, "after"],
      [20, 30, "before"]
    ])
  })

  it("commit() forgets what was known of time that it covers", () => {
    const known = withNews(one, [10, 30], [deferred(10, 30)]).state
    const { root } = applied(known, message([part(refOf([[12, 20]]))])).state
    const open = MissingRange.without(root.exceptions, root.covered)
    expect(open.map(({ end, start }) => [start, end])).toEqual([
      [10, 12],
      [20, 30]
    ])
  })

  it("commit() keeps any number of like exceptions between covered bars as one", () => {
    const bars = Array.from({ length: 2000 }, (_, bar): Range => [bar * 3, bar * 3 + 1])
    const gaps = bars.map(([, end]) => deferred(end, end + 2))
    const { root } = applied(nothing, {
      ...message([part(refOf(bars))]),
      answered: RangeSet.of(0, 6000),
      exceptions: gaps
    }).state
    expect(root.exceptions.map(({ end, start }) => [start, end])).toEqual([[1, 6000]])
    expect(MissingRange.without(root.exceptions, RangeSet.make(bars)).length).toBe(2000)
  })

  it("commit() keeps like exceptions apart that were answered about unlike often", () => {
    const counted = (start: number, end: number, answers: number) => ({ ...deferred(start, end), answers })
    const { root } = withNews(one, [10, 40], [counted(10, 20, 1), counted(20, 30, 1), counted(30, 40, 2)]).state
    expect(root.exceptions.map(({ answers, end, start }) => [start, end, answers])).toEqual([
      [10, 30, 1],
      [30, 40, 2]
    ])
    const evidence = withNews(one, [10, 30], [{ ...deferred(10, 20), evidence: "a" }, deferred(20, 30)]).state
    expect(evidence.root.exceptions).toHaveLength(2)
  })

  it("commit() forgets how often time was answered about, rather than that it was, where there would be too many", () => {
    const gaps = Array.from({ length: 2000 }, (_, gap) => ({
      ...deferred(gap, gap + 1),
      answers: 1 + (gap % 7),
      evidence: `answered ${1 + (gap % 7)} times`,
      retryAt: 9000 + gap
    }))
    const { root } = applied(nothing, { ...message([]), answered: RangeSet.of(0, 2000), exceptions: gaps }).state
    expect(root.exceptions).toEqual([
      { ...deferred(0, 2000), answers: 7, evidence: "answered 7 times", retryAt: 9000 + 1999 }
    ])
  })

  it("commit() keeps no more exceptions than 256, the newest", () => {
    const gaps = Array.from({ length: 300 }, (_, gap) => deferred(gap * 2, gap * 2 + 1))
    const { root } = applied(nothing, {
      ...message([]),
      answered: MissingRange.timeOf(gaps),
      exceptions: gaps
    }).state
    expect(root.exceptions).toEqual(gaps.slice(-256))
  })

  it("commit() keeps exceptions apart that have time between them of which nothing is known", () => {
    const { root } = applied(nothing, {
      ...message([]),
      answered: RangeSet.make([
        [0, 10],
        [20, 30]
      ]),
      exceptions: [deferred(0, 10), deferred(20, 30)]
    }).state
    expect(root.exceptions.map(({ end, start }) => [start, end])).toEqual([
      [0, 10],
      [20, 30]
    ])
  })
})

describe("commit() and the watermarks", () => {
  it("commit() keeps the end of the first covered stretch, and the highest event time", () => {
    expect(one.root.watermarks).toEqual({ eventTimeLow: 5, eventTimeHigh: 4 })
    const later = applied(one, message([part(refOf([[12, 20]]))])).state
    expect(later.root.watermarks).toEqual({ eventTimeLow: 5, eventTimeHigh: 19 })
    const closed = applied(later, message([part(refOf([[2, 10]]), { base: first.id }), part(refOf([[20, 25]]))])).state
    expect(closed.root.watermarks).toEqual({ eventTimeLow: 10, eventTimeHigh: 24 })
  })

  it("commit() of known empty time moves no event time", () => {
    const empty = refOf([[12, 20]], { lastEventTime: null, rows: 0 })
    expect(applied(one, message([part(empty)])).state.root.watermarks.eventTimeHigh).toBe(4)
    expect(applied(nothing, message([part(empty)])).state.root.watermarks).toEqual({
      eventTimeLow: 20,
      eventTimeHigh: null
    })
  })
})

describe("a history of commits", () => {
  const answer = fc.record({
    start: fc.integer({ min: -3000, max: 3000 }),
    length: fc.integer({ min: 1, max: 25 }),
    provenShare: fc.double({ min: 0, max: 1, noNaN: true }),
    nowMs: fc.integer({ min: 0, max: 50 })
  })

  type Drawn = typeof answer extends fc.Arbitrary<infer A> ? A : never

  /** As a worker commits: each window's rows merged upon the chunk that stands. */
  const planned = (state: Coverage.State, { length, provenShare, start }: Drawn) => {
    const proven = RangeSet.of(start, start + Math.round(length * provenShare))
    const windows = Window.split(grid, proven).map(({ ranges, windowStart }) => {
      const page = state.pages.get(Window.pageIndex(grid, windowStart))
      const base = entryOf(page, windowStart).chunks[0]
      const merged = RangeSet.union(base?.ranges ?? RangeSet.empty, ranges)
      return part(refOf(toPairs(merged)), { windowStart, base: base?.id ?? null })
    })
    const answered = RangeSet.of(start, start + length)
    const rest = toPairs(RangeSet.subtract(RangeSet.subtract(answered, proven), state.covered))
    return message(windows, { answered, exceptions: rest.map(([from, until]) => deferred(from, until)) })
  }

  law(
    "commit() keeps every promise of the root, whatever comes in whatever order",
    [fc.array(answer, { maxLength: 8 })],
    (answers) => {
      let state = nothing
      for (const each of answers) {
        const before = state
        const commit = planned(before, each)
        const step = applied(before, commit, each.nowMs)
        state = step.state
        expect(applied(state, commit, each.nowMs).changed).toBe(false)
        if (!step.changed) {
          expect(state).toBe(before)
          continue
        }
        const { committedAt, covered, diff, exceptions, previousRootHash, version } = state.root
        expect(version).toBe(before.root.version + 1)
        expect(committedAt).toBeGreaterThan(before.root.committedAt)
        expect(toPairs(diff.added)).toEqual(toPairs(RangeSet.subtract(state.covered, before.covered)))
        expect(RangeSet.contains(state.covered, before.covered)).toBe(true)
        expect(toPairs(covered)).toEqual(toPairs(state.covered))
        expect(previousRootHash).toBe(before.root.version === 0 ? "" : rootHash(before.root))
        // whatever is joined in the record, it speaks of just the open time of which something was said
        const said = MissingRange.without(before.root.exceptions, before.covered)
        const known = [...MissingRange.without(said, commit.answered), ...commit.exceptions]
        expect(toPairs(MissingRange.timeOf(MissingRange.without(exceptions, state.covered)))).toEqual(
          toPairs(MissingRange.timeOf(MissingRange.without(known, state.covered)))
        )
      }
    }
  )
})

describe("invalidate()", () => {
  it("invalidate() forgets why time is missing; what was covered is merely missing", () => {
    const aside = { start: 0, end: 8, state: "quarantined", reason: "set aside", retryAt: null } as const
    const said = { answered: RangeSet.of(0, 20), exceptions: [aside, deferred(10, 20)] }
    const { state } = applied(one, message([], said))
    const ranges = RangeSet.of(0, 15)
    const { root } = Coverage.invalidate(state, { ranges, windows: [0, 10] }, "invalidated by alice", at(2000)).state
    expect(root.exceptions).toEqual([{ ...deferred(10, 20), start: 15 }])
    expect(root.diff).toMatchObject({ removed: RangeSet.of(2, 5), cause: "invalidated by alice", source: "operator" })
    expect(toPairs(root.covered)).toEqual([])
  })
})

describe("withPages()", () => {
  it("withPages() puts stored pages in the place of those before, in order", () => {
    const before = {
      ...one.root,
      pages: [
        { index: -1, id: "a" },
        { index: 2, id: "b" }
      ]
    }
    expect(
      Coverage.withPages(before, [
        { index: 2, id: "c" },
        { index: 0, id: "d" }
      ]).pages
    ).toEqual([
      { index: -1, id: "a" },
      { index: 0, id: "d" },
      { index: 2, id: "c" }
    ])
  })
})
