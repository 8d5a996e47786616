/** Is each of many reads answered, whatever is lost of their answers? */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { readMany } from "../../client/readMany.ts"
import { makeClient } from "../../client/SeamlessClient.ts"
import type { Session } from "../../client/Session.ts"
import { Header } from "../../protocol/wire/Header.ts"
import { type Answer, answeringMesh, type Sent } from "../support/answeringMesh.ts"
import { arrowAnswer, meta, refusal } from "./answers.ts"

const reads = ["a", "b", "c"].map((nodeId) => ({ nodeId, interval: "1m", start: 60_000, end: 180_000 }))

const rows = arrowAnswer(JSON.stringify(meta))

const about = (
  item: number,
  { data, headers = new Map() }: Answer,
  ...more: ReadonlyArray<readonly [string, string]>
): Answer => ({
  data,
  headers: new Map([...headers, [Header.item, String(item)], [Header.flow, "flow.1"], ...more])
})

const end = [Header.end, "true"] as const
const unknown = refusal(404, { error: { tag: "UnknownSeries" } })

/** A session whose requests are answered with these messages, one list a request. */
const setUp = (answers: (request: number) => readonly [Answer, ...ReadonlyArray<Answer>]) => {
  const sent: Array<Sent> = []
  const granted: Array<string> = []
  const mesh = answeringMesh(
    (question, more) =>
      Effect.sync(() => {
        sent.push(question)
        const [first, ...rest] = answers(sent.length - 1)
        queueMicrotask(() => {
          for (const answer of rest) more(answer)
        })
        return first
      }),
    ({ subject }) => void granted.push(subject)
  )
  const session: Session = { mesh, servers: "memory", timeoutMs: 1000 }
  return { session, sent, granted, client: makeClient(session, () => Promise.resolve()) }
}

const told = (outcomes: Effect.Success<ReturnType<typeof readMany>>) =>
  outcomes.map((outcome) => ("tag" in outcome ? outcome.tag : outcome.df.length))

it.effect("readMany() gives each its own answer, in the order of the reads, however they come", () =>
  Effect.gen(function* () {
    const { granted, sent, session } = setUp(() => [about(2, rows), about(1, unknown), about(0, rows, end)])
    assert.deepStrictEqual(told(yield* readMany(session, reads, { strict: true })), [2, "UnknownSeries", 2])
    assert.deepInclude(sent[0]?.body, { strict: true, returnMeta: true, requests: reads })
    assert.deepStrictEqual(granted, ["flow.1", "flow.1"])
  })
)

it.effect("readMany() tells the host of a deadline of all reads, and of no time where none is named", () =>
  Effect.gen(function* () {
    const { sent, session } = setUp(() => [about(2, rows), about(1, rows), about(0, rows, end)])
    yield* readMany(session, reads, { sla: { totalDeadlineMs: 250 } })
    yield* readMany(session, [{ ...reads[0]!, sla: { totalDeadlineMs: 250 } }, ...reads.slice(1)])
    assert.deepStrictEqual(
      sent.map(({ headers }) => headers.get(Header.budgetMs)),
      ["225", undefined]
    )
  })
)

it.effect("readMany() puts the parts of a read together", () =>
  Effect.gen(function* () {
    const { session } = setUp(() => [
      about(0, arrowAnswer(), [Header.part, "0"], [Header.cursor, "x"]),
      about(1, rows),
      about(0, rows, [Header.part, "1"], [Header.last, "true"]),
      about(2, rows, end)
    ])
    assert.deepStrictEqual(told(yield* readMany(session, reads)), [4, 2, 2])
  })
)

it.effect("readMany() asks again for what was lost, and for nothing else", () =>
  Effect.gen(function* () {
    const { sent, session } = setUp((request) =>
      request === 0 ? [about(1, rows)] : [about(1, rows), about(0, unknown, end)]
    )
    const asking = yield* Effect.forkChild(readMany(session, reads), { startImmediately: true })
    yield* TestClock.adjust("7 seconds")
    assert.deepStrictEqual(told(yield* Fiber.join(asking)), ["UnknownSeries", 2, 2])
    assert.deepInclude(sent[1]?.body, { requests: [reads[0], reads[2]] })
  })
)

