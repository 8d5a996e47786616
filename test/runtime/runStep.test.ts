/** Does a message make of an actor exactly what its step says, and nothing where the step fails? */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import * as Ledger from "../../runtime/Ledger.ts"
import { codecsOf, encoder } from "../../runtime/MessageForms.ts"
import { type Errand, type Given, type Program, runStep, type Standing, type Stepped } from "../../runtime/runStep.ts"
import type { StepContext } from "../../runtime/StepContext.ts"
import { law } from "../support/law.ts"

type Anything = Readonly<Record<string, unknown>>

const State = Schema.Struct({ count: Schema.Int })

const codecs = codecsOf({
  do: { payload: Schema.Unknown, reply: Schema.Int, failure: Schema.String },
  look: { payload: Schema.Unknown, reply: Schema.Int, readOnly: true },
  tick: { payload: Schema.Int }
})

/** A program that does as the payload says: its outcome, or what makes one. */
const program = (step: Program["step"] = (_, __, outcome) => outcome, isDurable = true): Program => ({
  type: "t",
  codecs,
  step,
  encodeState: encoder(State),
  isDurable
})

const limits = { operationsMax: 10, keepMs: 60_000, answerBytesMax: Infinity }

const standing: Standing = { state: { count: 1 }, encoded: { count: 1 }, timers: [] }

const given = (payload: unknown, more: Partial<Given> = {}): Given => ({
  id: "m1",
  message: "do",
  payload,
  ageMs: 0,
  nowMs: 1000,
  key: "k",
  epoch: 3,
  random: () => 0.25,
  ...more
})

const timer = (id: string, name = id) => ({ name, id, at: 1500, message: "tick", payload: 1 })

/** One message, and the ledger afterwards. */
const run = (one: Given, of: Program = program(), from: Standing = standing) => {
  const ledger = Ledger.make(Ledger.emptyRecord, limits)
  return { ...runStep(of, from, ledger, one), operations: ledger.record().operations }
}

const assertUnchanged = ({ changed, errands, standing: after }: Stepped, title?: string) => {
  assert.deepStrictEqual({ changed, errands, after }, { changed: false, errands: [], after: standing }, title)
}

const reasonOf = ({ result }: Stepped) => ("failed" in result ? result.failed.reason : JSON.stringify(result))

const context = (use: (context: StepContext<{ tick: number }>) => unknown): Program =>
  program((_, __, ___, context) => use(context as StepContext<{ tick: number }>))

describe("runStep()", () => {
  it("runStep() gives the reply, the next state in both forms, what to do, and a note in the ledger", () => {
    const tell: Errand = {
      action: "tell",
      to: { type: "t", key: "z" },
      label: "",
      body: { message: "tick", payload: 1 }
    }
    const stepped = run(given({ state: { count: 2 }, reply: 2, actions: [tell] }))
    assert.deepStrictEqual(stepped.result, { body: 2 })
    assert.deepStrictEqual(stepped.standing, { state: { count: 2 }, encoded: { count: 2 }, timers: [] })
    assert.deepEqual(stepped.errands, [tell])
    assert.isTrue(stepped.changed)
    assert.deepStrictEqual(stepped.operations, [{ id: "m1", at: 1000, answer: { body: 2 } }])
  })

  it("runStep() of a step that gives only a reply, or a declared failure, changes nothing", () => {
    const replied = run(given({ reply: 5 }))
    assertUnchanged(replied)
    assert.deepStrictEqual(replied.result, { body: 5 })
    const failed = run(given({ failure: "no", state: { count: 9 } }))
    assertUnchanged(failed)
    assert.deepStrictEqual(failed.result, { error: "no" })
    assert.deepStrictEqual([...replied.operations, ...failed.operations], [])
  })

  law(
    "runStep() upon which anything does not fit changes nothing, and says what",
    [
      fc.constantFrom<readonly [outcome: unknown, reason: string]>(
        [{ state: { count: 2 }, reply: "two" }, "reply of do"],
        [{ state: { count: 2 } }, "reply of do"],
        [{ state: { count: 2.5 }, reply: 2 }, "state after do"],
        [{ state: "gone", reply: 2 }, "state after do"],
        [{ state: { count: 2 }, failure: 7 }, "failure of do"],
        [undefined, "gave no outcome"],
        ["text", "gave no outcome"]
      ),
      fc.boolean()
    ],
    ([outcome, reason], hasTimer) => {
      const from = hasTimer ? { ...standing, timers: [timer("other")] } : standing
      const stepped = run(given(outcome), program(), from)
      assert.include(reasonOf(stepped), reason)
      assert.deepStrictEqual(stepped.standing, from)
      assert.deepStrictEqual(stepped.operations, [])
      assert.isFalse(stepped.changed)
    }
  )

  it("runStep() of a step that throws changes nothing, and tells where", () => {
    const stepped = run(
      given(null),
      program(() => {
        throw new Error("on fire")
      })
    )
    assertUnchanged(stepped)
    assert.ok("failed" in stepped.result)
    assert.strictEqual(stepped.result.failed.reason, "on fire")
    assert.include(stepped.result.failed.trace, "runStep.test")
  })

  it("runStep() of a message that is unknown or has another payload is refused before the step", () => {
    const never = program(() => assert.fail("the step was run"))
    for (const more of [{ message: "unheard" }, { message: "tick" }, { message: "toString" }]) {
      const stepped = run(given("x", more), never)
      assertUnchanged(stepped, more.message)
      assert.ok("undelivered" in stepped.result && stepped.result.undelivered._tag === "MalformedMessage")
    }
  })

  it("runStep() of a message that took effect before gives its answer again, and does not run the step", () => {
    const ledger = Ledger.make(Ledger.emptyRecord, limits)
    const first = runStep(program(), standing, ledger, given({ state: { count: 2 }, reply: 2 }))
    const never = program(() => assert.fail("the step was run"))
    const again = runStep(never, first.standing, ledger, given({ state: { count: 3 }, reply: 3 }, { ageMs: 5 }))
    assert.deepStrictEqual(again.result, { body: 2 })
    assert.isFalse(again.changed)
    assert.strictEqual(again.standing, first.standing)
  })

  it("runStep() of a message that may have been forgotten is refused rather than done twice", () => {
    const ledger = Ledger.make({ operations: [], forgottenAt: 900 }, limits)
    const never = program(() => assert.fail("the step was run"))
    const stepped = runStep(never, standing, ledger, given(null, { ageMs: 200 }))
    assertUnchanged(stepped)
    assert.ok("undelivered" in stepped.result && stepped.result.undelivered._tag === "OutcomeUnknown")
  })

  it("runStep() of a message that only reads is answered, however old it is", () => {
    const ledger = Ledger.make({ operations: [], forgottenAt: 900 }, limits)
    const stepped = runStep(program(), standing, ledger, given({ reply: 1 }, { message: "look", ageMs: 50_000 }))
    assertUnchanged(stepped)
    assert.deepStrictEqual(stepped.result, { body: 1 })
  })

  it("runStep() of a message that only reads fails where its step changes something", () => {
    for (const outcome of [
      { reply: 1, state: { count: 2 } },
      { reply: 1, actions: [{ action: "cancelTimer", name: "n" }] }
    ] satisfies ReadonlyArray<Anything>) {
      const stepped = run(given(outcome, { message: "look" }))
      assertUnchanged(stepped)
      assert.include(reasonOf(stepped), "only reads")
      assert.deepStrictEqual(stepped.operations, [])
    }
  })
})

