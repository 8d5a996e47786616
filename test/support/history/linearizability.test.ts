/**
 * Is the checker right, and fast enough?
 *
 * It passes what a real object did, refuses what none can do, agrees with a search of all orders on tiny histories, and
 * decides thousands of operations.
 */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { type CounterInput, counterModel } from "./counterModel.ts"
import { type Draw, draw, endedWith, historyOf } from "./drawHistory.ts"
import { type GrowingSetInput, type GrowingSetOutput, growingSetModel } from "./growingSetModel.ts"
import { check } from "./linearizability.ts"
import type { Model, Operation } from "./Operation.ts"
import { type RegisterInput, registerModel, type RegisterOutput } from "./registerModel.ts"
import { servedCounter, servedRegister, servedSet } from "./servedObjects.ts"

/** Each draws a whole history and searches it. */
const numRuns = 200

const holds = <T>(arbitrary: fc.Arbitrary<T>, claim: (value: T) => void): void =>
  fc.assert(
    fc.property(arbitrary, (value): void => {
      claim(value)
    }),
    { numRuns }
  )

const draws = (unknown: number) => fc.array(draw(5, unknown), { maxLength: 60 })

type RegisterOperation = Operation<RegisterInput, RegisterOutput>

const revisionOf = ({ output }: RegisterOperation): number =>
  output?._tag === "written" || output?._tag === "found" ? output.revision : -1

/** The history with one read that is older than a change that had been told before; none where there is no chance. */
const withStaleRead = (history: ReadonlyArray<RegisterOperation>): Array<RegisterOperation> | undefined => {
  for (const [index, read] of [...history.entries()].toReversed()) {
    if (read.input._tag !== "get" || read.output === undefined) continue
    const told = history.filter((other) => other.completedAt < read.invokedAt && revisionOf(other) > 0)
    const newest = Math.max(...told.map(revisionOf))
    const old = told.find((other) => other.output?._tag === "found" && revisionOf(other) < newest)
    if (old !== undefined) return history.with(index, { ...read, output: old.output })
  }
  return undefined
}

const readDraw: Draw = { client: 0, pause: 0, before: 0, after: 0, fate: "answered", kind: 0, detail: 0 }

const at = <Input, Output>(
  client: string,
  [invokedAt, completedAt]: readonly [number, number],
  input: Input,
  output: Output | undefined
): Operation<Input, Output> => ({
  client,
  key: "only",
  invokedAt,
  completedAt: output === undefined ? Infinity : completedAt,
  input,
  output
})

/** Whether some order explains the history: all of them are tried. */
const isExplained = <State, Input, Output>(
  history: ReadonlyArray<Operation<Input, Output>>,
  { initial, step }: Model<State, Input, Output>
): boolean => {
  const goesOn = (state: State, left: ReadonlyArray<Operation<Input, Output>>): boolean => {
    const known = left.filter(({ output }) => output !== undefined)
    if (known.length === 0) return true
    return left
      .filter(({ invokedAt }) => known.every(({ completedAt }) => completedAt >= invokedAt))
      .some((next) => {
        const after = step(state, next.input, next.output)
        const rest = left.filter((other) => other !== next)
        return after !== undefined && goesOn(after, rest)
      })
  }
  return goesOn(initial, history)
}

/** Histories of a few operations at any times, with any outputs. */
const tiny = <Input, Output>(input: fc.Arbitrary<Input>, output: (input: Input) => fc.Arbitrary<Output>) =>
  fc.array(
    input.chain((asked) =>
      fc
        .record({
          invokedAt: fc.integer({ min: 0, max: 12 }),
          lasts: fc.integer({ min: 0, max: 6 }),
          output: fc.option(output(asked), { nil: undefined, freq: 4 })
        })
        .map(({ invokedAt, lasts, output: told }): Operation<Input, Output> => ({
          client: "any",
          key: "only",
          invokedAt,
          completedAt: told === undefined ? Infinity : invokedAt + lasts,
          input: asked,
          output: told
        }))
    ),
    { maxLength: 6 }
  )

const small = (max: number) => fc.integer({ min: 0, max })

const tinyCounter = tiny<CounterInput, number>(
  fc.oneof(
    fc.constant({ _tag: "read" as const }),
    small(2).map((amount) => ({ _tag: "add" as const, amount }))
  ),
  () => small(4)
)

