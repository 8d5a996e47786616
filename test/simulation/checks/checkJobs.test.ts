/** Is it noticed when a run of a job ends twice, or goes on under two hands? */
import { assert, describe, it } from "vitest"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import { checkJobs } from "./checkJobs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobWritten, leasedTo, recordWith, rootWritten } from "./samples.ts"

const name = (revision: number): string => `job ${keySubject(Stream.jobs, "window")} at revision ${revision}`

const problemsOf = (...jobs: ReadonlyArray<ReturnType<typeof jobWritten>>) => checkJobs(recordWith({ jobs }))

describe("checkJobs()", () => {
  it("checkJobs() has nothing against a job that is worked on, taken over, ended and opened again", () => {
    const found = problemsOf(
      jobWritten(1),
      jobWritten(2, { state: "RUNNING", fence: 1, lease: leasedTo("a") }),
      jobWritten(3, { state: "RUNNING", fence: 1, lease: leasedTo("a"), renewals: 1 }),
      jobWritten(4, { state: "RUNNING", fence: 2, lease: leasedTo("b") }),
      jobWritten(5, { state: "FAILED", fence: 2, lease: null }),
      jobWritten(6, { run: 2, fence: 2 }),
      jobWritten(7, { run: 2, state: "RUNNING", fence: 3, lease: leasedTo("a") }),
      jobWritten(8, { run: 2, state: "SUCCEEDED", fence: 3 })
    )
    assert.deepStrictEqual(found, [])
  })

  it("checkJobs() has nothing against a run that failed, was to be tried again, and was found done", () => {
    const failed = jobWritten(1, { state: "FAILED", nextAttemptAt: 5000 })
    assert.deepStrictEqual(problemsOf(failed, jobWritten(2, { state: "SUCCEEDED" })), [])
    assert.lengthOf(problemsOf(failed, jobWritten(2, { state: "QUARANTINED" })), 1)
  })

  it("checkJobs() has nothing against an operator who has a run tried again, skipped, called off or set aside", () => {
    const operator = { tag: "Cancelled", message: "called off by x: op1", source: "operator" }
    const aside = jobWritten(1, { state: "QUARANTINED" })
    const failed = jobWritten(1, { state: "FAILED", nextAttemptAt: 5000 })
    assert.deepStrictEqual(problemsOf(aside, jobWritten(2, { state: "FAILED", nextAttemptAt: 0 })), [])
    assert.deepStrictEqual(problemsOf(aside, jobWritten(2, { state: "SUCCEEDED" })), [])
    assert.deepStrictEqual(problemsOf(failed, jobWritten(2, { state: "FAILED", failure: operator })), [])
    assert.deepStrictEqual(problemsOf(failed, jobWritten(2, { state: "QUARANTINED", failure: operator })), [])
    assert.lengthOf(problemsOf(failed, jobWritten(2, { state: "FAILED", nextAttemptAt: 9000 })), 1)
  })

  it("checkJobs() tells of a run after a later one", () => {
    assert.deepStrictEqual(problemsOf(jobWritten(1, { run: 3 }), jobWritten(2, { run: 2 })), [
      `${name(2)}: run 2 after 3`
    ])
  })

  it("checkJobs() tells of a fence after a higher one", () => {
    assert.deepStrictEqual(problemsOf(jobWritten(1, { fence: 3 }), jobWritten(2, { fence: 2 })), [
      `${name(2)}: fence 2 after 3`
    ])
  })

  it.each(["SUCCEEDED", "FAILED", "QUARANTINED"] as const)(
    "checkJobs() tells of a run that had ended %s and goes on",
    (state) => {
      // what waits for a person may be skipped by one
      for (const next of state === "QUARANTINED" ? (["RUNNING"] as const) : (["RUNNING", "SUCCEEDED"] as const)) {
        assert.deepStrictEqual(problemsOf(jobWritten(1, { state }), jobWritten(2, { state: next })), [
          `${name(2)}: run 1 had ended ${state} and was made ${next}`
        ])
      }
    }
  )

  it.each(["PENDING", "RUNNING"] as const)("checkJobs() tells of a run that is opened while another is %s", (state) => {
    assert.deepStrictEqual(problemsOf(jobWritten(1, { state }), jobWritten(2, { run: 2 })), [
      `${name(2)}: run 2 was opened while run 1 was ${state}`
    ])
  })

  it("checkJobs() tells of work that was taken over without a higher fence", () => {
    const work = { state: "RUNNING", fence: 1 } as const
    const found = problemsOf(
      jobWritten(1, { ...work, lease: leasedTo("a") }),
      jobWritten(2, { ...work, lease: leasedTo("b") })
    )
    assert.deepStrictEqual(found, [`${name(2)}: taken over by b without a higher fence`])
  })

  describe("what a run has brought", () => {
    const brought = jobWritten(5, { state: "SUCCEEDED", completedRanges: RangeSet.of(0, 60) })
    const judge = (...roots: ReadonlyArray<ReturnType<typeof rootWritten>>) =>
      checkJobs(recordWith({ jobs: [brought], roots }))

    it("checkJobs() has nothing against what is covered by then", () => {
      const narrow = rootWritten(3, { version: 1, covered: [[0, 30]] })
      assert.deepStrictEqual(judge(narrow, rootWritten(4, { version: 2, covered: [[0, 90]] })), [])
    })

    it("checkJobs() has nothing against what was covered by a root that storage has lost by then", () => {
      const whole = rootWritten(4, { version: 1, covered: [[0, 90]] })
      const judgeLost = (...lostRoots: ReadonlyArray<ReturnType<typeof rootWritten>>) =>
        checkJobs(recordWith({ jobs: [brought], lostRoots }))
      assert.deepStrictEqual(judgeLost(whole), [])
      assert.lengthOf(judgeLost({ ...whole, node: "sim:b" }, { ...whole, atMs: brought.atMs + 1 }), 1)
    })

    it("checkJobs() has nothing against what an operator has taken out since the run was opened", () => {
      const whole = rootWritten(3, { version: 1, covered: [[0, 90]] })
      const taken = rootWritten(4, { version: 2, covered: [[60, 90]], diff: { removed: [[0, 60]] } })
      const judgeOpened = (revision: number) =>
        checkJobs(recordWith({ jobs: [jobWritten(revision), { ...brought, atOrder: 9 }], roots: [whole, taken] }))
      assert.deepStrictEqual(judgeOpened(2), [])
      assert.lengthOf(judgeOpened(5), 1)
    })

    it("checkJobs() tells of what is not covered, or only later, or of another series", () => {
      const problems = [`${name(5)}: has brought what is not covered`]
      const whole = { version: 1, covered: [[0, 90]] } as const
      assert.deepStrictEqual(judge(), problems)
      assert.deepStrictEqual(judge(rootWritten(4, { version: 1, covered: [[0, 59]] })), problems)
      assert.deepStrictEqual(judge(rootWritten(6, whole)), problems)
      assert.deepStrictEqual(judge({ ...rootWritten(4, whole), node: "sim:b" }), problems)
    })
  })
})
