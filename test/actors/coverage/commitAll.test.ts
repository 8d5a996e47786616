/** Are commits that come together the same as one after the other, but for the versions that they make? */
import * as fc from "fast-check"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import * as Coverage from "../../../actors/coverage/Coverage.ts"
import { rootHash } from "../../../protocol/history/CoverageRoot.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Commit, StaleCommit } from "../../../protocol/messages/Coverage.ts"
import { applied, at, deferred, message, nothing, pageMs, part, refOf } from "../../support/commits.ts"
import { rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import * as Model from "../../support/models/CoverageModel.ts"
import { messageOf, planCommit } from "../../support/models/drawCommit.ts"
import { commitDraw, drawnCoverage, scale, timeOfChunks } from "../../support/models/drawCoverage.ts"

const first = refOf([[2, 5]])
const one = applied(nothing, message([part(first)])).state

const together = (messages: ReadonlyArray<Commit>, state = one): Coverage.Steps =>
  Coverage.commitAll(state, messages, at(2000))

const more = message([part(refOf([[12, 14]]))], { jobs: ["10.1"], cause: "request-2" })
const elsewhere = message([part(refOf([[pageMs, pageMs + 3]], { source: "kraken" }))], {
  jobs: ["20.1", "10.1"],
  source: "kraken",
  cause: "request-3"
})
const stale = message([part(refOf([[2, 9]]), { generation: 1 })], { jobs: ["0.9"], cause: "late" })

describe("commitAll()", () => {
  it("commitAll() makes one version of all, and tells of all of them", () => {
    const { changed, pages, refused, state } = together([more, elsewhere])
    expect(changed).toBe(true)
    expect(refused).toEqual([undefined, undefined])
    expect(state.root.version).toBe(2)
    expect(toPairs(state.root.diff.added)).toEqual([
      [12, 14],
      [pageMs, pageMs + 3]
    ])
    expect(state.root.diff).toMatchObject({
      removed: RangeSet.empty,
      jobs: ["10.1", "20.1"],
      source: "binance, kraken",
      cause: "request-2, request-3"
    })
    expect(state.root.previousRootHash).toBe(rootHash(one.root))
    expect(pages.map(({ index }) => index)).toEqual([0, 1])
  })

  it("commitAll() puts a page once that several change, with what each brought", () => {
    const same = message([part(refOf([[22, 24]]))])
    const { pages, state } = together([more, same])
    expect(pages.map(({ index, windows }) => [index, windows.map(({ windowStart }) => windowStart)])).toEqual([
      [0, [0, 10, 20]]
    ])
    expect(state.pages.get(0)).toBe(pages[0])
  })

  it("commitAll() refuses what is stale, and that keeps no other from being made", () => {
    const { refused, state } = together([stale, more, stale, elsewhere])
    expect(refused.map((error) => error?._tag)).toEqual(["StaleCommit", undefined, "StaleCommit", undefined])
    expect(state.root.diff).toMatchObject({ jobs: ["10.1", "20.1"], cause: "request-2, request-3" })
  })

  it("commitAll() takes the first of two that were planned upon the same", () => {
    const rivals = [6, 7].map((end) => message([part(refOf([[2, end]]), { base: first.id })], { jobs: [`0.${end}`] }))
    const { refused, state } = together(rivals)
    expect(refused.map((error) => error?.windowStart)).toEqual([undefined, 0])
    expect(toPairs(state.covered)).toEqual([[2, 6]])
    expect(state.root.diff.jobs).toEqual(["0.6"])
  })

  it("commitAll() takes one that was planned upon another before it", () => {
    const longer = refOf([[2, 6]])
    const chain = [message([part(longer, { base: first.id })]), message([part(refOf([[2, 9]]), { base: longer.id })])]
    const { refused, state } = together(chain)
    expect(refused).toEqual([undefined, undefined])
    expect([state.root.version, toPairs(state.root.diff.added)]).toEqual([2, [[5, 9]]])
  })

  it.each<readonly [string, ReadonlyArray<Commit>]>([
    ["no commit", []],
    ["what stands already", [message([part(first)]), message([part(first)])]],
    ["commits that are all stale", [stale, stale]],
    ["a commit without rows or news", [message([])]]
  ])("commitAll() of %s makes no version", (_, messages) => {
    const { changed, pages, refused, state } = together(messages)
    expect(changed).toBe(false)
    expect(state).toBe(one)
    expect(pages).toEqual([])
    expect(refused).toHaveLength(messages.length)
  })

  it("commitAll() tells of no job that brought nothing", () => {
    const repeated = message([part(first)], { jobs: ["0.8"], source: "kraken", cause: "repeated" })
    const { state } = together([repeated, more, { ...more, jobs: ["10.7"], cause: "again" }])
    expect(state.root.diff).toMatchObject({ jobs: ["10.1"], source: "binance", cause: "request-2" })
  })

  it("commitAll() counts causes that are too many to tell", () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      message([part(refOf([[index * 10, index * 10 + 1]], { source: "kraken" }))], { cause: `request-${index}` })
    )
    const { cause } = together(many).state.root.diff
    expect(cause.split(", ")).toHaveLength(16)
    expect(cause).toMatch(/request-15 and 24 more$/)
  })

  it("commitAll() makes a version where one takes back what another said", () => {
    const said = message([], { answered: rangesOf([5, 9]), exceptions: [deferred(5, 9)] })
    const takenBack = message([], { answered: rangesOf([5, 9]), jobs: ["0.2"] })
    const { changed, state } = together([said, takenBack])
    expect([changed, state.root.version, state.root.exceptions]).toEqual([true, 2, []])
    expect(state.root.diff.jobs).toEqual(["0.1", "0.2"])
  })
})

