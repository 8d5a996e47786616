/**
 * Which histories are the checker's laws tried on?
 *
 * Those of a real object that serves one request at a time, with clients that overlap as drawn. Each request takes
 * effect somewhere between its invocation and its completion; some are never answered, and of these some never take
 * effect.
 */
import * as fc from "fast-check"
import type { Operation } from "./Operation.ts"

/** One request as drawn: whose, how long everything takes, and what becomes of its answer. */
export interface Draw {
  readonly client: number
  readonly pause: number
  readonly before: number
  readonly after: number
  /** An unanswered one took effect, perhaps long after; a lost one never does. */
  readonly fate: "answered" | "unanswered" | "lost"
  /** Decides what is asked. */
  readonly kind: number
  readonly detail: number
}

const span = fc.integer({ min: 0, max: 20 })

/** A request of one of `clients`; about `unknown` in a thousand have no answer. */
export const draw = (clients: number, unknown: number): fc.Arbitrary<Draw> =>
  fc.record({
    client: fc.integer({ min: 0, max: clients - 1 }),
    pause: fc.integer({ min: 0, max: 5 }),
    before: span,
    after: span,
    fate: fc.oneof(
      { weight: 1000 - unknown, arbitrary: fc.constant("answered" as const) },
      { weight: unknown, arbitrary: fc.constantFrom("unanswered" as const, "lost" as const) }
    ),
    kind: fc.integer({ min: 0, max: 99 }),
    detail: fc.integer({ min: 0, max: 99 })
  })

/** What a request turns out to be when its turn has come, and its answer. */
export interface Served<Input, Output> {
  readonly input: Input
  readonly output: Output
}

interface Timed extends Draw {
  readonly invokedAt: number
  readonly effectAt: number
  readonly completedAt: number
}

/** What has no answer may take effect long after its client has given up. */
const lateness = 10

const timed = (draws: ReadonlyArray<Draw>): ReadonlyArray<Timed> => {
  const freeAt = new Map<number, number>()
  return draws.map((each) => {
    const invokedAt = (freeAt.get(each.client) ?? 0) + each.pause
    const completedAt = invokedAt + each.before + each.after
    freeAt.set(each.client, completedAt)
    const effectAt = invokedAt + each.before * (each.fate === "answered" ? 1 : lateness)
    return { ...each, invokedAt, effectAt, completedAt }
  })
}

/** The history of an object: `serve` answers and takes effect, `lose` tells what would have been asked. */
export const historyOf = <Input, Output>(
  draws: ReadonlyArray<Draw>,
  object: {
    readonly serve: (draw: Draw) => Served<Input, Output>
    readonly lose: (draw: Draw) => Input
  }
): Array<Operation<Input, Output>> =>
  timed(draws)
    .toSorted((a, b) => a.effectAt - b.effectAt)
    .map((each) => {
      const { client, completedAt, fate, invokedAt } = each
      const served = fate === "lost" ? { input: object.lose(each), output: undefined } : object.serve(each)
      const isKnown = fate === "answered"
      return {
        client: `client-${client}`,
        key: "only",
        invokedAt,
        completedAt: isKnown ? completedAt : Infinity,
        input: served.input,
        output: isKnown ? served.output : undefined
      }
    })

/** A history with one more operation, after all the others. */
export const endedWith = <Input, Output>(
  history: ReadonlyArray<Operation<Input, Output>>,
  { input, output }: Served<Input, Output>
): Array<Operation<Input, Output>> => {
  const ends = history.flatMap(({ completedAt, invokedAt }) => [
    invokedAt,
    Number.isFinite(completedAt) ? completedAt : 0
  ])
  const invokedAt = Math.max(0, ...ends) + 1
  return [...history, { client: "last", key: "only", invokedAt, completedAt: invokedAt + 1, input, output }]
}
