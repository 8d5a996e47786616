/** Does replaying see what must not be? Each kind of harm is planted once. */
import { assert, describe, it } from "@effect/vitest"
import type { Recorded, RecordedCommit } from "../../support/members/recordedCommits.ts"
import type { Operation } from "./History.ts"
import { brokenPromises, failovers, foreignCommits, replayCounters, slotViolations, unexplained } from "./replay.ts"

const amounts = new Map([
  ["first", 2],
  ["second", 3]
])

/** A commit of a counter, with the operations that it lists, each answered the count that it made. */
const commit = (revision: number, count: number, ids: ReadonlyArray<string>, owner = "a"): RecordedCommit => {
  const operations = ids.map((id) => ({ id, at: 0, answer: { body: { count: id === "first" ? 2 : 5, epoch: 1 } } }))
  const state = { count, rings: 0 }
  const epochs = { slot: "7", slotEpoch: 1, epoch: 1, owner }
  const record = { format: 1, ...epochs, nonce: "", operations, state } as const
  return { key: "k", revision, epoch: 1, slotEpoch: 1, owner, value: state, record }
}

const right = [commit(1, 2, ["first"]), commit(2, 5, ["first", "second"])]

const add = (id: string, changes: Partial<Operation>): Operation => ({
  type: "operation",
  id,
  client: "one",
  what: "add",
  key: "k",
  input: { by: 2 },
  invokedMs: 0,
  completedMs: 1,
  outcome: "ok",
  output: { count: id === "first" ? 2 : 5, epoch: 1 },
  ...changes
})

const slot = (revision: number, owner: string, slotEpoch: number): Recorded => ({
  key: "7",
  revision,
  value: { owner, slotEpoch },
  atMs: revision
})

const oneFinding = (found: ReadonlyArray<string>, expected: RegExp): void => {
  assert.lengthOf(found, 1)
  assert.match(found[0]!, expected)
}

describe("replayCounters()", () => {
  it("replayCounters() finds nothing wrong where each operation raises the count by its amount", () => {
    const { counters, effects, violations } = replayCounters(right, amounts)
    assert.deepStrictEqual(violations, [])
    assert.deepStrictEqual(
      [...effects],
      [
        ["first", 2],
        ["second", 5]
      ]
    )
    assert.strictEqual(counters.get("k")?.count, 5)
  })

  it("replayCounters() finds a count that its operations do not make", () =>
    oneFinding(replayCounters([commit(1, 2, ["first"]), commit(2, 6, ["first", "second"])], amounts).violations, /6/))

  it("replayCounters() finds an operation that took effect again after it was forgotten", () => {
    const commits = [...right, commit(3, 5, []), commit(4, 7, ["first"])]
    oneFinding(replayCounters(commits, amounts).violations, /first took effect again/)
  })
})

describe("brokenPromises()", () => {
  const replayed = replayCounters(right, amounts)

  it("brokenPromises() finds nothing where answers are on record, and what is unknown is or is not", () => {
    const unknown = add("second", { outcome: "unknown" })
    const never = add("third", { outcome: "unknown" })
    assert.deepStrictEqual(brokenPromises([add("first", {}), unknown, never], replayed), [])
  })

  it("brokenPromises() finds what was acknowledged and is nowhere", () =>
    oneFinding(brokenPromises([add("third", {})], replayed), /third: add to k was acknowledged/))

  it("brokenPromises() finds what was refused and took effect", () =>
    oneFinding(brokenPromises([add("first", { outcome: "error", output: "MailboxFull" })], replayed), /refused/))

  it("brokenPromises() finds an answer that is not the one on record", () =>
    oneFinding(brokenPromises([add("first", { output: { count: 3, epoch: 1 } })], replayed), /answered 3/))
})

describe("unexplained()", () => {
  it("unexplained() finds a failure that no fault brings about, and no other", () => {
    const late = add("third", { outcome: "unknown", output: "DeadlineExceeded" })
    oneFinding(unexplained([add("first", {}), late, { ...late, output: "MalformedMessage" }]), /MalformedMessage/)
  })
})

describe("slots", () => {
  const slots = [slot(1, "a", 1), slot(2, "", 1), slot(3, "b", 2)]

  it("slotViolations() finds nothing where one owner follows another, and a second owner of one epoch", () => {
    assert.deepStrictEqual(slotViolations(slots), [])
    oneFinding(slotViolations([slot(1, "a", 1), slot(2, "b", 1)]), /epoch 1/)
  })

  it("foreignCommits() finds the commit of one who did not have the slot", () => {
    assert.deepStrictEqual(foreignCommits(right, slots), [])
    oneFinding(foreignCommits([commit(1, 2, ["first"], "b")], slots), /committed by b, and the slot was a's/)
  })

  it("failovers() tells each time a slot gets an owner of a new epoch", () =>
    assert.deepStrictEqual(
      failovers(slots).map(({ atMs }) => atMs),
      [1, 3]
    ))
})
