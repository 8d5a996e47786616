/** Is it noticed when a bar that changed is not asked for once more, or read as it was? */
import { assert, describe, it } from "vitest"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import * as Callers from "../Callers.ts"
import * as Market from "../Market.ts"
import type { Operation } from "../History.ts"
import { checkReads } from "./checkReads.ts"
import { checkSettled } from "./checkSettled.ts"
import { checkUpstream } from "./checkUpstream.ts"
import { jobWritten, operationWith, recordWith, rootWritten } from "./samples.ts"

const { barMs } = Market
const [node] = Callers.nodes as [string]
const bar = 4 * barMs
const restated = { bar, settleMs: 1, restatedAtMs: 0, dueAtMs: 0 }
const [first, last] = [Market.firstWordOf(Market.closeOf(0, bar)), Market.closeOf(0, bar)]

const rootWith = (unsettled: ReadonlyArray<readonly [number, number]>) => {
  const written = rootWritten(1, { version: 1, covered: [[0, 16 * barMs]] })
  return { ...written, root: { ...written.root, unsettled: unsettled.map(([start, end]) => ({ start, end })) } }
}

const readOf = (close: number, id = "last0"): Operation => {
  const range = [bar, bar + barMs] as const
  const meta = { coverageRanges: [range], missingRanges: [], coverageVersion: 1 }
  const df = { length: 1, columns: { event_time: [bar], close: [close] } }
  return operationWith({ id, what: "read", about: "it", answer: { node, range, minVersion: 0, result: { df, meta } } })
}

const problemsOf = (
  operations: ReadonlyArray<Operation>,
  unsettled: ReadonlyArray<readonly [number, number]> = [],
  job?: Partial<BackfillJob>
) => {
  const jobs = job === undefined ? [] : [jobWritten(1, job)]
  return checkSettled(recordWith({ roots: [rootWith(unsettled)], jobs }), operations, restated)
}

describe("checkSettled()", () => {
  it("checkSettled() has nothing against the last word, nor against the first one before the end", () => {
    assert.deepStrictEqual(problemsOf([readOf(first, "op1"), readOf(last)]), [])
    assert.deepStrictEqual(checkSettled(recordWith({}), [readOf(first)], undefined), [])
  })

  it("checkSettled() tells of the first word at the end, and of a bar that nobody has asked for again", () => {
    const word = `at the end, ${node} has ${first} for bar ${bar}, of which ${last} is the last word`
    assert.deepStrictEqual(problemsOf([readOf(first)]), [word])
    const left = `at the end, bar ${bar} of ${node} has not been asked for again`
    assert.deepStrictEqual(problemsOf([], [[0, bar + barMs]]), [left])
    assert.deepStrictEqual(problemsOf([], [[bar + barMs, bar + 2 * barMs]]), [])
  })

  it("checkSettled() has nothing against a bar of a window that waits for a person, or for its source", () => {
    assert.deepStrictEqual(problemsOf([readOf(first)], [[bar, bar + barMs]], { state: "QUARANTINED" }), [])
    assert.deepStrictEqual(problemsOf([readOf(first)], [], { state: "FAILED", nextAttemptAt: 1 }), [])
    assert.lengthOf(problemsOf([readOf(first)], [], { state: "FAILED", nextAttemptAt: null }), 1)
    // it has waited when it was read, and not for ever
    const jobs = [jobWritten(1, { state: "FAILED", nextAttemptAt: 1 }), jobWritten(9, { state: "SUCCEEDED" })]
    const run = recordWith({ roots: [rootWith([])], jobs })
    assert.deepStrictEqual(checkSettled(run, [{ ...readOf(first), completedAtMs: 5000 }], restated), [])
    assert.lengthOf(checkSettled(run, [{ ...readOf(first), completedAtMs: 9500 }], restated), 1)
  })
})

describe("checks of what may change", () => {
  it("checkReads() takes either word on a bar that was restated, and the market's alone without", () => {
    assert.deepStrictEqual(checkReads([readOf(first), readOf(last)], restated), [])
    assert.lengthOf(checkReads([readOf(first)]), 1)
    assert.lengthOf(checkReads([readOf(first + 1)], restated), 1)
  })

  it("checkUpstream() has nothing against a page of covered bars that are unsettled", () => {
    const page = { atMs: 20_000, host: "a1", node: "sim:a", startMs: bar, endMs: bar + barMs }
    const roots = [rootWith([[bar, bar + barMs]])]
    assert.deepStrictEqual(checkUpstream(recordWith({ roots, pagesAsked: [page] })), [])
    assert.lengthOf(checkUpstream(recordWith({ roots: [rootWith([])], pagesAsked: [page] })), 1)
  })
})