describe("timers of runStep()", () => {
  const setting = (name: string, afterMs: number) =>
    context(({ setTimer }) => ({ reply: 0, actions: [setTimer(name, { afterMs, message: "tick", payload: 4 })] }))

  it("setTimer() keeps a message for later, and replaces the timer of its name", () => {
    const first = run(given(null), setting("n", 500)).standing
    assert.deepInclude(first.timers[0]!, { name: "n", at: 1500, message: "tick", payload: 4 })
    const second = run(given(null, { id: "m2", random: () => 0.5 }), setting("n", -5), first).standing
    assert.deepStrictEqual(
      second.timers.map(({ at }) => at),
      [1000]
    )
    assert.notStrictEqual(second.timers[0]!.id, first.timers[0]!.id)
    const gone = run(
      given(null),
      context(({ cancelTimer }) => ({ reply: 0, actions: [cancelTimer("n")] })),
      second
    )
    assert.deepStrictEqual(gone.standing.timers, [])
  })

  it("setTimer() without an instant, with another payload, or with too many others breaks the step", () => {
    for (const afterMs of [Number.NaN, Infinity]) {
      const stepped = run(given(null), setting("n", afterMs))
      assertUnchanged(stepped)
      assert.include(reasonOf(stepped), "without an instant")
    }
    const wrong = context(({ setTimer }) => ({
      actions: [setTimer("n", { afterMs: 1, message: "tick", payload: 0.5 })]
    }))
    assert.include(reasonOf(run(given(null), wrong)), "t.tick")
    const timers = Array.from({ length: 256 }, (_, at) => timer(`timer-${at}`))
    const full = run(given(null), setting("n", 1), { ...standing, timers })
    assert.include(reasonOf(full), "more than 256")
  })

  it("setTimer() of an actor whose state is not saved breaks the step", () => {
    const { step } = setting("n", 1)
    const stepped = run(given(null), program(step, false))
    assertUnchanged(stepped)
    assert.include(reasonOf(stepped), "not saved")
  })

  it("a timer whose message has come is gone, also where the step fails upon it", () => {
    const from = { ...standing, timers: [timer("due"), timer("other")] }
    const failing = program(() => {
      throw new Error("on fire")
    })
    for (const of of [failing, program(() => ({}))]) {
      const stepped = run(given(1, { id: "due", message: "tick" }), of, from)
      assert.deepStrictEqual(stepped.standing.timers, [timer("other")])
      assert.isTrue(stepped.changed)
    }
  })

  it("runStep() of a timer's message whose timer is gone, or was set anew, does nothing", () => {
    const never = program(() => assert.fail("the step was run"))
    const anew = { ...standing, timers: [{ ...timer("later"), name: "n" }] }
    for (const from of [standing, anew]) {
      const stepped = run(given(1, { id: "due", message: "tick", own: true }), never, from)
      assert.deepStrictEqual(stepped.standing, from)
      assert.deepInclude(stepped, { changed: false, errands: [], operations: [], result: { body: null } })
    }
    // what came from elsewhere needs no timer, and a timer that stands is done
    const counting = program(() => ({ state: { count: 2 } }))
    assert.isTrue(run(given(1, { id: "due", message: "tick" }), counting).changed)
    const stands = { ...standing, timers: [timer("due")] }
    const done = run(given(1, { id: "due", message: "tick", own: true }), counting, stands)
    assert.deepStrictEqual(done.standing, { state: { count: 2 }, encoded: { count: 2 }, timers: [] })
  })

  it("a timer that sets itself again and again keeps an id of bounded length, unlike any before", () => {
    const again = setting("n", 10)
    let now = run(given(null), again).standing
    const ids = new Set<string>()
    for (let round = 0; round < 200; round++) {
      const { id } = now.timers[0]!
      assert.isAtMost(id.length, 64)
      ids.add(id)
      now = run(given(1, { id, message: "tick", nowMs: 1000 + round, random: () => round / 200 }), again, now).standing
    }
    assert.strictEqual(ids.size, 200)
  })
})