it.effect("readMany() ends at the deadline of all reads, with what has come", () =>
  Effect.gen(function* () {
    const { session } = setUp(() => [about(1, rows)])
    const asking = yield* Effect.forkChild(readMany(session, reads, { sla: { totalDeadlineMs: 2000 } }), {
      startImmediately: true
    })
    yield* TestClock.adjust("1999 millis")
    assert.isUndefined(asking.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    const outcomes = yield* Fiber.join(asking)
    assert.deepStrictEqual(told(outcomes), ["DeadlineExceeded", 2, "DeadlineExceeded"])
    assert.propertyVal(outcomes[0], "message", "no answer from memory within 2000 ms")
  })
)

it.effect("readMany() rejects where all of it is refused, and asks nothing where there is nothing to ask", () =>
  Effect.gen(function* () {
    const { sent, session } = setUp(() => [refusal(400, { error: { tag: "TooManyReads" } })])
    assert.deepStrictEqual(yield* readMany(session, []), [])
    assert.deepStrictEqual(sent, [])
    const error = yield* Effect.flip(readMany(session, reads))
    assert.deepInclude(error, { tag: "TooManyReads", code: 400 })
  })
)

it.effect("readMany() asks again for what is lost without a deadline when the slowest read would long have come", () =>
  Effect.gen(function* () {
    const { sent, session } = setUp((request) =>
      request === 0 ? [about(1, rows)] : [about(1, rows), about(0, unknown, end)]
    )
    const batch = [{ ...reads[0]!, strategy: "fail_fast" }, ...reads.slice(1)] as const
    const asking = yield* Effect.forkChild(readMany(session, batch, { strategy: "partial_fill" }), {
      startImmediately: true
    })
    yield* TestClock.adjust("1900 millis")
    assert.strictEqual(sent.length, 1)
    yield* TestClock.adjust("200 millis")
    assert.deepStrictEqual(told(yield* Fiber.join(asking)), ["UnknownSeries", 2, 2])
  })
)

it.effect("readMany() gives an answer that can't be read to its read alone", () =>
  Effect.gen(function* () {
    const broken: Answer = { ...rows, data: rows.data.slice(0, 20) }
    const { sent, session } = setUp(() => [about(0, broken), about(1, rows), about(2, rows, end)])
    assert.deepStrictEqual(told(yield* readMany(session, reads)), ["MalformedMessage", 2, 2])
    assert.strictEqual(sent.length, 1)
  })
)

it.effect("readMany() asks a host that has too much to do again when that said so", () =>
  Effect.gen(function* () {
    const full = refusal(429, { error: { tag: "MailboxFull", message: "full", retryAfterMs: 500 } })
    const { sent, session } = setUp((request) =>
      request === 0 ? [full] : [about(0, rows), about(1, rows), about(2, rows, end)]
    )
    const asking = yield* Effect.forkChild(readMany(session, reads), { startImmediately: true })
    yield* TestClock.adjust("499 millis")
    assert.strictEqual(sent.length, 1)
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(told(yield* Fiber.join(asking)), [2, 2, 2])
  })
)

it.effect("readMany() gives up what never comes, and keeps what has come", () =>
  Effect.gen(function* () {
    const { sent, session } = setUp((request) =>
      request === 0 ? [about(1, rows)] : [about(0, arrowAnswer(), [Header.part, "0"])]
    )
    const asking = yield* Effect.forkChild(readMany(session, reads), { startImmediately: true })
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(told(yield* Fiber.join(asking)), ["DeadlineExceeded", 2, "DeadlineExceeded"])
    assert.isBelow(sent.length, 30)
  })
)

it.live("readMany() is called off by its signal, and the host is told by the name of the call", () =>
  Effect.promise(async () => {
    const { client, granted, sent } = setUp(() => [about(0, rows)])
    const controller = new AbortController()
    const asking = client.readMany(reads, { signal: controller.signal })
    while (sent.length === 0) await Promise.resolve()
    controller.abort(new Error("enough"))
    const error: unknown = await asking.catch((cause: unknown) => cause)
    assert.deepInclude(error, { tag: "Cancelled" })
    assert.include(granted, `seamless.v1.cancel.${sent[0]?.headers.get("Seamless-Call")}`)
    assert.notProperty(sent[0]?.body, "signal")
  })
)
