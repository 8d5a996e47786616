/** Does a commit that replaces stored bars lose nothing, tell what it changed, and give way to what it did not know? */
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import * as Coverage from "../../../actors/coverage/Coverage.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { type RevisedBar, revisedBarsMax } from "../../../protocol/history/RevisedBar.ts"
import { applied, at, message, nothing, part, refOf } from "../../support/commits.ts"
import { rangesOf } from "../../support/jobs.ts"

const barAt = (eventTime: number): RevisedBar => ({
  eventTime,
  source: "binance",
  before: { close: 1 },
  after: { close: 2 }
})

const first = refOf([[2, 8]])
const young = { ranges: rangesOf([2, 8]), unsettled: rangesOf([6, 8]), settleMs: 5 }
const stored = applied(nothing, message([part(first)], { asked: young })).state

const corrected = refOf([[2, 8]], { id: "corrected", contentHash: "corrected" })
const revision = part(corrected, { base: first.id, revised: rangesOf([6, 7]), revisedBars: [barAt(6)] })
const settled = { ranges: rangesOf([6, 8]), unsettled: RangeSet.empty, settleMs: 5 }
const answered = rangesOf([6, 8])

const unsettledOf = ({ root }: Coverage.State) => root.unsettled?.map(({ end, start }) => [start, end])

describe("commit() of a revision", () => {
  it("commit() takes the corrected chunk, and tells in the diff which bars it changed, with what they were", () => {
    const { changed, state } = applied(stored, message([revision], { answered, asked: settled, cause: "settle" }))
    expect(changed).toBe(true)
    expect(toPairs(state.covered)).toEqual([[2, 8]])
    const { added, cause, removed, revised, revisedBars } = state.root.diff
    expect([toPairs(added), toPairs(removed), toPairs(revised!), cause]).toEqual([[], [], [[6, 7]], "settle"])
    expect(revisedBars).toEqual([barAt(6)])
    expect(state.pages.get(0)?.windows[0]?.chunks.map(({ id }) => id)).toEqual(["corrected"])
  })

  it("commit() remembers bars that had not settled, and forgets them when they were asked for once more", () => {
    expect(unsettledOf(stored)).toEqual([[6, 8]])
    const { changed, state } = applied(stored, message([], { answered, asked: settled, cause: "settle" }))
    expect(changed).toBe(true)
    // a root that has nothing to settle does not mention it
    expect("unsettled" in state.root).toBe(false)
    expect("revised" in state.root.diff).toBe(false)
    expect(applied(state, message([], { answered, asked: settled })).changed).toBe(false)
  })

  it("commit() says by which version of the schema the newest rows are stored, and never goes back behind one", () => {
    const corrects = message([revision], { answered, asked: settled })
    const of = (schemaVersion?: number) =>
      Result.map(Coverage.commit(stored, corrects, { ...at(1), ...(schemaVersion && { schemaVersion }) }), (step) => {
        return step.state.root.schemaVersion - stored.root.schemaVersion
      })
    expect([of(), of(stored.root.schemaVersion + 2)]).toEqual([Result.succeed(0), Result.succeed(2)])
  })

  it("commit() refuses a revision of a chunk that is not the one that stands, or of another generation", () => {
    const other = applied(stored, message([part(refOf([[2, 9]]), { base: first.id })])).state
    const late = Coverage.commit(other, message([revision], { answered, asked: settled }), at(1))
    expect(Result.isFailure(late) && late.failure._tag).toBe("StaleCommit")
    const invalid = Coverage.invalidate(stored, { ranges: rangesOf([2, 3]), windows: [0] }, "", at(1)).state
    const stale = Coverage.commit(invalid, message([revision], { answered, asked: settled }), at(1))
    expect(Result.isFailure(stale) && stale.failure._tag).toBe("StaleCommit")
  })

  it("commit() of a revision that is repeated changes nothing, and tells of nothing", () => {
    const once = applied(stored, message([revision], { answered, asked: settled })).state
    expect(applied(once, message([revision], { answered, asked: settled })).state).toBe(once)
  })

  it("commitAll() tells what all of them revised, the first bars with their values", () => {
    const there = applied(stored, message([part(refOf([[12, 18]]))])).state
    const many = Array.from({ length: revisedBarsMax }, (_, bar) => barAt(12 + bar))
    const standing = there.pages.get(0)!.windows[1]!.chunks[0]!
    const other = part(refOf([[12, 18]], { id: "b", contentHash: "b" }), {
      base: standing.id,
      revised: rangesOf([13, 14], [17, 18]),
      revisedBars: many
    })
    const { state } = Coverage.commitAll(there, [message([revision]), message([other])], at(5))
    expect(toPairs(state.root.diff.revised!)).toEqual([
      [6, 7],
      [13, 14],
      [17, 18]
    ])
    expect(state.root.diff.revisedBars).toEqual([barAt(6), ...many].slice(0, revisedBarsMax))
  })

  it("narrowed() finds a revision that covers less", () => {
    const less = part(refOf([[2, 7]], { id: "less" }), { base: first.id, revised: rangesOf([7, 8]) })
    expect(Coverage.narrowed(stored, message([less]), at(1).grid)).toEqual([0])
    expect(Coverage.narrowed(stored, message([revision]), at(1).grid)).toEqual([])
  })
})

describe("invalidate()", () => {
  it("invalidate() forgets that bars may change which do not count any more", () => {
    const { state } = Coverage.invalidate(stored, { ranges: rangesOf([7, 8]), windows: [0] }, "", at(1))
    expect(unsettledOf(state)).toEqual([[6, 7]])
  })
})