const tinyRegister = tiny<RegisterInput, RegisterOutput>(
  fc.oneof(
    fc.constant({ _tag: "get" as const }),
    fc.constantFrom("a", "b").map((value) => ({ _tag: "put" as const, value })),
    fc.record({ _tag: fc.constant("cas" as const), value: fc.constantFrom("a", "b"), expect: small(3) })
  ),
  ({ _tag }) =>
    _tag === "get"
      ? fc.constantFrom<RegisterOutput>(
          { _tag: "found", value: null, revision: 0 },
          ...[1, 2, 3].flatMap((revision) => ["a", "b"].map((value) => ({ _tag: "found" as const, value, revision })))
        )
      : fc.oneof(
          fc.constant<RegisterOutput>({ _tag: "conflict" }),
          small(3).map((revision): RegisterOutput => ({ _tag: "written", revision }))
        )
)

const tinySet = tiny<GrowingSetInput, GrowingSetOutput>(
  fc.oneof(
    small(2).map((member) => ({ _tag: "contains" as const, member })),
    fc.array(small(2), { minLength: 1, maxLength: 2 }).map((members) => ({ _tag: "add" as const, members }))
  ),
  ({ _tag }) => fc.record({ version: small(3), ...(_tag === "contains" ? { contains: fc.boolean() } : {}) })
)

const agrees = <State, Input, Output>(
  history: ReadonlyArray<Operation<Input, Output>>,
  model: Model<State, Input, Output>
): void => {
  assert.strictEqual(check(history, model)._tag, isExplained(history, model) ? "Linearizable" : "Violation")
}

