/** Is a message that is sent again never done twice, and never refused without need? */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { emptyRecord, type Finding, type Ledger, make } from "../../runtime/Ledger.ts"
import { law } from "../support/law.ts"

const limits = fc.record({
  operationsMax: fc.integer({ min: 0, max: 5 }),
  keepMs: fc.constantFrom(0, 1500, 5000),
  answerBytesMax: fc.constant(Infinity)
})

/** Times by which clocks of two hosts may differ unnoticed. */
const skewMs = 1000

interface Event {
  /** The message: few of them, so that many come again. */
  readonly id: number
  readonly elapsedMs: number
  /** Whether the ledger is saved and read back first. */
  readonly reopens: boolean
  /** Whether the message gets lost on its way. */
  readonly lost: boolean
}

const events = fc.array(
  fc.record({
    id: fc.nat(8),
    elapsedMs: fc.constantFrom(0, 1, 400, 1000, 3000),
    reopens: fc.boolean(),
    lost: fc.boolean()
  }),
  { maxLength: 40 }
)

/** Feeds messages to a ledger as an actor does, and gives what it found beside what really happened. */
const replay = (events: ReadonlyArray<Event>, { keepMs, operationsMax }: { keepMs: number; operationsMax: number }) => {
  const limits = { keepMs, operationsMax, answerBytesMax: Infinity }
  let ledger: Ledger = make(emptyRecord, limits)
  let nowMs = 1_000_000
  const firstSentMs = new Map<number, number>()
  const doneAtMs = new Map<number, number>()
  return events.flatMap(({ elapsedMs, id, lost, reopens }) => {
    nowMs += elapsedMs
    if (reopens) ledger = make(ledger.record(), limits)
    const sentMs = firstSentMs.get(id) ?? nowMs
    const isAgain = firstSentMs.has(id)
    firstSentMs.set(id, sentMs)
    if (lost) return []
    const ageMs = isAgain ? Math.max(1, nowMs - sentMs) : 0
    const finding: Finding = ledger.find(`m${id}`, { nowMs, ageMs })
    const seen = { finding, wasDone: doneAtMs.has(id), doneAtMs: doneAtMs.get(id), nowMs, sentMs, isAgain, id }
    const forgotten = Math.max(-Infinity, ledger.record().forgottenAt ?? -Infinity)
    if (finding.found === "nothing") {
      doneAtMs.set(id, nowMs)
      ledger.add({ id: `m${id}`, at: nowMs, answer: { body: `${id} at ${nowMs}` } })
    }
    return { ...seen, forgotten, size: ledger.record().operations.length }
  })
}

describe("find()", () => {
  law("find() says nothing only of a message that was not done", [events, limits], (events, limits) => {
    for (const { finding, wasDone } of replay(events, limits)) {
      if (finding.found === "nothing") assert.isFalse(wasDone)
    }
  })

  law("find() answers what was answered when it was done", [events, limits], (events, limits) => {
    for (const { doneAtMs, finding, id } of replay(events, limits)) {
      if (finding.found === "answer") assert.deepStrictEqual(finding.answer, { body: `${id} at ${doneAtMs}` })
    }
  })

  law(
    "find() is unknowable only behind what was forgotten, give or take the clocks",
    [events, limits],
    (all, limits) => {
      for (const { finding, forgotten, isAgain, sentMs } of replay(all, limits)) {
        if (finding.found !== "unknowable") continue
        assert.isTrue(isAgain)
        // what is sent again is a millisecond old at the least
        assert.isAtMost(sentMs - skewMs - 1, forgotten)
      }
    }
  )

  law(
    "add() keeps no more than operationsMax, and forgets none that is both new and among the last",
    [events, limits],
    (all, limits) => {
      for (const { doneAtMs, finding, nowMs, size } of replay(all, limits)) {
        assert.isAtMost(size, limits.operationsMax)
        const isLast = all.length <= limits.operationsMax
        if (doneAtMs !== undefined && isLast && nowMs - doneAtMs <= limits.keepMs) {
          assert.strictEqual(finding.found, "answer")
        }
      }
    }
  )

  it("find() of a message that is sent for the first time is never unknowable", () => {
    const ledger = make(
      { operations: [], forgottenAt: 5_000_000 },
      { operationsMax: 1, keepMs: 1, answerBytesMax: Infinity }
    )
    assert.deepStrictEqual(ledger.find("new", { nowMs: 1, ageMs: 0 }), { found: "nothing" })
    assert.deepStrictEqual(ledger.find("old", { nowMs: 1, ageMs: 1 }), { found: "unknowable" })
  })

  law(
    "add() keeps answers within answerBytesMax, the newest, and remembers that it forgot the others",
    [fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }), fc.integer({ min: 0, max: 200 })],
    (sizes, answerBytesMax) => {
      const bounds = { operationsMax: 100, keepMs: 60_000, answerBytesMax }
      let ledger = make(emptyRecord, bounds)
      const all = sizes.map((size, at) => ({ id: `m${at}`, at: 1000 + at, answer: { body: "x".repeat(size) } }))
      for (const operation of all) {
        ledger.add(operation)
        // what was read back is weighed as what was added
        ledger = make(ledger.record(), bounds)
      }
      const bytesOf = (some: typeof all) => some.reduce((sum, { answer }) => sum + JSON.stringify(answer).length, 0)
      const keptFrom = all.findIndex((_, at) => bytesOf(all.slice(at)) <= answerBytesMax)
      const kept = keptFrom === -1 ? [] : all.slice(keptFrom)
      assert.deepStrictEqual(ledger.record(), {
        operations: kept,
        forgottenAt: all[all.length - kept.length - 1]?.at
      })
    }
  )

  law("record() says all that there is to know of a ledger", [events, limits], (all, limits) => {
    const kept = all.map((event) => ({ ...event, reopens: false }))
    const reopened = all.map((event) => ({ ...event, reopens: true }))
    assert.deepStrictEqual(replay(kept, limits), replay(reopened, limits))
  })
})
