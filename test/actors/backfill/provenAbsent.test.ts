/** When is a stored bar gone because its source does not give it any more? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import * as Answer from "../../../actors/backfill/Answer.ts"
import * as Question from "../../../actors/backfill/Question.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import {
  barNow,
  configuration,
  isSettled,
  read,
  rootNow,
  secondMs,
  series,
  sourceOf
} from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const wholeDay: Range = [-100, 200]

/** What an answer about stored time proves, of a source with these bars. */
const provenBy = (stretch: Range, bars: ReadonlyArray<number>, closed: RangeSet.RangeSet = RangeSet.empty) => {
  let answer = Answer.begin(
    Question.about(stretch, {
      intervalMs: 1,
      maxEmptyBars: 5,
      barsPerRequest: 100,
      finalUntil: 100,
      // all of it is stored
      covered: RangeSet.of(...wholeDay),
      shut: RangeSet.empty,
      byBarsAlone: true,
      closedIn: (range) => RangeSet.clip(closed, ...range)
    })
  )
  for (let asked = Answer.nextRequest(answer); asked !== undefined; asked = Answer.nextRequest(answer)) {
    const { end, start } = asked
    answer = Answer.take(answer, asked, bars.filter((bar) => bar >= start && bar < end).slice(0, 100))
  }
  return toPairs(Answer.proven(answer))
}

describe("proven() of stored time", () => {
  it("proven() of a source that gives nothing is nothing, whatever is stored on either side", () => {
    assert.deepStrictEqual(provenBy([10, 13], []), [])
    assert.deepStrictEqual(provenBy([10, 13], [], RangeSet.of(0, 20)), [])
  })

  it("proven() has what is absent between two bars of the answer, also those beside the stretch", () => {
    assert.deepStrictEqual(provenBy([10, 20], [10, 14, 19]), [[10, 20]])
    assert.deepStrictEqual(provenBy([10, 13], [9, 13]), [[10, 13]])
    assert.deepStrictEqual(provenBy([10, 20], [8, 12, 13, 14, 15, 16, 17, 18, 22]), [[10, 20]])
  })

  it("proven() leaves open what is behind the last bar of the answer, and before its first", () => {
    assert.deepStrictEqual(provenBy([10, 20], [12, 14]), [[12, 15]])
  })

  it("proven() takes a market's hours for nothing but a reason of an absence in the open time beside them", () => {
    const closed = RangeSet.of(30, 60)
    assert.deepStrictEqual(provenBy([20, 80], [20, 70], closed), [
      [20, 21],
      [70, 71]
    ])
    assert.deepStrictEqual(provenBy([28, 62], [28, 61], closed), [
      [28, 30],
      [60, 62]
    ])
    assert.deepStrictEqual(provenBy([20, 80], [29, 60], closed), [
      [29, 30],
      [60, 61]
    ])
    assert.deepStrictEqual(provenBy([31, 39], [30, 38], closed), [[38, 39]])
  })

  it("proven() has a short absence while a market is closed, wherever the stretch begins and ends", () => {
    assert.deepStrictEqual(provenBy([50, 60], [49, 53, 54, 55, 56, 57, 58, 59], RangeSet.of(50, 53)), [[50, 60]])
    assert.deepStrictEqual(provenBy([50, 60], [50, 51, 52, 53, 54, 55, 56, 60], RangeSet.of(57, 60)), [[50, 60]])
    assert.deepStrictEqual(provenBy([50, 53], [49, 53], RangeSet.of(40, 70)), [[50, 53]])
    // no bar that is further away takes back what was closed, but the open time beside it
    const bars = [0, 54, 55, 56, 57, 58, 59]
    assert.deepStrictEqual(provenBy([50, 60], bars, RangeSet.of(1, 53)), [[53, 60]])
    assert.deepStrictEqual(provenBy([50, 60], bars, RangeSet.of(0, 54)), [[54, 60]])
  })

  it("proven() has a short absence beside more bars of closed time than a page holds", () => {
    const bars = Array.from({ length: 155 }, (_, index) => index - 105)
    assert.deepStrictEqual(provenBy([50, 60], [...bars, 54, 55, 56, 57, 58, 59], RangeSet.of(-105, 53)), [[50, 60]])
  })
})

describe("a source that gives nothing any more", () => {
  it.live(
    "takes no settled bar back: what it does not prove stays as it is stored, unsettled, and is asked for again",
    () =>
      Effect.gen(function* () {
        // it is out of order from its second request on, until it is told otherwise
        let isOut = true
        const { asked, source } = sourceOf((_, count) => (count > 1 && isOut ? null : count > 1 ? 7 : 1))
        yield* memoryHost.start({ configuration, sources: [source] })
        const nowMs = yield* barNow
        const start = nowMs - 10 * secondMs
        const before = yield* read(start, nowMs)
        yield* untilTrue(
          "it was asked twice in vain",
          Effect.sync(() => asked.length > 6),
          18_000
        )
        const meanwhile = yield* read(start, nowMs)
        assert.deepStrictEqual(meanwhile.columns, before.columns)
        const root = yield* rootNow
        assert.isUndefined(root.diff.revised)
        assert.isDefined(root.unsettled)
        isOut = false
        yield* untilTrue("all has settled", isSettled, 18_000)
        assert.strictEqual((yield* read(start, nowMs)).columns.close.at(-1), 7)
      }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("is told of by verify as not proven, and a repair takes nothing away", () =>
    Effect.gen(function* () {
      const { source } = sourceOf((bar, count) => (count > 1 && bar >= 3 * secondMs ? null : 1))
      const silent: DataSource = source
      yield* memoryHost.start({ configuration, sources: [silent] })
      const before = yield* read(0, 10 * secondMs)
      const { parts, repairedBars } = yield* memoryHost.askAdmin<Verified>("repair", {
        ...series,
        start: 3 * secondMs,
        end: 10 * secondMs,
        reason: "it is empty"
      })
      assert.deepStrictEqual(
        [repairedBars, parts.map(({ absentBars, unproven }) => [absentBars, unproven])],
        [0, [[0, [[3 * secondMs, 10 * secondMs]]]]]
      )
      assert.deepStrictEqual((yield* read(0, 10 * secondMs)).columns, before.columns)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
