/** Is it seen when a commit is made by a host that has no right to it, or a root that no audit has? */
import { assert, describe, it } from "vitest"
import { checkOwners } from "./checkOwners.ts"
import { recordWith, rootWritten, slotWritten, stateWritten } from "./samples.ts"

describe("checkOwners()", () => {
  const slots = [slotWritten(1, { owner: "one", slotEpoch: 4 })]
  const commit = (owner: string, slotEpoch: number) => {
    const written = stateWritten(2, { owner, slotEpoch, epoch: 1 })
    return { ...written, record: { ...written.record, slot: "7" } }
  }

  it("checkOwners() lets the owner of the slot commit in its epoch, and nobody else", () => {
    assert.deepStrictEqual(checkOwners(recordWith({ slots, registers: [commit("one", 4)] })), [])
    assert.lengthOf(checkOwners(recordWith({ slots, registers: [commit("two", 4)] })), 1)
    assert.lengthOf(checkOwners(recordWith({ slots, registers: [commit("one", 5)] })), 1)
  })

  it("checkOwners() finds a root that was replaced before it was in the audit stream", () => {
    const roots = [1, 2].map((version) => rootWritten(version * 10, { version, covered: [] }))
    const audited = (revision: number) => [
      { subject: "seamless.v1.audit.series", revision, atMs: 0, atOrder: revision, version: 1 }
    ]
    assert.deepStrictEqual(checkOwners(recordWith({ roots, audited: audited(15) })), [])
    assert.lengthOf(checkOwners(recordWith({ roots, audited: audited(25) })), 1)
    assert.lengthOf(checkOwners(recordWith({ roots })), 1)
  })
})
