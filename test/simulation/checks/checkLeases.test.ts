/** Is it seen when somebody changes a job that is another's? */
import { assert, describe, it } from "vitest"
import type { RunRecord } from "../RunRecord.ts"
import { checkLeases } from "./checkLeases.ts"
import { jobWritten, recordWith } from "./samples.ts"

const processes = new Map([
  ["one", "a1"],
  ["two", "b2"]
])
const heldBy = (holder: string) => ({ holder, leaseMs: 5000 })

const running = (revision: number, by: string, holder: string, fence: number): RunRecord["jobs"][number] => ({
  ...jobWritten(revision, { state: "RUNNING", fence, lease: heldBy(holder) }),
  by
})

const judged = (jobs: RunRecord["jobs"], target = "") =>
  checkLeases(recordWith({ jobs, processes }), target === "" ? [] : [{ atMs: 500, kind: "freeze", target }])

describe("checkLeases()", () => {
  it("checkLeases() lets a holder renew and end its run", () => {
    assert.deepStrictEqual(judged([running(1, "a1", "one", 1), running(2, "a1", "one", 1)]), [])
  })

  it("checkLeases() finds who writes what is in another's hands", () => {
    const [problem] = judged([running(1, "a1", "one", 1), running(2, "b2", "one", 1)])
    assert.include(problem, "b2 writes what is in the hands of a1")
  })

  it("checkLeases() finds a take-over from a holder who lives and renews, and none from one that was hurt", () => {
    const jobs = [running(1, "a1", "one", 1), running(2, "b2", "two", 2)]
    assert.include(judged(jobs)[0], "b2 takes it from a1, which lives")
    assert.deepStrictEqual(judged(jobs, "a1"), [])
  })

  it("checkLeases() excuses who takes a host that has just joined for dead, where reads are stale", () => {
    const jobs = [running(1, "a1", "one", 1), running(2, "b2", "two", 2)]
    const judge = (joined: number, kind: string) =>
      checkLeases(recordWith({ jobs, processes, joinedAtMs: new Map([["one", joined]]) }), [
        { atMs: 500, kind, target: "b2" }
      ])
    assert.deepStrictEqual(judge(0, "stale reads"), [])
    assert.lengthOf(judge(0, "lost acks"), 1)
    assert.lengthOf(judge(-1000, "stale reads"), 1)
  })

  it("checkLeases() lets a lease be taken that nobody has renewed for its length", () => {
    assert.deepStrictEqual(judged([running(1, "a1", "one", 1), running(8, "b2", "two", 2)]), [])
  })

  it("checkLeases() lets the owner of the series end a run upon an operator's word", () => {
    const failure = { tag: "Cancelled", message: "called off by x: op1", source: "operator" }
    const ended = { ...jobWritten(2, { state: "FAILED", fence: 1, failure }), by: "b2" }
    assert.deepStrictEqual(judged([running(1, "a1", "one", 1), ended]), [])
    const other = { ...jobWritten(2, { state: "FAILED", fence: 1 }), by: "b2" }
    assert.lengthOf(judged([running(1, "a1", "one", 1), other]), 1)
  })
})
