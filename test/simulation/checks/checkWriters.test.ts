/** Is it noticed when two write as one, or when a slot changes hands without a new epoch? */
import { assert, describe, it } from "vitest"
import type { RunRecord } from "../RunRecord.ts"
import { checkWriters } from "./checkWriters.ts"
import { recordWith, slotWritten, stateWritten } from "./samples.ts"

const problemsOf = (parts: Partial<RunRecord>) => checkWriters(recordWith(parts))

describe("checkWriters()", () => {
  it("checkWriters() has nothing against owners that follow each other with higher epochs", () => {
    const found = problemsOf({
      coverage: [stateWritten(1, { owner: "a", epoch: 1, slotEpoch: 1 }, "c")],
      registers: [
        stateWritten(2, { owner: "a", epoch: 1, slotEpoch: 1 }),
        stateWritten(3, { owner: "a", epoch: 1, slotEpoch: 1 }),
        stateWritten(5, { owner: "b", epoch: 2, slotEpoch: 3 }),
        stateWritten(6, { owner: "b", epoch: 2, slotEpoch: 1 }, "other")
      ],
      slots: [
        slotWritten(1, { owner: "a", slotEpoch: 1 }),
        slotWritten(2, { owner: "a", slotEpoch: 1 }),
        slotWritten(3, { owner: "", slotEpoch: 1 }),
        slotWritten(4, { owner: "b", slotEpoch: 2 }),
        slotWritten(5, { owner: "c", slotEpoch: 3 }),
        slotWritten(6, { owner: "a", slotEpoch: 1 }, "8")
      ]
    })
    assert.deepStrictEqual(found, [])
  })

  it.each([
    ["epoch", { owner: "a", epoch: 1, slotEpoch: 2 }, /two writers: .*k at revision 3: epoch 1 of a after epoch 2/],
    ["slotEpoch", { owner: "b", epoch: 2, slotEpoch: 1 }, /two writers: .* slotEpoch 1 of b after slotEpoch 2/],
    ["owner", { owner: "c", epoch: 2, slotEpoch: 2 }, /two writers: .* epoch 2 is c's, and b's since revision 2/]
  ])("checkWriters() tells of a state record with the %s of another writer", (_, record, expected) => {
    const states = [
      stateWritten(1, { owner: "a", epoch: 1, slotEpoch: 1 }),
      stateWritten(2, { owner: "b", epoch: 2, slotEpoch: 2 }),
      stateWritten(3, record)
    ]
    for (const kind of ["registers", "coverage"] as const) {
      const found = problemsOf({ [kind]: states })
      assert.lengthOf(found, 1)
      assert.match(found[0]!, expected)
    }
  })

  it("checkWriters() tells of a slot whose epoch falls, also while nobody has it", () => {
    const slots = [slotWritten(1, { owner: "a", slotEpoch: 2 }), slotWritten(2, { owner: "", slotEpoch: 0 })]
    assert.deepStrictEqual(problemsOf({ slots }), ["slot 7 at revision 2: epoch 0 after 2"])
  })

  it("checkWriters() tells of a slot that has another owner in the same epoch", () => {
    const slots = [slotWritten(1, { owner: "a", slotEpoch: 2 }), slotWritten(2, { owner: "b", slotEpoch: 2 })]
    assert.deepStrictEqual(problemsOf({ slots }), ["slot 7 at revision 2: another owner in epoch 2"])
  })

  it("checkWriters() tells of a slot that was given back and is taken again in the same epoch", () => {
    const slots = [slotWritten(1, { owner: "", slotEpoch: 2 }), slotWritten(2, { owner: "a", slotEpoch: 2 })]
    assert.deepStrictEqual(problemsOf({ slots }), ["slot 7 at revision 2: another owner in epoch 2"])
  })
})
