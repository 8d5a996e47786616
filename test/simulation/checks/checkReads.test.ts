/** Is it noticed when an answer is not the market's, not whole, or of an older version than was seen? */
import { assert, describe, it } from "vitest"
import type { Range } from "../../../protocol/history/Range.ts"
import * as Callers from "../Callers.ts"
import * as Market from "../Market.ts"
import { checkReads } from "./checkReads.ts"
import { operationWith } from "./samples.ts"

const { barMs } = Market
const series = 1
const range: Range = [0, 40 * barMs]
const times = Array.from({ length: 40 }, (_, bar) => bar * barMs)
const traded = times.filter((time) => Market.isTraded(series, time))
const untraded = times.filter((time) => !Market.isTraded(series, time))

/** What an answer says, where it differs from a good one. */
interface Says {
  readonly eventTime?: ReadonlyArray<number>
  readonly close?: ReadonlyArray<number>
  readonly covered?: ReadonlyArray<Range>
  readonly missing?: ReadonlyArray<Range>
  readonly state?: string
  readonly of?: number
  readonly version?: number
}

/** The problems of an answer to a read of all that was traded, by a caller who has seen version 5. */
const problemsOf = ({ covered = [range], eventTime = traded, missing = [], of = series, ...says }: Says) => {
  const { close, state = "missing", version = 5 } = says
  const meta = {
    coverageRanges: covered,
    missingRanges: missing.map(([start, end]) => ({ start, end, state })),
    coverageVersion: version
  }
  const columns = { event_time: eventTime, close: close ?? eventTime.map((time) => Market.closeOf(series, time)) }
  const result = { df: { length: eventTime.length, columns }, meta }
  const answer = { node: Callers.nodes[of], range, minVersion: 5, result }
  return checkReads([operationWith({ what: "read", about: "it", answer })])
}

const problem = (text: string): string => `read op1 of it: ${text}`

describe("checkReads()", () => {
  it("the sample has bars that were traded, and some that were not", () => {
    assert.isAbove(traded.length, 20)
    assert.isAbove(untraded.length, 2)
  })

  it("checkReads() has nothing against all that was traded in time that is covered", () => {
    assert.deepStrictEqual(problemsOf({}), [])
  })

  it("checkReads() has nothing against bars that did not come of time that is said to be missing", () => {
    const until = 10 * barMs
    assert.deepStrictEqual(
      problemsOf({
        eventTime: traded.filter((time) => time < until),
        // more than was asked for is no harm
        covered: [[-barMs, until]],
        missing: [[until, range[1]]],
        version: 6
      }),
      []
    )
  })

  it("checkReads() has nothing against what was not answered, or is no read", () => {
    const unanswered = operationWith({ what: "read", outcome: "DeadlineExceeded" })
    assert.deepStrictEqual(checkReads([unanswered, operationWith({ answer: { place: 1 } })]), [])
  })

  it("checkReads() tells of a bar that was never traded", () => {
    const [time] = untraded
    const eventTime = [...traded, time!].toSorted((a, b) => a - b)
    assert.deepStrictEqual(problemsOf({ eventTime }), [problem(`bar ${time} was never traded`)])
  })

  it("checkReads() tells of a bar with another price than the market's", () => {
    const close = traded.map((time, row) => Market.closeOf(series, time) + (row === 3 ? 1 : 0))
    assert.deepStrictEqual(problemsOf({ close }), [problem(`bar ${traded[3]} is not the market's`)])
  })

  it("checkReads() tells of a bar of another series", () => {
    const close = traded.map((time) => Market.closeOf(0, time))
    assert.isNotEmpty(problemsOf({ close }))
  })

  it("checkReads() tells of a bar that is covered, was traded, and did not come", () => {
    assert.deepStrictEqual(problemsOf({ eventTime: traded.toSpliced(3, 1) }), [
      problem(`bar ${traded[3]} is covered, was traded, and did not come`)
    ])
  })

  it("checkReads() tells of bars that are twice there or in disorder", () => {
    const [first, second] = traded
    assert.deepStrictEqual(problemsOf({ eventTime: traded.toSpliced(1, 0, first!) }), [
      problem(`bar ${first} after ${first}`)
    ])
    assert.deepStrictEqual(problemsOf({ eventTime: traded.toSpliced(0, 2, second!, first!) }), [
      problem(`bar ${first} after ${second}`)
    ])
  })

  it("checkReads() tells of a bar that nobody asked for", () => {
    for (const eventTime of [
      [-4 * barMs, ...traded],
      [...traded, range[1]]
    ]) {
      const time = eventTime.find((one) => !times.includes(one))
      assert.deepStrictEqual(problemsOf({ eventTime }), [problem(`bar ${time} was not asked for`)])
    }
  })

  it("checkReads() tells of time that is neither covered nor missing", () => {
    assert.deepStrictEqual(problemsOf({ missing: [], covered: [[0, 39 * barMs]] }), [
      problem("time that is neither covered nor missing")
    ])
  })

  it("checkReads() tells of time that is covered and missing", () => {
    assert.deepStrictEqual(problemsOf({ missing: [[39 * barMs, range[1]]] }), [
      problem("time that is covered and missing")
    ])
  })

  it("checkReads() tells of time that is called unavailable, though the source has it", () => {
    const never = { eventTime: [], covered: [], missing: [range], state: "unavailable" }
    assert.deepStrictEqual(problemsOf(never), [])
    assert.deepStrictEqual(problemsOf({ ...never, of: 0 }), [
      problem("time that the source has and that is called unavailable")
    ])
  })

  it("checkReads() has nothing against time of windows that are unavailable because an operator has skipped them", () => {
    const meta = { coverageRanges: [], missingRanges: [{ start: 0, end: 16 * barMs, state: "unavailable" }] }
    const result = { df: { length: 0, columns: {} }, meta: { ...meta, coverageVersion: 1 } }
    const read = operationWith({
      what: "read",
      about: "it",
      answer: { node: Callers.nodes[0], range: [0, 16 * barMs], minVersion: 0, result }
    })
    const skip = (until: number) =>
      operationWith({ id: "word1", what: "skip", word: { verb: "skip", node: Callers.nodes[0]!, range: [0, until] } })
    assert.deepStrictEqual(checkReads([read, skip(barMs)]), [])
    assert.lengthOf(checkReads([read, { ...skip(barMs), invokedAtMs: 101 }]), 1)
  })

  it("checkReads() tells of a version that is older than the one that was seen", () => {
    assert.deepStrictEqual(problemsOf({ version: 4 }), [problem("version 4 for who has seen 5")])
  })

  it("checkReads() tells of bars without an account of them", () => {
    const answer = { node: Callers.nodes[series], range, minVersion: 0, result: { length: 0, columns: {} } }
    assert.deepStrictEqual(checkReads([operationWith({ what: "read", about: "it", answer })]), [
      problem("no account of the answer")
    ])
  })
})
