/** Does the judge of actors' lives see each wrong one, and no wrong in a right one? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { type ActorCommit, violations } from "./ActorHistory.ts"
import { law } from "./law.ts"

/** A commit of key `a`, in a few words: its revision, its epoch, its owner, and the epoch of the slot. */
const commit = (revision: number, epoch: number, owner: string, slotEpoch = 1): ActorCommit => ({
  key: "a",
  revision,
  epoch,
  owner,
  slotEpoch
})

/** Two keys whose activations go from host to host and back, each with some commits, and with gaps. */
const rightHistory: ReadonlyArray<ActorCommit> = [
  commit(1, 1, "x"),
  commit(2, 1, "x"),
  { ...commit(3, 7, "y", 5), key: "b" },
  commit(4, 2, "x"),
  { ...commit(6, 7, "y", 5), key: "b", value: { sum: 1 } },
  commit(9, 5, "y", 2),
  commit(10, 5, "y", 2),
  { ...commit(11, 8, "x", 5), key: "b" },
  commit(12, 6, "x", 4)
]

const histories = fc
  .array(fc.record({ key: fc.constantFrom("a", "b"), skip: fc.nat(3), moves: fc.boolean(), wakes: fc.boolean() }), {
    minLength: 1,
    maxLength: 30
  })
  .map((steps) => {
    const states = new Map<string, { epoch: number; slotEpoch: number }>()
    let revision = 0
    return steps.map(({ key, moves, skip, wakes }): ActorCommit => {
      const { epoch, slotEpoch } = states.get(key) ?? { epoch: 1, slotEpoch: 1 }
      const next = { epoch: epoch + (moves || wakes ? 1 : 0), slotEpoch: slotEpoch + (moves ? 1 : 0) }
      states.set(key, next)
      revision += 1 + skip
      return { key, revision, ...next, owner: `host of ${next.slotEpoch}` }
    })
  })

describe("violations", () => {
  it("violations() finds none in what never was", () => assert.deepStrictEqual(violations([]), []))

  it("violations() finds none where each key has one life after another", () => {
    assert.deepStrictEqual(violations(rightHistory), [])
  })

  law(
    "violations() finds none in a right history, whatever of it was missed",
    [histories, fc.func(fc.boolean())],
    (history, isSeen) => {
      assert.deepStrictEqual(violations(history), [])
      assert.deepStrictEqual(violations(history.filter((each) => isSeen(each.revision))), [])
    }
  )

  law("violations() finds an old life's commit after a new one's", [histories, fc.nat()], (history, at) => {
    const stale = history[at % history.length]!
    const last = history.findLast(({ key }) => key === stale.key)!
    const late = { ...stale, revision: history.at(-1)!.revision + 1 }
    assert.strictEqual(violations([...history, late]).length > 0, stale.epoch < last.epoch)
  })

  it("violations() finds an epoch that falls", () => {
    assert.deepStrictEqual(violations([commit(1, 2, "y"), commit(2, 1, "x")]), [
      "a at revision 2: epoch 1 of x after epoch 2 of y since revision 1"
    ])
  })

  it("violations() finds an epoch below one of long ago, though it rises from the last", () => {
    assert.deepStrictEqual(violations([commit(1, 5, "y"), commit(2, 2, "x"), commit(3, 3, "x")]), [
      "a at revision 2: epoch 2 of x after epoch 5 of y since revision 1",
      "a at revision 3: epoch 3 of x after epoch 5 of y since revision 1"
    ])
  })

  it("violations() finds an epoch with two owners, in a row or not", () => {
    const second = "a at revision 2: epoch 1 is y's, and x's since revision 1"
    assert.deepStrictEqual(violations([commit(1, 1, "x"), commit(2, 1, "y")]), [second])
    assert.deepStrictEqual(violations([commit(1, 1, "x"), commit(2, 1, "y"), commit(3, 1, "x")]), [second])
    assert.deepStrictEqual(violations([commit(1, 1, "x"), commit(2, 2, "y"), commit(3, 1, "y")]), [
      "a at revision 3: epoch 1 of y after epoch 2 of y since revision 2",
      "a at revision 3: epoch 1 is y's, and x's since revision 1"
    ])
  })

  it("violations() finds a slot epoch that falls, though the epoch rises", () => {
    assert.deepStrictEqual(violations([commit(1, 1, "x", 2), commit(2, 2, "y", 3), commit(3, 3, "x", 2)]), [
      "a at revision 3: slotEpoch 2 of x after slotEpoch 3 of y since revision 2"
    ])
  })

  it("violations() finds a record that is not in the order of its revisions", () => {
    assert.deepStrictEqual(violations([commit(2, 1, "x"), commit(1, 1, "x"), commit(1, 1, "x")]), [
      "a at revision 1: recorded after revision 2",
      "a at revision 1: recorded after revision 1"
    ])
  })

  it("violations() judges each key by itself", () => {
    const other = { ...commit(2, 1, "y"), key: "b" }
    assert.deepStrictEqual(violations([commit(1, 5, "x", 5), other]), [])
    assert.lengthOf(violations([commit(1, 5, "x", 5), other, { ...other, revision: 3, owner: "x" }]), 1)
  })

  it("violations() goes on after the first, and says all that is wrong with one commit", () => {
    const broken = violations([commit(2, 2, "x", 2), commit(1, 1, "y", 1), commit(3, 2, "y", 2)])
    assert.deepStrictEqual(broken, [
      "a at revision 1: recorded after revision 2",
      "a at revision 1: epoch 1 of y after epoch 2 of x since revision 2",
      "a at revision 1: slotEpoch 1 of y after slotEpoch 2 of x since revision 2",
      "a at revision 3: epoch 2 is y's, and x's since revision 2"
    ])
  })
})