describe("check()", () => {
  it("passes what a register did, whatever was not answered", () => {
    holds(draws(150), (drawn) => {
      assert.strictEqual(check(historyOf(drawn, servedRegister()), registerModel)._tag, "Linearizable")
    })
  })

  it("passes what a counter did, whatever was not answered", () => {
    holds(draws(100), (drawn) => {
      assert.strictEqual(check(historyOf(drawn, servedCounter()), counterModel)._tag, "Linearizable")
    })
  })

  it("passes what a growing set did, whatever was not answered", () => {
    holds(draws(100), (drawn) => {
      assert.strictEqual(check(historyOf(drawn, servedSet()), growingSetModel)._tag, "Linearizable")
    })
  })

  it("refuses a read that is older than what had been told before", () => {
    holds(draws(50), (drawn) => {
      const stale = withStaleRead(historyOf(drawn, servedRegister()))
      fc.pre(stale !== undefined)
      assert.strictEqual(check(stale, registerModel)._tag, "Violation")
    })
  })

  it("refuses an increment that took effect twice", () => {
    holds(fc.tuple(draws(0), fc.nat()), ([each, chosen]) => {
      const adds = each.filter(({ kind }) => kind >= 40).length
      fc.pre(adds > 0)
      const counter = servedCounter()
      let left = chosen % adds
      const doubling = (next: Draw) => {
        const served = counter.serve(next)
        if (served.input._tag === "add" && left-- === 0) counter.serve(next)
        return served
      }
      const history = historyOf(each, { ...counter, serve: doubling })
      const last = endedWith(history, counter.serve(readDraw))
      assert.strictEqual(check(last, counterModel)._tag, "Violation")
    })
  })

  it("refuses a version that goes backwards", () => {
    holds(fc.tuple(draws(50), fc.nat()), ([each, chosen]) => {
      const history = historyOf(each, servedSet())
      const told = history.filter(({ output }) => (output?.version ?? 0) > 0)
      fc.pre(told.length > 0)
      const version = told[chosen % told.length]!.output!.version - 1
      const back = endedWith(history, { input: { _tag: "contains", member: 0 }, output: { version, contains: true } })
      assert.strictEqual(check(back, growingSetModel)._tag, "Violation")
    })
  })

  it("refuses a write that was acknowledged and is gone", () => {
    holds(fc.tuple(draws(50), fc.nat()), ([each, chosen]) => {
      const history = historyOf(each, servedSet())
      const added = new Set(history.flatMap(({ input }) => (input._tag === "add" ? input.members : [])))
      const acked = history.filter(({ input, output }) => input._tag === "add" && output !== undefined)
      fc.pre(acked.length > 0)
      const { input } = acked[chosen % acked.length]!
      const member = input._tag === "add" ? input.members[0]! : 0
      const version = added.size
      const lost = endedWith(history, { input: { _tag: "contains", member }, output: { version, contains: false } })
      assert.strictEqual(check(lost, growingSetModel)._tag, "Violation")
    })
  })

  it("agrees with a search of all orders on tiny histories", () => {
    holds(tinyCounter, (history) => agrees(history, counterModel))
    holds(tinyRegister, (history) => agrees(history, registerModel))
    holds(tinySet, (history) => agrees(history, growingSetModel))
  })

  it("tells the shortest beginning that has no order", () => {
    holds(draws(50), (drawn) => {
      const stale = withStaleRead(historyOf(drawn, servedRegister()))
      fc.pre(stale !== undefined)
      const verdict = check(stale, registerModel)
      assert(verdict._tag === "Violation")
      const prefix = verdict.prefix as ReadonlyArray<RegisterOperation>
      assert.strictEqual(check(prefix, registerModel)._tag, "Violation")
      const endsAt = Math.max(...prefix.map(({ completedAt }) => (completedAt === Infinity ? 0 : completedAt)))
      const shorter = prefix.map((each) =>
        each.completedAt === endsAt ? { ...each, completedAt: Infinity, output: undefined } : each
      )
      assert.strictEqual(check(shorter, registerModel)._tag, "Linearizable")
    })
  })

  it("tells people where an order comes to its end", () => {
    const history: ReadonlyArray<RegisterOperation> = [
      at("a", [0, 2], { _tag: "put", value: "x" }, { _tag: "written", revision: 3 }),
      at("b", [1, 5], { _tag: "cas", value: "y", expect: 3 }, { _tag: "written", revision: 4 }),
      at("a", [4, 6], { _tag: "get" }, { _tag: "found", value: "y", revision: 4 }),
      at("c", [7, 9], { _tag: "get" }, { _tag: "found", value: "x", revision: 3 }),
      at("b", [8, 12], { _tag: "put", value: "z" }, { _tag: "written", revision: 6 })
    ]
    const verdict = check(history, registerModel)
    assert(verdict._tag === "Violation")
    assert.deepStrictEqual(verdict.explanation.split("\n"), [
      '"only": no order explains the first 4 operations that completed (of 5 that began).',
      "An order comes as far as:",
      '  a [0, 2] {"_tag":"put","value":"x"} → {"_tag":"written","revision":3}',
      '  b [1, 5] {"_tag":"cas","value":"y","expect":3} → {"_tag":"written","revision":4}',
      '  a [4, 6] {"_tag":"get"} → {"_tag":"found","value":"y","revision":4}',
      'which leaves {"value":"y","revision":4,"isExact":true}. This one had to be placed by then, and does not fit:',
      '  c [7, 9] {"_tag":"get"} → {"_tag":"found","value":"x","revision":3}'
    ])
  })

  it("judges each key alone, and names the one that is wrong", () => {
    const value = (key: string, output: number): Operation<CounterInput, number> => ({
      ...at("a", [0, 1], { _tag: "add", amount: 1 }, output),
      key
    })
    assert.strictEqual(check([value("x", 1), value("y", 1)], counterModel)._tag, "Linearizable")
    const verdict = check([value("x", 1), value("y", 2)], counterModel)
    assert.strictEqual(verdict._tag === "Violation" ? verdict.key : "none", "y")
  })

  it("says that it is undecided beyond its bound", () => {
    const adds = Array.from({ length: 20 }, (_, client) =>
      at<CounterInput, number>(`${client}`, [0, 100], { _tag: "add", amount: 1 + client }, undefined)
    )
    const read = at<CounterInput, number>("last", [200, 201], { _tag: "read" }, 10_000)
    const verdict = check([...adds, read], counterModel, { statesMax: 1000 })
    assert(verdict._tag === "Undecided")
    assert.match(verdict.explanation, /undecided.*more than 1000 states/)
  })

  it.each([1, 2])("decides 5,000 operations of 12 clients in a few states each, seed %i", (seed) => {
    const drawn = fc.sample(draw(12, 5), { numRuns: 5000, seed })
    const verdicts = [
      check(historyOf(drawn, servedRegister()), registerModel),
      check(historyOf(drawn, servedCounter()), counterModel),
      check(historyOf(drawn, servedSet()), growingSetModel)
    ]
    for (const { _tag, states } of verdicts) {
      assert.strictEqual(_tag, "Linearizable")
      assert.isBelow(states, 50_000)
    }
  })

  it("refuses 5,000 operations of 12 clients for one stale read at their end", () => {
    const register = historyOf(fc.sample(draw(12, 5), { numRuns: 5000, seed: 1 }), servedRegister())
    const stale = check(withStaleRead(register)!, registerModel)
    assert.strictEqual(stale._tag, "Violation")
    assert.isBelow(stale.states, 250_000)
  })
})
