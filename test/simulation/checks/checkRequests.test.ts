/** Is it noticed when something never ends, ends late, or ends as nothing may? */
import { assert, describe, it } from "vitest"
import { checkRequests, checkSteps } from "./checkRequests.ts"
import { operationWith } from "./samples.ts"

describe("checkRequests()", () => {
  it.each(["ok", "DeadlineExceeded", "MeshUnavailable", "OutcomeUnknown"])(
    "checkRequests() has nothing against what ends with %s in time, but for rounding",
    (outcome) => {
      assert.deepStrictEqual(checkRequests([operationWith({ outcome, untilMs: 1000, completedAtMs: 1002 })]), [])
    }
  )

  it.each([
    ["never ends", { outcome: "open", completedAtMs: Infinity }, "append op1 of r0: never ended"],
    ["breaks", { outcome: "defect Error: x" }, "append op1 of r0: ended with defect Error: x"],
    ["has an error of no name", { outcome: "SomeError" }, "append op1 of r0: ended with SomeError"],
    ["is late", { untilMs: 1000, completedAtMs: 1003 }, "append op1 of r0: ended 3 ms after its deadline"]
  ])("checkRequests() tells of an operation that %s", (_, changes, problem) => {
    assert.deepStrictEqual(checkRequests([operationWith({}), operationWith(changes)]), [problem])
  })
})

describe("checkSteps()", () => {
  const step = (atMs: number) => ({ atMs, key: "r0", operation: "op1", untilMs: 1000 })

  it("checkSteps() has nothing against steps that begin in time, but for what the network holds back", () => {
    assert.deepStrictEqual(checkSteps([step(0), step(1002)], 0), [])
    assert.deepStrictEqual(checkSteps([step(1502)], 500), [])
  })

  it("checkSteps() tells of a step that began after its deadline", () => {
    assert.deepStrictEqual(checkSteps([step(1003)], 0), ["op1 at r0: began 3 ms after its deadline"])
    assert.deepStrictEqual(checkSteps([step(1503)], 500), ["op1 at r0: began 503 ms after its deadline"])
  })
})
