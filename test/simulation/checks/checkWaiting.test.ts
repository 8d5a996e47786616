/** Is it noticed when a job is left lying, or what it owed is forgotten? */
import { assert, describe, it } from "vitest"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { checkOwed, checkWaiting } from "./checkWaiting.ts"
import { jobWritten, recordWith, rootWritten } from "./samples.ts"

describe("checkWaiting()", () => {
  it.each(["PENDING", "RUNNING", "EXPIRED"] as const)("checkWaiting() tells of a job that is %s for long", (state) => {
    const run = recordWith({ jobs: [jobWritten(1, { state, jobClass: "bulk" })] })
    assert.deepStrictEqual(checkWaiting(run, 10_999), [])
    assert.deepStrictEqual(checkWaiting(run, 11_000), [
      `job $KV.seamless-jobs.window is ${state} since 10000 ms, and of class bulk`
    ])
  })

  it("checkWaiting() has nothing against a job that has ended, or that was renewed", () => {
    const ended = [jobWritten(1), jobWritten(2, { state: "FAILED" })]
    assert.deepStrictEqual(checkWaiting(recordWith({ jobs: ended }), 60_000), [])
    const renewed = [jobWritten(1, { state: "RUNNING" }), jobWritten(55, { state: "RUNNING", renewals: 1 })]
    assert.deepStrictEqual(checkWaiting(recordWith({ jobs: renewed }), 60_000), [])
  })
})

describe("checkOwed()", () => {
  const owing = { ranges: RangeSet.of(0, 60), completedRanges: RangeSet.of(0, 20), nextAttemptAt: 7 }
  const failed = jobWritten(1, { state: "FAILED", ...owing })
  const opened = (start: number, end: number) => jobWritten(5, { run: 2, ranges: RangeSet.of(start, end) })
  const problem = "job $KV.seamless-jobs.window at revision 5: run 2 forgets what run 1 was to bring"

  it("checkOwed() tells of a run that brings less than the failed one before it has left", () => {
    assert.deepStrictEqual(checkOwed(recordWith({ jobs: [failed, opened(0, 60)] })), [])
    assert.deepStrictEqual(checkOwed(recordWith({ jobs: [failed, opened(20, 60)] })), [])
    assert.deepStrictEqual(checkOwed(recordWith({ jobs: [failed, opened(30, 60)] })), [problem])
  })

  it("checkOwed() has nothing against leaving out what is covered by then, or was called off", () => {
    const roots = [rootWritten(3, { version: 1, covered: [[20, 30]] })]
    assert.deepStrictEqual(checkOwed(recordWith({ jobs: [failed, opened(30, 60)], roots })), [])
    const calledOff = jobWritten(1, { state: "FAILED", ...owing, nextAttemptAt: null })
    assert.deepStrictEqual(checkOwed(recordWith({ jobs: [calledOff, opened(30, 60)] })), [])
  })
})
