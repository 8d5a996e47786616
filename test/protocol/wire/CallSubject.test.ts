/** Is what is said of a call said where all look for it? */
import { assert, describe, it } from "@effect/vitest"
import * as CallSubject from "../../../protocol/wire/CallSubject.ts"

describe("CallSubject", () => {
  it("cancel() has the call's own name as one token, and a wildcard only for all", () => {
    assert.deepStrictEqual(["a-1", "a.b>", "*"].map(CallSubject.cancel), [
      "seamless.v1.cancel.a-1",
      "seamless.v1.cancel.a=2Eb=3E",
      "seamless.v1.cancel.=2A"
    ])
    assert.strictEqual(CallSubject.cancels, "seamless.v1.cancel.*")
  })

  it("flow() names an answer of a host", () => {
    assert.strictEqual(CallSubject.flow("h1", "7"), "seamless.v1.flow.h1.7")
    assert.strictEqual(CallSubject.flow("h1", "*"), "seamless.v1.flow.h1.*")
  })
})
