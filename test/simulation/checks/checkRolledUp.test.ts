/** Is it noticed when a bar that is rolled up is not what its finer bars say? */
import { assert, describe, it } from "vitest"
import * as Callers from "../Callers.ts"
import type { Operation } from "../History.ts"
import * as Market from "../Market.ts"
import * as RolledUp from "../RolledUp.ts"
import { checkRolledUp } from "./checkRolledUp.ts"
import { operationWith, recordWith, rootWritten } from "./samples.ts"

const [start] = RolledUp.wanted
const range = [start, start + RolledUp.barMs] as const
const minutes = Array.from({ length: 5 }, (_, minute) => start + minute * Market.barMs).filter((time) =>
  Market.isTraded(0, time)
)
const restated = { bar: minutes[0]!, restatedAtMs: 0 }

/** The bar with that word on its first minute. */
const barWith = (wordOf: (close: number) => number) => {
  const closes = minutes.map((time, index) => (index === 0 ? wordOf(Market.closeOf(0, time)) : Market.closeOf(0, time)))
  return {
    open: [closes[0]! - 1],
    high: [Math.max(...closes) + 2],
    low: [Math.min(...closes) - 2],
    close: [closes.at(-1)],
    volume: [closes.reduce((sum, close) => sum + close, 0) / 10]
  }
}
const last = barWith((close) => close)
const first = barWith(Market.firstWordOf)

const answered = (columns: object | undefined, id: string): Operation => {
  const isThere = columns !== undefined
  const rolledUp = {
    df: { length: isThere ? 1 : 0, columns: isThere ? { event_time: [start], ...columns } : {} },
    meta: {
      coverageRanges: isThere ? [range] : [],
      missingRanges: isThere ? [] : [{ start, end: range[1], state: "missing", reason: "not filled yet" }]
    }
  }
  const answer = { series: 0, range, rolledUp }
  return operationWith({ id, about: "it", what: "read", answer, invokedAtMs: 54_000, completedAtMs: 54_100 })
}

/** What the finer series says in the end. */
const finer = (wordOf: (close: number) => number): Operation => {
  const close = minutes.map((time, index) => (index === 0 ? wordOf(Market.closeOf(0, time)) : Market.closeOf(0, time)))
  const df = { length: close.length, columns: { event_time: minutes, close } }
  const meta = { coverageRanges: [range], missingRanges: [], coverageVersion: 1 }
  const answer = { node: Callers.nodes[0], range, minVersion: 0, result: { df, meta } }
  return operationWith({ id: "last0", what: "read", answer, invokedAtMs: 52_000, completedAtMs: 52_100 })
}
const same = finer((close) => close)

const problemsOf = (operations: ReadonlyArray<Operation>, { isScarce = false, changedAtMs = 1000 } = {}) => {
  const roots = [{ ...rootWritten(1, { version: 1, covered: [] }), atMs: changedAtMs }]
  return checkRolledUp(operations, recordWith({ roots }), { isScarce, restated })
}

describe("checkRolledUp()", () => {
  it("checkRolledUp() has nothing against either word on a bar before the end, and the last one then", () => {
    assert.deepStrictEqual(problemsOf([answered(last, "rolledUp0"), answered(first, "rolledUp1")]), [])
    assert.deepStrictEqual(problemsOf([same, answered(last, "rolledUpLast")]), [])
  })

  it("checkRolledUp() tells of what the finer bars never said, and of a bar that is not covered", () => {
    assert.lengthOf(problemsOf([answered({ ...last, volume: [1] }, "rolledUp0")]), 1)
    const operation = answered(last, "rolledUp0")
    Object.assign(RolledUp.answerOf(operation)?.rolledUp.meta ?? {}, { coverageRanges: [] })
    assert.lengthOf(problemsOf([operation]), 1)
  })

  it("checkRolledUp() tells of a bar that in the end is made of what finer bars said before", () => {
    assert.lengthOf(problemsOf([same, answered(first, "rolledUpLast")]), 1)
    assert.deepStrictEqual(problemsOf([finer(Market.firstWordOf), answered(first, "rolledUpLast")]), [])
    // what has just changed may not be heard of yet
    assert.deepStrictEqual(problemsOf([same, answered(first, "rolledUpLast")], { changedAtMs: 53_000 }), [])
  })

  it("checkRolledUp() tells of a bar that is missing in the end though its finer bars are there", () => {
    assert.lengthOf(problemsOf([same, answered(undefined, "rolledUpLast")]), 1)
    assert.deepStrictEqual(problemsOf([same, answered(undefined, "rolledUpLast")], { isScarce: true }), [])
    assert.lengthOf(problemsOf([same, operationWith({ id: "rolledUpLast", outcome: "DeadlineExceeded" })]), 1)
  })
})
