/**
 * How many asks a second does a client get answered, and how long does each take?
 *
 * Each ask in flight is a lane: it asks, waits for the answer, and asks the next actor. What a lane is made of is the
 * client's own affair, so that nobody's library is driven through another's.
 */
import assert from "node:assert/strict"
import { Effect } from "effect"
import { actorCount, type Answer, type Limit, type Load, type Order, type Question, type Sample } from "./Load.ts"
import { quantile } from "./quantile.ts"

/** What the lanes of one sample share. */
interface Turns {
  readonly question: Question
  /** The actor to ask next; none when the sample is over. */
  readonly next: () => string | undefined
  readonly note: (askedAtMs: number, answer: Answer) => void
}

/** Asks one after another until the sample is over. */
export type Lane = (turns: Turns) => Promise<void>

/** A lane of a client with promises. */
export const promiseLane =
  (ask: (key: string, question: Question) => Promise<Answer>): Lane =>
  async ({ question, next, note }) => {
    for (let key = next(); key !== undefined; key = next()) {
      const askedAtMs = performance.now()
      note(askedAtMs, await ask(key, question))
    }
  }

/** A lane of a client with effects: one fiber for all of its asks, with the services that stand here. */
export const effectLane = <E, R>(
  ask: (key: string, question: Question) => Effect.Effect<Answer, E, R>
): Effect.Effect<Lane, never, R> =>
  Effect.map(
    Effect.context<R>(),
    (services): Lane =>
      ({ question, next, note }) =>
        Effect.runPromiseWith(services)(
          Effect.gen(function* () {
            for (let key = next(); key !== undefined; key = next()) {
              const askedAtMs = performance.now()
              note(askedAtMs, yield* ask(key, question))
            }
          })
        )
  )

const makeTurns = ({ payloadBytes }: Load, { asks = Number.POSITIVE_INFINITY, ms }: Limit) => {
  const startedMs = performance.now()
  const tookMs: Array<number> = []
  let asked = 0
  let lastMs = startedMs
  const turns: Turns = {
    question: { text: "x".repeat(payloadBytes) },
    next: () => (asked < asks && lastMs - startedMs < ms ? `actor${asked++ % actorCount}` : undefined),
    note: (askedAtMs, { bytes }) => {
      lastMs = performance.now()
      tookMs.push(lastMs - askedAtMs)
      if (bytes !== payloadBytes) assert.fail(`an actor was sent ${payloadBytes} B and answers that it got ${bytes}`)
    }
  }
  const sample = (): Sample => {
    assert(tookMs.length > 0, "a sample without an ask")
    return {
      asksPerS: (tookMs.length * 1_000) / (lastMs - startedMs),
      p50Us: quantile(tookMs, 0.5) * 1_000,
      p99Us: quantile(tookMs, 0.99) * 1_000
    }
  }
  return { turns, sample }
}

/** Keeps as many asks in flight as ordered until the sample is over. */
export const takeSample = async (lane: Lane, { load, limit }: Order): Promise<Sample> => {
  const { turns, sample } = makeTurns(load, limit)
  await Promise.all(Array.from({ length: load.inFlight }, () => lane(turns)))
  return sample()
}

/** Checks that an actor is asked at all, and that it remembers how often. */
export const checkAnswers = async (lane: Lane): Promise<void> => {
  const counts: Array<number> = []
  const keys = Array.from({ length: 3 }, () => "checked")
  await lane({
    question: { text: "hello" },
    next: () => keys.pop(),
    note: (_, { bytes, count }) => {
      assert.equal(bytes, 5)
      counts.push(count)
    }
  })
  const first = counts[0]!
  assert.deepEqual(counts, [first, first + 1, first + 2])
}