/** What comes of the commits one after the other. */
const inTurn = (before: Coverage.State, messages: ReadonlyArray<Commit>) => {
  let state = before
  const refused: Array<StaleCommit | undefined> = []
  const jobs = new Set<string>()
  let added = RangeSet.empty
  for (const each of messages) {
    const step = Coverage.commit(state, each, at(2000))
    refused.push(Result.isFailure(step) ? step.failure : undefined)
    if (Result.isFailure(step) || !step.success.changed) continue
    state = step.success.state
    added = RangeSet.union(added, state.root.diff.added)
    for (const job of each.jobs) jobs.add(job)
  }
  return { state, refused, jobs: [...jobs], added }
}

/** What of a root does not count its versions. */
const lastingOf = ({ root }: Coverage.State) => {
  const { covered, coveredInPagesBefore, exceptions, watermarks } = root
  return { covered, coveredInPagesBefore, exceptions, watermarks }
}

const entriesOf = ({ pages }: Coverage.State) =>
  Array.from(pages)
    .toSorted(([a], [b]) => a - b)
    .map(([, page]) => page)

describe("a lot of commits", () => {
  const lot = fc.array(fc.record({ draw: commitDraw, isUponNewest: fc.boolean() }), { maxLength: 6 })

  /** Each planned on what stood before all of them, or on what those before it have made of it. */
  const planned = (model: Model.CoverageModel, draws: typeof lot extends fc.Arbitrary<infer A> ? A : never) => {
    const newest = Model.copy(model)
    return draws.map(({ draw, isUponNewest }, index): Commit => {
      const commit = planCommit(isUponNewest ? newest : model, draw, scale.windowBars)
      Model.commit(newest, commit)
      return { ...messageOf(commit, scale), jobs: [`job-${index % 4}`, `job-${index}`] }
    })
  }

  law("commitAll() comes to the same as each after the other, in one version", [drawnCoverage, lot], (drawn, draws) => {
    const before = drawn.state
    const messages = planned(drawn.model, draws)
    const all = Coverage.commitAll(before, messages, at(2000))
    const turns = inTurn(before, messages)
    expect(all.refused).toEqual(turns.refused)
    expect(toPairs(all.state.covered)).toEqual(toPairs(turns.state.covered))
    expect(lastingOf(all.state)).toEqual(lastingOf(turns.state))
    expect(entriesOf(all.state)).toEqual(entriesOf(turns.state))
    expect(all.changed).toBe(turns.state !== before)
    expect(all.state.root.version).toBe(before.root.version + (all.changed ? 1 : 0))
    if (!all.changed) return expect(all.state).toBe(before)
    expect(all.state.root.diff.jobs).toEqual(turns.jobs)
    expect(toPairs(all.state.root.diff.added)).toEqual(toPairs(turns.added))
    expect(isEmpty(all.state.root.diff.removed)).toBe(true)
  })

  law("commitAll() puts just the pages that are not as they were", [drawnCoverage, lot], (drawn, draws) => {
    const { pages, state } = Coverage.commitAll(drawn.state, planned(drawn.model, draws), at(2000))
    const others = Array.from(state.pages.values()).filter((page) => !pages.includes(page))
    expect(pages.every((page) => state.pages.get(page.index) === page)).toBe(true)
    expect(others.every((page) => drawn.state.pages.get(page.index) === page)).toBe(true)
    expect(pages.some((page) => drawn.state.pages.get(page.index) === page)).toBe(false)
  })

  law("commitAll() claims just what the chunks have", [drawnCoverage, lot], (drawn, draws) => {
    const { state } = Coverage.commitAll(drawn.state, planned(drawn.model, draws), at(2000))
    expect(toPairs(timeOfChunks(state))).toEqual(toPairs(state.covered))
  })
})
