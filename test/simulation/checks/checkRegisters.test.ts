/** Is it noticed when an operation on an actor is lost, doubled, misplaced or not seen? */
import { assert, describe, it } from "vitest"
import type { Operation } from "../History.ts"
import { checkRegisters } from "./checkRegisters.ts"
import { operationWith } from "./samples.ts"

/** The read at the end: what the register remembers. */
const end = (done: ReadonlyArray<string>, rung: ReadonlyArray<string> = []): Operation =>
  operationWith({ id: "last r0", what: "read", invokedAtMs: 9000, completedAtMs: 9001, answer: { done, rung } })

/** An append in one of the run's seconds, which tells the place that it was given. */
const append = (id: string, atMs: number, changes: Partial<Operation> = {}): Operation =>
  operationWith({ id, invokedAtMs: atMs, completedAtMs: atMs + 100, ...changes })

const problemsOf = (...operations: ReadonlyArray<Operation>) => checkRegisters(operations, false)

describe("checkRegisters()", () => {
  it("checkRegisters() has nothing against what took effect once, in an order that callers can have seen", () => {
    const found = problemsOf(
      append("op1", 1000, { answer: { place: 0 } }),
      // two at once: either may be first
      append("op3", 2000, { answer: { place: 2 } }),
      append("op2", 2050, { answer: { place: 1 } }),
      append("op4", 3000, { what: "ringLater", answer: null }),
      append("op5", 4000, { what: "read", answer: { done: ["op1", "op2", "op3", "op4"], rung: [] } }),
      append("op6", 5000, { what: "pass", answer: null }),
      // what nobody was told of may have happened or not
      append("op7", 6000, { outcome: "DeadlineExceeded" }),
      append("op8", 6000, { outcome: "OutcomeUnknown" }),
      append("op9", 6000, { what: "tell" }),
      operationWith({ what: "read", about: "sim:a 0..60 seamless" }),
      end(["op1", "op2", "op3", "op4", "op6", "op7", "from another passed"], ["op4"])
    )
    assert.deepStrictEqual(found, [])
  })

  it.each(["append", "tell", "pass"])("checkRegisters() tells of %s that took effect twice", (what) => {
    assert.deepStrictEqual(problemsOf(append("op1", 1000, { what }), end(["op1", "op1"])), [
      "r0: op1 took effect twice"
    ])
  })

  it("checkRegisters() tells of what an actor passed on once and that arrived twice", () => {
    assert.deepStrictEqual(problemsOf(end(["op1 passed", "op1 passed"])), ["r0: op1 passed took effect twice"])
  })

  it("checkRegisters() tells of a timer that took effect twice", () => {
    const set = append("op1", 1000, { what: "ringLater" })
    assert.deepStrictEqual(problemsOf(set, end(["op1"], ["op1", "op1"])), ["r0: timer op1 took effect twice"])
  })

  it.each(["append", "pass", "ringLater"])("checkRegisters() tells of %s that was answered and is lost", (what) => {
    assert.deepStrictEqual(problemsOf(append("op1", 1000, { what }), end([])), [
      `r0: ${what} op1 was answered, and is not there`,
      "r0: read last r0 does not see op1, which was answered before it"
    ])
  })

  it("checkRegisters() tells of a place that is not the one that was told", () => {
    const [first, second] = [append("op1", 1000, { answer: { place: 0 } }), append("op2", 1050)]
    assert.deepStrictEqual(problemsOf(first, second, end(["op2", "op1"])), ["r0: op1 was told place 0, and is at 1"])
  })

  it("checkRegisters() tells of what was answered before another was begun, and comes after it", () => {
    const found = problemsOf(append("op1", 1000), append("op2", 1101), end(["op2", "op1"]))
    assert.deepStrictEqual(found, ["r0: op1 was answered before op2 was begun, and comes after it"])
  })

  it("checkRegisters() tells of a read that does not see what was answered before it was begun", () => {
    const read = append("op2", 1101, { what: "read", answer: { done: [], rung: [] } })
    assert.deepStrictEqual(problemsOf(append("op1", 1000), read, end(["op1"])), [
      "r0: read op2 does not see op1, which was answered before it"
    ])
  })

  it("checkRegisters() tells of a register that does not answer at the end", () => {
    const silent = { ...end([]), outcome: "DeadlineExceeded", answer: undefined }
    assert.deepStrictEqual(problemsOf(append("op1", 1000), silent), [
      "r0: did not answer at the end (DeadlineExceeded)"
    ])
  })

  it("checkRegisters() judges each register by itself", () => {
    const other = { ...end([]), about: "r1", id: "last r1" }
    assert.deepStrictEqual(problemsOf(append("op1", 1000, { about: "r1" }), end([]), other), [
      "r1: append op1 was answered, and is not there",
      "r1: read last r1 does not see op1, which was answered before it"
    ])
  })
})

describe("checkRegisters() of a run that lost what it had acknowledged", () => {
  const judge = (...operations: ReadonlyArray<Operation>) => checkRegisters(operations, true)

  it("checkRegisters() has nothing against what is lost", () => {
    const found = judge(
      append("op1", 1000, { answer: { place: 0 } }),
      append("op2", 2000, { what: "read", answer: { done: [], rung: [] } }),
      append("op3", 3000, { what: "ringLater" }),
      append("op4", 4000, { answer: { place: 2 } }),
      end(["op3", "op4", "op5 passed", "op5 passed"])
    )
    assert.deepStrictEqual(found, [])
  })

  it("checkRegisters() still tells of what took effect twice or out of order", () => {
    assert.deepStrictEqual(judge(append("op1", 1000), append("op2", 1101), end(["op2", "op1", "op1"])), [
      "r0: op1 took effect twice",
      "r0: op1 was answered before op2 was begun, and comes after it",
      "r0: op1 was answered before op2 was begun, and comes after it"
    ])
  })
})
