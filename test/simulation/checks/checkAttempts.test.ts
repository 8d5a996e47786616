/** Is it noticed when failures are not counted, or go on beyond the policy? */
import { assert, describe, it } from "vitest"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { checkAttempts } from "./checkAttempts.ts"
import { jobWritten, recordWith } from "./samples.ts"

const refused = { tag: "SourceUnavailable", message: "the exchange refuses", source: "exchange" }
const late = { tag: "BudgetUnavailable", message: "the account has no place", source: "exchange" }
const operator = { tag: "Cancelled", message: "called off by x: op1", source: "operator" }

/** With a page asked between each two records, of time that begins there. */
const problemsWith = (startMs: number, changes: ReadonlyArray<Partial<BackfillJob>>) => {
  const ranges = RangeSet.of(0, 60)
  const jobs = changes.map((change, index) => jobWritten(index + 1, { ranges, ...change }))
  const pagesAsked = jobs.map(({ atMs, job }) => ({
    atMs: atMs + 1,
    host: "a",
    node: job.series.nodeId,
    startMs,
    endMs: startMs + 60
  }))
  return checkAttempts(recordWith({ jobs, pagesAsked }), 3)
}

const problemsOf = (...changes: ReadonlyArray<Partial<BackfillJob>>) => problemsWith(0, changes)

const running = (attempts: number): Partial<BackfillJob> => ({ state: "RUNNING", attempts })
const failed = (attempts: number): Partial<BackfillJob> => ({ state: "FAILED", attempts, failure: refused })

/** One failure that is counted, and the run that follows it. */
const once = [running(0), failed(1), { ...running(1), run: 2 }]

describe("checkAttempts()", () => {
  it("checkAttempts() has nothing against failures that are counted, kept by the next run, and set aside in the end", () => {
    const aside = { state: "QUARANTINED", attempts: 3, failure: refused } as const
    assert.deepStrictEqual(
      problemsOf(running(0), failed(1), { run: 2, attempts: 1 }, running(1), failed(2), running(2), aside),
      []
    )
    // what was not asked may count or not
    assert.deepStrictEqual(problemsOf(...once, { ...failed(1), run: 2, failure: late }), [])
    assert.deepStrictEqual(problemsOf(...once, { ...failed(2), run: 2, failure: late }), [])
  })

  it("checkAttempts() has nothing against success and operators, who make all forgotten", () => {
    assert.deepStrictEqual(problemsOf(...once, { state: "SUCCEEDED", run: 2 }, { run: 3 }), [])
    assert.deepStrictEqual(problemsOf(...once, { state: "FAILED", run: 2, failure: operator }, { run: 3 }), [])
    const aside = { state: "QUARANTINED", run: 2, attempts: 1, failure: operator } as const
    assert.deepStrictEqual(problemsOf(...once, aside, { ...aside, state: "FAILED", attempts: 0, nextAttemptAt: 0 }), [])
  })

  it("checkAttempts() tells of a failure that is not counted, or twice", () => {
    for (const counted of [0, 2]) {
      assert.deepStrictEqual(problemsOf(running(0), failed(counted)), [
        `job $KV.seamless-jobs.window at revision 2: ${counted} failures in a row, not 1`
      ])
    }
  })

  it("checkAttempts() has nothing against a failure of other windows that is counted, or not", () => {
    for (const counted of [0, 1]) assert.deepStrictEqual(problemsWith(60, [running(0), failed(counted)]), [])
  })

  it("checkAttempts() tells of failures that are forgotten by the next run", () => {
    assert.lengthOf(problemsOf(running(0), failed(1), { run: 2 }), 1)
  })

  it("checkAttempts() tells of a window that is tried again after too many failures", () => {
    const problems = problemsOf(running(0), failed(1), running(1), failed(2), running(2), failed(3))
    assert.deepStrictEqual(problems, ["job $KV.seamless-jobs.window at revision 6: FAILED after 3 failures"])
  })
})
