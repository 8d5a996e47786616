/** Does a deadline that a caller names end the wait, whatever hangs? */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeClient, type SeamlessClient } from "../../client/SeamlessClient.ts"
import { SeamlessError } from "../../client/SeamlessError.ts"
import * as BrokenLink from "./brokenLink.ts"

const range = ["a", "1m", 0, 60_000] as const
const [nodeId, interval, start, end] = range
const deadlineMs = 400
const options = { sla: { totalDeadlineMs: deadlineMs } }

/** Each way to wait for what takes its time. */
const ways: ReadonlyArray<readonly [string, (client: SeamlessClient) => Promise<unknown>]> = [
  ["read()", (client) => client.read(...range, options)],
  ["read() in parts", (client) => client.read(nodeId, interval, start, 60_000_000_000, options)],
  ["ensureAvailable()", (client) => client.ensureAvailable(...range, options)],
  ["readMany()", (client) => client.readMany([{ nodeId, interval, start, end }], options)],
  ["stream()", (client) => client.stream(...range, options).next()]
]

interface Changing {
  readonly lose: () => void
  readonly back: () => void
}

/** What becomes of the connection meanwhile. */
const links: ReadonlyArray<readonly [string, (link: Changing) => Effect.Effect<void>]> = [
  ["stands", () => Effect.void],
  ["is lost", ({ lose }) => Effect.delay(Effect.sync(lose), deadlineMs / 2)],
  [
    "comes back when there is no time to ask again",
    ({ back, lose }) =>
      Effect.delay(
        Effect.sync(() => [lose(), back(), lose()]),
        deadlineMs - 50
      )
  ]
]

it.live.each(links)(
  "each ends at its deadline, in the same words, where nothing answers and the connection %s",
  ([, change]) =>
    Effect.gen(function* () {
      const link = yield* BrokenLink.start(() => "silence")
      const client = makeClient(link.session, () => Promise.resolve())
      yield* Effect.forkChild(change(link), { startImmediately: true })
      const startMs = performance.now()
      const ended = ways.map(async ([way, ask]) => {
        const answer: unknown = await ask(client).catch((cause: unknown) => cause)
        return { way, error: Array.isArray(answer) ? answer[0] : answer, afterMs: performance.now() - startMs }
      })
      for (const { afterMs, error, way } of yield* Effect.promise(() => Promise.all(ended))) {
        assert.instanceOf(error, SeamlessError, way)
        assert.deepInclude(error, { tag: "DeadlineExceeded", code: 504, isRetryable: true }, way)
        assert.strictEqual(error.message, `no answer from nats://10.0.0.1:4222 within ${deadlineMs} ms`, way)
        // a client that waited for longer than asked did so by a second
        assert.isBelow(afterMs, deadlineMs + 700, way)
      }
    })
)
