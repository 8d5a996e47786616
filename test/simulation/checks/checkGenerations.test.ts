/** Is it noticed when time that was taken out comes back by work that was under way? */
import { assert, describe, it } from "vitest"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import { checkGenerations } from "./checkGenerations.ts"
import { jobWritten, leasedTo, operationWith, recordWith, rootWritten } from "./samples.ts"

const word = { verb: "invalidate", node: "sim:a", range: [0, 30] } as const
const said = operationWith({ id: "word1", what: "invalidate", word })
const taken = rootWritten(5, { version: 2, covered: [], diff: { cause: "invalidated by x: word1" } })

/** The problems of a commit by the window's first run, after that. */
const problemsOf = (added: readonly [number, number], after: Partial<BackfillJob> = {}) => {
  const running = { state: "RUNNING", fence: 1, lease: leasedTo("a") } as const
  const back = rootWritten(9, { version: 3, covered: [added], diff: { added: [added], jobs: ["0.1"] } })
  const jobs = [jobWritten(4, running), jobWritten(7, { ...running, ...after })]
  return checkGenerations(recordWith({ jobs, roots: [taken, back] }), [said])
}

describe("checkGenerations()", () => {
  it("checkGenerations() tells of time that was taken out, and that the claim of then brings", () => {
    assert.deepStrictEqual(problemsOf([10, 40]), [
      "version 3 of sim:a has what run 0.1 was bringing of time that was taken out"
    ])
  })

  it("checkGenerations() has nothing against other time of the window, and the work of a later claim", () => {
    assert.deepStrictEqual(problemsOf([30, 40]), [])
    assert.deepStrictEqual(problemsOf([10, 40], { fence: 2 }), [])
  })

  it("checkGenerations() has nothing against what nobody was working on", () => {
    const back = rootWritten(9, { version: 3, covered: [[0, 30]], diff: { added: [[0, 30]], jobs: ["0.1"] } })
    const jobs = [jobWritten(4, { fence: 1 }), jobWritten(7, { state: "RUNNING", fence: 1 })]
    assert.deepStrictEqual(checkGenerations(recordWith({ jobs, roots: [taken, back] }), [said]), [])
  })

  it("checkGenerations() takes a root that is written again for no other word", () => {
    const again = { ...taken, revision: 8, atOrder: 8 }
    const back = rootWritten(9, { version: 3, covered: [[0, 30]], diff: { added: [[0, 30]], jobs: ["0.1"] } })
    const jobs = [jobWritten(7, { state: "RUNNING", fence: 1 })]
    assert.deepStrictEqual(checkGenerations(recordWith({ jobs, roots: [taken, again, back] }), [said]), [])
  })
})
