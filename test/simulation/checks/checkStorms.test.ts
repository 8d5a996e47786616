/** Is a storm told from a busy second? */
import { assert, describe, it } from "vitest"
import { checkStorms } from "./checkStorms.ts"

describe("checkStorms()", () => {
  it("checkStorms() finds the process that has said more than anyone could have to say", () => {
    const busy = { name: "a1", sentPerSecond: 150 }
    assert.deepStrictEqual(checkStorms([busy]), [])
    assert.deepStrictEqual(checkStorms([busy, { name: "b2", sentPerSecond: 900 }]), [
      "b2 has sent 900 things within one second"
    ])
  })
})
