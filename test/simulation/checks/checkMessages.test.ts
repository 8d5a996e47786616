/** Is it seen when a timer or a message between actors has no reason, or never comes? */
import { assert, describe, it } from "vitest"
import type { Operation } from "../History.ts"
import type { State } from "../Register.ts"
import { checkMessages } from "./checkMessages.ts"

const asked = (id: string, what: string, about: string, answer?: unknown): Operation => ({
  client: "x",
  id,
  what,
  about,
  invokedAtMs: 0,
  untilMs: 1000,
  completedAtMs: 1000,
  outcome: "ok",
  answer
})

const last = (key: string, done: State["done"], rung: State["rung"] = []) =>
  asked(`last ${key}`, "read", key, { done, rung })

const judged = (operations: ReadonlyArray<Operation>, isFaultless = false) =>
  checkMessages(operations, { isFaultless, lastAtMs: 52_000 })

describe("checkMessages()", () => {
  it("checkMessages() wants a timer to ring that an operation has set, whatever its caller was told", () => {
    const set = { ...asked("op1", "ringLater", "r0"), outcome: "DeadlineExceeded" }
    assert.deepStrictEqual(judged([set, last("r0", ["op1"], ["op1"])]), [])
    assert.deepStrictEqual(judged([set, last("r0", ["op1"])]), ["r0: timer op1 was set, and never took effect"])
  })

  it("checkMessages() lets a timer be that was set too late to ring for certain", () => {
    const late = { completedAtMs: 47_000, untilMs: 47_000 }
    const last0 = last("r0", ["op1"])
    assert.deepStrictEqual(judged([{ ...asked("op1", "ringLater", "r0"), ...late }, last0]), [])
    // set by then in any case, though its caller would have waited for longer
    const answered = { ...asked("op1", "ringLater", "r0"), untilMs: 47_000 }
    assert.lengthOf(judged([answered, last0]), 1)
    assert.deepStrictEqual(judged([{ ...answered, outcome: "DeadlineExceeded" }, last0]), [])
  })

  it("checkMessages() finds a timer that nobody has set", () => {
    assert.deepStrictEqual(judged([last("r0", [], ["op1"])]), ["r0: nobody has set timer op1"])
  })

  it("checkMessages() finds what was passed on by nobody, and where nothing goes wrong what never came", () => {
    const pass = asked("op1", "pass", "r0")
    assert.deepStrictEqual(judged([pass, last("r0", ["op1"]), last("r1", ["op1 passed"])], true), [])
    assert.lengthOf(judged([pass, last("r0", []), last("r1", ["op1 passed"])]), 1)
    assert.lengthOf(judged([pass, last("r0", ["op1"]), last("r1", [])], true), 1)
    assert.deepStrictEqual(judged([pass, last("r0", ["op1"]), last("r1", [])]), [])
  })

  it("checkMessages() finds a read that is not the beginning of what is there in the end", () => {
    const read = (done: State["done"]) => asked("op9", "read", "r0", { done, rung: [] })
    assert.deepStrictEqual(judged([read(["op1"]), last("r0", ["op1", "op2"])]), [])
    assert.lengthOf(judged([read(["op2"]), last("r0", ["op1", "op2"])]), 1)
  })
})
