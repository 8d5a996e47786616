/** Is of each time known which change touched it last? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { type Change, lastTouches, type Touch } from "../../../actors/admin/lastTouches.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { none, type Step, steps } from "../../support/auditedRoots.ts"
import { rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import { bitmap, rangeSet } from "../../support/rangeSets.ts"

const changesOf = (drawn: ReadonlyArray<Step>): ReadonlyArray<Change> =>
  drawn.map(({ added = RangeSet.empty, removed = RangeSet.empty }, index) => ({
    version: index + 1,
    versionBefore: index,
    committedAt: index,
    diff: { ...none.diff, added, removed }
  }))

const timesOf = (set: RangeSet.RangeSet): ReadonlyArray<number> =>
  bitmap(toPairs(set)).flatMap((isIn, at) => (isIn ? [at] : []))

/** What the naive model says of each time: the last change, and how. */
const painted = (changes: ReadonlyArray<Change>, wanted: RangeSet.RangeSet): ReadonlyArray<string> => {
  const marks = bitmap([]).map(() => "")
  const inWanted = new Set(timesOf(wanted))
  for (const { diff, version } of changes) {
    for (const at of timesOf(diff.added)) marks[at] = `added by ${version}`
    for (const at of timesOf(diff.removed)) marks[at] = `removed by ${version}`
  }
  return marks.map((mark, at) => (inWanted.has(at) ? mark : ""))
}

const marksOf = (touches: ReadonlyArray<Touch>): ReadonlyArray<string> => {
  const marks = bitmap([]).map(() => "")
  for (const { change, how, ranges } of touches) {
    for (const at of timesOf(ranges)) {
      // no time is touched last by two
      assert.strictEqual(marks[at], "")
      marks[at] = `${how} by ${change.version}`
    }
  }
  return marks
}

describe("lastTouches()", () => {
  law(
    "lastTouches() says of each wanted time what a painter says, who paints it over",
    [steps, rangeSet],
    (...drawn) => {
      const [changes, wanted] = [changesOf(drawn[0]), drawn[1]]
      assert.deepStrictEqual(marksOf(lastTouches([], changes, wanted)), painted(changes, wanted))
    }
  )

  law(
    "lastTouches() of a history in batches, wherever they end, is that of the whole",
    [steps, rangeSet, fc.array(fc.nat(8), { maxLength: 3 })],
    (drawn, wanted, ends) => {
      const changes = changesOf(drawn)
      const cuts = [0, ...ends.toSorted((a, b) => a - b), changes.length]
      const batches = cuts.slice(1).map((end, at) => changes.slice(cuts[at], end))
      const touches = batches.reduce<ReadonlyArray<Touch>>((before, batch) => lastTouches(before, batch, wanted), [])
      assert.deepStrictEqual(marksOf(touches), painted(changes, wanted))
      for (const { ranges } of touches) assert.isAbove(ranges.edges.length, 0)
    }
  )

  it("lastTouches() counts what a change both adds and removes as removed", () => {
    const changes = changesOf([{ added: rangesOf([0, 10]), removed: rangesOf([5, 10]) }])
    assert.deepStrictEqual(
      lastTouches([], changes, rangesOf([0, 8])).map(({ how, ranges }) => [how, toPairs(ranges)]),
      [
        ["removed", [[5, 8]]],
        ["added", [[0, 5]]]
      ]
    )
  })
})
