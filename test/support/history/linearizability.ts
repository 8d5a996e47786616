/**
 * Can what clients saw be explained by an object that serves one of them at a time?
 *
 * Each operation must have taken effect at one instant between its invocation and its completion. Objects don't know
 * of each other, so each key is judged alone. Where there is no such order, the shortest beginning of the history that
 * has none is told, with how far an order comes.
 */
import { type Model, type Operation, show } from "./Operation.ts"
import { type DeadEnd, type Found, searchOrder } from "./searchOrder.ts"

/** What is to be said of a history; `states` is how many the search went through. */
export type Verdict =
  | { readonly _tag: "Linearizable"; readonly states: number }
  | {
      readonly _tag: "Violation"
      readonly states: number
      readonly key: string
      /** The shortest beginning without an order: what had not completed by then counts as unknown. */
      readonly prefix: ReadonlyArray<Operation<unknown, unknown>>
      /** For people. */
      readonly explanation: string
    }
  /** There was more to search than the bound allows: nothing follows for the key, in either way. */
  | { readonly _tag: "Undecided"; readonly states: number; readonly key: string; readonly explanation: string }

/** A fraction of a second of searching; a history of thousands takes a few states an operation. */
const statesMaxDefault = 1_000_000

/** The history up to the end of the `count`th operation that completes, as one saw it then. */
const prefixOf = <Input, Output>(
  operations: ReadonlyArray<Operation<Input, Output>>,
  count: number
): ReadonlyArray<Operation<Input, Output>> => {
  const completed = operations
    .filter(({ output }) => output !== undefined)
    .toSorted((a, b) => a.completedAt - b.completedAt)
    .slice(0, count)
  const lastAt = completed.at(-1)?.completedAt ?? -Infinity
  const kept = new Set(completed)
  return operations
    .filter(({ invokedAt }) => invokedAt <= lastAt)
    .map((each) => (kept.has(each) ? each : { ...each, completedAt: Infinity, output: undefined }))
}

interface Failed<Input, Output> {
  readonly prefix: ReadonlyArray<Operation<Input, Output>>
  readonly deadEnd: DeadEnd
  readonly completed: number
}

/** The shortest beginning without an order: looked for from where the search came to a dead end, in growing strides. */
const shortest = <Input, Output>(
  operations: ReadonlyArray<Operation<Input, Output>>,
  whole: DeadEnd,
  decide: (operations: ReadonlyArray<Operation<Input, Output>>) => Found
): Failed<Input, Output> => {
  const known = operations.filter(({ output }) => output !== undefined)
  let failed: Failed<Input, Output> = { prefix: operations, deadEnd: whole, completed: known.length }
  const fails = (completed: number): boolean => {
    const prefix = prefixOf(operations, completed)
    const found = decide(prefix)
    if (found._tag !== "NoOrder") return false
    failed = { prefix, deadEnd: found.deadEnd, completed }
    return true
  }
  // all that completes before what was due there has its place in that order
  let passes = known.filter(({ completedAt }) => completedAt < whole.due.completedAt).length
  for (let stride = 1; passes + stride < failed.completed && !fails(passes + stride); stride *= 2) passes += stride
  while (passes + 1 < failed.completed) {
    const middle = Math.floor((passes + failed.completed) / 2)
    if (!fails(middle)) passes = middle
  }
  return failed
}

const lines = (operations: ReadonlyArray<Operation<unknown, unknown>>): ReadonlyArray<string> =>
  operations.length === 0 ? ["  nothing"] : operations.map((each) => `  ${show(each)}`)

const stateShown = (state: unknown): string =>
  JSON.stringify(state, (_, value: unknown) => (typeof value === "bigint" ? `0b${value.toString(2)}` : value))

const explain = (key: string, { completed, deadEnd, prefix }: Failed<unknown, unknown>): string =>
  [
    `"${key}": no order explains the first ${completed} operations that completed (of ${prefix.length} that began).`,
    "An order comes as far as:",
    ...lines(deadEnd.placed),
    `which leaves ${stateShown(deadEnd.state)}. This one had to be placed by then, and does not fit:`,
    ...lines([deadEnd.due]),
    ...(deadEnd.others.length === 0 ? [] : ["Others that overlap with it:", ...lines(deadEnd.others)])
  ].join("\n")

const judge = <State, Input, Output>(
  key: string,
  operations: ReadonlyArray<Operation<Input, Output>>,
  { model, statesMax }: { readonly model: Model<State, Input, Output>; readonly statesMax: number }
): Verdict => {
  const found = searchOrder(operations, model, statesMax)
  const { states } = found
  if (found._tag === "Order") return { _tag: "Linearizable", states }
  if (found._tag === "GaveUp") {
    const explanation = `"${key}": undecided, its ${operations.length} operations take more than ${statesMax} states`
    return { _tag: "Undecided", states, key, explanation }
  }
  const failed = shortest(operations, found.deadEnd, (prefix) => searchOrder(prefix, model, statesMax))
  return { _tag: "Violation", states, key, prefix: failed.prefix, explanation: explain(key, failed) }
}

const gravity: ReadonlyArray<Verdict["_tag"]> = ["Linearizable", "Undecided", "Violation"]

/** Judges a history; the gravest verdict of its keys counts. `statesMax` bounds the search of each key. */
export const check = <State, Input, Output>(
  operations: ReadonlyArray<Operation<Input, Output>>,
  model: Model<State, Input, Output>,
  { statesMax = statesMaxDefault }: { readonly statesMax?: number } = {}
): Verdict => {
  let gravest: Verdict = { _tag: "Linearizable", states: 0 }
  let states = 0
  for (const [key, ofKey] of Map.groupBy(operations, (operation) => operation.key)) {
    const verdict = judge(key, ofKey, { model, statesMax })
    states += verdict.states
    if (gravity.indexOf(verdict._tag) > gravity.indexOf(gravest._tag)) gravest = verdict
  }
  return { ...gravest, states }
}
