/** Is it noticed when a host is taken for dead to whom nothing has happened? */
import { assert, describe, it } from "vitest"
import type { Fault } from "../History.ts"
import { checkBurials } from "./checkBurials.ts"
import { recordWith, slotWritten } from "./samples.ts"

const processes = new Map([
  ["one", "a1"],
  ["two", "b2"]
])

const taken = recordWith({
  processes,
  slots: [slotWritten(1, { owner: "one", slotEpoch: 1 }), slotWritten(2, { owner: "two", slotEpoch: 2 })]
})

const fault = (target: string): Fault => ({ atMs: 500, kind: "crash", target })

describe("checkBurials()", () => {
  it("checkBurials() has nothing against a slot that was given back before another took it", () => {
    const owners = ["", "one", "one", "", "two", ""]
    const slots = owners.map((owner, index) => slotWritten(index + 1, { owner, slotEpoch: index + 1 }))
    assert.deepStrictEqual(checkBurials(recordWith({ processes, slots }), []), [])
  })

  it.each(["a1", "c3 a1 b2"])("checkBurials() has nothing against burying a host when a fault met %s", (target) => {
    assert.deepStrictEqual(checkBurials(taken, [fault(target)]), [])
  })

  it("checkBurials() tells of a slot that was taken from a host that lives", () => {
    const problem = "slot 7 at 2000 ms, revision 2: taken by b2 from a1, which lives"
    assert.deepStrictEqual(checkBurials(taken, []), [problem])
    // an incarnation of the same host before or after is not the host, nor is one whose name begins like its
    assert.deepStrictEqual(checkBurials(taken, ["b2", "a2", "a12", "a"].map(fault)), [problem])
  })

  it("checkBurials() names incarnations as they are where it does not know whose they were", () => {
    assert.deepStrictEqual(checkBurials({ ...taken, processes: new Map() }, []), [
      "slot 7 at 2000 ms, revision 2: taken by two from one, which lives"
    ])
  })

  it("checkBurials() looks at each slot by itself", () => {
    const slots = [slotWritten(1, { owner: "one", slotEpoch: 1 }), slotWritten(2, { owner: "two", slotEpoch: 1 }, "8")]
    assert.deepStrictEqual(checkBurials(recordWith({ processes, slots }), []), [])
  })
})
