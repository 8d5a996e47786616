/** Does an answer in parts come whole, whatever is lost on its way, and in a few parts at a time? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { fromFrame, type HistoryFrame } from "../../client/HistoryFrame.ts"
import * as Link from "../../client/Link.ts"
import { read } from "../../client/read.ts"
import type { HistoryResult } from "../../client/HistoryResult.ts"
import { makeClient } from "../../client/SeamlessClient.ts"
import { SeamlessError } from "../../client/SeamlessError.ts"
import type { Session } from "../../client/Session.ts"
import type * as Frame from "../../protocol/frame/Frame.ts"
import * as FrameCodec from "../../protocol/frame/FrameCodec.ts"
import { arrowMetaKey, Header } from "../../protocol/wire/Header.ts"
import { NoResponders } from "../../runtime/Mesh.ts"
import { type Answer, answeringMesh, type Published, type Sent } from "../support/answeringMesh.ts"
import { floats } from "../support/floatFrames.ts"
import { meta, refusal } from "./answers.ts"

const range = ["a", "1m", 0, 6_000_000] as const

/** A part has ten bars of a hundred. */
const parts = 10
const lineage = [{ rows: 10, source: "binance", ingestAtMs: 999, jobId: "j" }]

const frameOf = (part: number): Frame.Frame => ({
  eventTimeMs: Float64Array.from({ length: 10 }, (_, row) => (part * 10 + row) * 60_000),
  columns: [floats("close", ...Array.from({ length: 10 }, (_, row) => part * 10 + row))],
  flags: new Uint32Array(10),
  lineage
})

const bytesOf = (part: number): Uint8Array =>
  FrameCodec.encode(frameOf(part), {
    lineage: "columns",
    metadata: new Map(part === parts - 1 ? [[arrowMetaKey, JSON.stringify(meta)]] : [])
  })

/** The part at a place of the whole, as the `number`th of its request. */
const partOf = (place: number, number: number): Answer => ({
  data: bytesOf(place),
  headers: new Map([
    [Header.part, String(number)],
    [Header.flow, "flow.1"],
    place === parts - 1 ? [Header.last, "true"] : [Header.cursor, String(place + 1)]
  ])
})

interface Host {
  /** Answers this request: which places it sends, as many as are granted. */
  readonly answer: (sent: Sent, request: number) => ReadonlyArray<Answer> | "nobody"
}

/** A host that sends parts as they are granted. */
const setUp = Effect.fnUntraced(function* (host: Host) {
  const sent: Array<Sent> = []
  const published: Array<Published> = []
  const handlers = new Set<() => void>()
  let isUp = true
  let send = (): void => undefined
  let held = 0
  let heldMost = 0
  const mesh: Session["mesh"] = {
    ...answeringMesh(
      () => Effect.never,
      (one) => {
        published.push(one)
        if (one.subject === "flow.1") send()
      }
    ),
    payloadBytesMax: () => 1024,
    connected: () => isUp,
    onReconnect: (handler) => Effect.sync(() => void handlers.add(handler)),
    requestMany: (subject, data, { headers = new Map(), onAnswer, timeoutMs }) => {
      sent.push({ subject, body: JSON.parse(new TextDecoder().decode(data)), headers, timeoutMs })
      const answers = host.answer(sent.at(-1)!, sent.length - 1)
      if (answers === "nobody") return Effect.fail(new NoResponders({ subject }))
      const waiting = [...answers]
      send = () => {
        const answer = waiting.shift()
        if (answer === undefined) return
        held += 1
        heldMost = Math.max(heldMost, held)
        onAnswer({
          subject,
          data: answer.data,
          headers: answer.headers ?? new Map(),
          replyTo: "",
          respond: () => undefined
        })
      }
      return Effect.sync(() => {
        for (let granted = Number(headers.get(Header.credit)); granted > 0; granted--) send()
      })
    }
  }
  const session: Session = { mesh, servers: "memory", timeoutMs: 5000, link: yield* Link.make(mesh) }
  return {
    session,
    client: makeClient(session, () => Promise.resolve()),
    sent,
    published,
    taken: () => void (held -= 1),
    heldMost: () => heldMost,
    lose: () => void (isUp = false),
    back: () => {
      isUp = true
      for (const handler of handlers) handler()
    }
  }
})

const broken = { tag: "StoreDamaged", message: "broken" }

const from = (sent: Sent): number => Number(sent.headers.get(Header.cursor) ?? 0)

/** All parts from the cursor on. */
const whole = (sent: Sent): ReadonlyArray<Answer> =>
  Array.from({ length: parts - from(sent) }, (_, number) => partOf(from(sent) + number, number))

const rows = (frames: ReadonlyArray<HistoryFrame>): ReadonlyArray<number> =>
  frames.flatMap((df) => Array.from(Float64Array.from(df.columns["close"] as Float64Array)))

const hundred = Array.from({ length: 100 }, (_, row) => row)

const resultOf = (session: Session) => Effect.map(read(session, range), (found) => found as HistoryResult)

describe("stream", () => {
  it.live("gives frames one by one, grants one more for each that is taken, and then the account", () =>
    Effect.gen(function* () {
      const { client, heldMost, published, sent, taken } = yield* setUp({ answer: whole })
      yield* Effect.promise(async () => {
        const frames: Array<HistoryFrame> = []
        const answer = client.stream(...range)
        for await (const df of answer) {
          frames.push(df)
          taken()
        }
        assert.deepStrictEqual(rows(frames), hundred)
        assert.deepStrictEqual(await answer.meta, meta)
      })
      assert.strictEqual(sent[0]?.headers.get("Seamless-Credit"), "4")
      assert.isAtMost(heldMost(), 5)
      assert.deepStrictEqual(
        published.filter(({ subject }) => subject === "flow.1").map(({ text }) => text),
        Array.from({ length: parts - 1 }, () => "1")
      )
      assert.isFalse(published.some(({ subject }) => subject.startsWith("seamless.v1.cancel.")))
    })
  )

  it.live("leaving the loop has the host stop, and there is no account", () =>
    Effect.gen(function* () {
      const { client, published, sent } = yield* setUp({ answer: whole })
      yield* Effect.promise(async () => {
        const answer = client.stream(...range)
        for await (const df of answer) if (df.length > 0) break
        const error: unknown = await answer.meta.catch((cause: unknown) => cause)
        assert.deepInclude(error, { tag: "Cancelled" })
      })
      const call = sent[0]?.headers.get("Seamless-Call")
      assert.strictEqual(published.at(-1)?.subject, `seamless.v1.cancel.${call}`)
    })
  )

  it.live("a refusal in the midst of it ends the loop with its error, and the account too", () =>
    Effect.gen(function* () {
      const { client } = yield* setUp({
        answer: (sent) => [...whole(sent).slice(0, 2), refusal(500, { error: broken })]
      })
      yield* Effect.promise(async () => {
        const answer = client.stream(...range)
        const loop = (async () => {
          let count = 0
          for await (const df of answer) count += df.length
          return count
        })()
        const error: unknown = await loop.catch((cause: unknown) => cause)
        assert.instanceOf(error, SeamlessError)
        assert.deepInclude(error, { tag: "StoreDamaged", code: 500 })
        assert.strictEqual(await answer.meta.catch((cause: unknown) => cause), error)
      })
    })
  )
})

describe("stream() with a signal", () => {
  const calledOff = ({ published }: { readonly published: ReadonlyArray<Published> }) =>
    published.filter(({ subject }) => subject.startsWith("seamless.v1.cancel."))

  it.effect("is called off at once while its rows are worked on, and the next step rejects", () =>
    Effect.gen(function* () {
      const host = yield* setUp({ answer: whole })
      const controller = new AbortController()
      const answer = host.client.stream(...range, { signal: controller.signal })
      yield* Effect.promise(async () => {
        await answer.next()
        assert.deepStrictEqual(calledOff(host), [])
        controller.abort(new Error("enough"))
        assert.strictEqual(calledOff(host).length, 1)
        const error: unknown = await answer.next().catch((cause: unknown) => cause)
        assert.deepInclude(error, { tag: "Cancelled" })
        assert.deepInclude(await answer.meta.catch((cause: unknown) => cause), { tag: "Cancelled" })
        assert.deepStrictEqual(await answer.next(), { done: true, value: undefined })
      })
    })
  )

  it.effect("is heard no more when it has ended", () =>
    Effect.gen(function* () {
      const host = yield* setUp({ answer: whole })
      const controller = new AbortController()
      const answer = host.client.stream(...range, { signal: controller.signal })
      yield* Effect.promise(async () => {
        let count = 0
        for await (const df of answer) count += df.length
        controller.abort()
        assert.strictEqual(count, hundred.length)
        assert.deepStrictEqual(await answer.next(), { done: true, value: undefined })
        assert.deepStrictEqual(await answer.meta, meta)
        assert.deepStrictEqual(calledOff(host), [])
      })
    })
  )

  it.effect("has no account where it was left before it began", () =>
    Effect.gen(function* () {
      const { client } = yield* setUp({ answer: whole })
      const answer = client.stream(...range)
      yield* Effect.promise(async () => {
        await answer.return()
        assert.deepInclude(await answer.meta.catch((cause: unknown) => cause), { tag: "Cancelled" })
      })
    })
  )
})

describe("read", () => {
  it.effect("a range that is more than one message is read in parts, and put together", () =>
    Effect.gen(function* () {
      const { session } = yield* setUp({ answer: whole })
      const { df, meta: given } = yield* resultOf(session)
      assert.deepStrictEqual(rows([df]), hundred)
      assert.strictEqual(df.batches.length, parts)
      assert.deepStrictEqual(given, meta)
    })
  )

  it.effect("a part that was lost is asked for again, by the cursor of the one before", () =>
    Effect.gen(function* () {
      const { sent, session } = yield* setUp({
        answer: (asked, request) => whole(asked).filter((_, at) => request > 1 || at !== 3)
      })
      const reading = yield* Effect.forkChild(resultOf(session), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      const { df } = yield* Fiber.join(reading)
      assert.deepStrictEqual(rows([df]), hundred)
      assert.deepStrictEqual(sent.map(from), [0, 3, 6])
    })
  )

  it.effect("a host that falls silent in the midst is left for another", () =>
    Effect.gen(function* () {
      const { published, sent, session } = yield* setUp({
        answer: (asked, request) => (request === 0 ? whole(asked).slice(0, 4) : request === 1 ? "nobody" : whole(asked))
      })
      const reading = yield* Effect.forkChild(resultOf(session), { startImmediately: true })
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(sent.length, 1)
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(rows([(yield* Fiber.join(reading)).df]), hundred)
      assert.deepStrictEqual(sent.map(from), [0, 4, 4])
      assert.strictEqual(published.filter(({ subject }) => subject.startsWith("seamless.v1.cancel.")).length, 1)
    })
  )

  it.effect("a connection that was lost is waited for, and the answer goes on", () =>
    Effect.gen(function* () {
      const { back, lose, sent, session } = yield* setUp({
        answer: (asked, request) => (request === 0 ? whole(asked).slice(0, 6) : whole(asked))
      })
      const reading = yield* Effect.forkChild(resultOf(session), { startImmediately: true })
      lose()
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(sent.length, 1)
      back()
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(rows([(yield* Fiber.join(reading)).df]), hundred)
      assert.deepStrictEqual(sent.map(from), [0, 6])
    })
  )

  it.effect("an answer of which nothing new comes is given up", () =>
    Effect.gen(function* () {
      const { sent, session } = yield* setUp({
        answer: (asked, request) => (request === 0 ? whole(asked).slice(0, 4) : [])
      })
      const reading = yield* Effect.forkChild(Effect.flip(resultOf(session)), { startImmediately: true })
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* Fiber.join(reading)).tag, "DeadlineExceeded")
      assert.isBelow(sent.length, 10)
    })
  )

  it.effect("a first part that does not come is asked for again, and who was asked before is told", () =>
    Effect.gen(function* () {
      const { published, sent, session } = yield* setUp({
        answer: (asked, request) => (request === 0 ? [] : whole(asked))
      })
      const reading = yield* Effect.forkChild(resultOf(session), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(sent.length, 1)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(rows([(yield* Fiber.join(reading)).df]), hundred)
      assert.strictEqual(published[0]?.subject, `seamless.v1.cancel.${sent[0]?.headers.get("Seamless-Call")}`)
      assert.isBelow(Number(sent[1]?.headers.get("Seamless-Budget-Ms")), 24_001)
    })
  )

  it.effect("a first part that does not come by the caller's deadline is not asked for again", () =>
    Effect.gen(function* () {
      const { sent, session } = yield* setUp({ answer: () => [] })
      const asked = [...range, { sla: { totalDeadlineMs: 8000 } }] as const
      const reading = yield* Effect.forkChild(Effect.flip(read(session, asked)), { startImmediately: true })
      yield* TestClock.adjust("9 seconds")
      assert.deepInclude(yield* Fiber.join(reading), { tag: "DeadlineExceeded", code: 504 })
      assert.strictEqual(sent.length, 1)
    })
  )

  it.effect("what comes in parts since it is too large for one message has what is left of the time, and no more", () =>
    Effect.gen(function* () {
      const { sent, session } = yield* setUp({ answer: () => [] })
      const large = refusal(413, { error: { tag: "ResultTooLarge", message: "large", bytes: 2, bytesMax: 1 } })
      const { request } = answeringMesh(() => Effect.delay(Effect.succeed(large), "6 seconds"))
      const mesh = { ...session.mesh, payloadBytesMax: () => 1e6, request }
      const asked = [...range, { sla: { totalDeadlineMs: 8000 } }] as const
      const reading = yield* Effect.forkChild(Effect.flip(read({ ...session, mesh }, asked)), {
        startImmediately: true
      })
      yield* TestClock.adjust("7 seconds")
      assert.strictEqual(sent[0]?.headers.get(Header.budgetMs), "1900")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(reading)).message, "no answer from memory within 8000 ms")
    })
  )

  it.effect("parts that come slowly end at the caller's deadline, too", () =>
    Effect.gen(function* () {
      const { session } = yield* setUp({ answer: (asked) => whole(asked).slice(0, 4) })
      const asked = [...range, { sla: { totalDeadlineMs: 2000 } }] as const
      const reading = yield* Effect.forkChild(Effect.flip(read(session, asked)), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(reading)).message, "no answer from memory within 2000 ms")
    })
  )

  it.effect.each([
    ["at its beginning", []],
    ["where it goes on", [0, 4]]
  ] as const)("a host that has too much to do is asked again when it said so, %s", ([, before]) =>
    Effect.gen(function* () {
      const full = refusal(429, { error: { tag: "MailboxFull", message: "full", retryAfterMs: 500 } })
      const { sent, session } = yield* setUp({
        answer: (asked, request) => {
          if (request < before.length) return whole(asked).slice(0, 4)
          return request === before.length ? [full] : whole(asked)
        }
      })
      const reading = yield* Effect.forkChild(resultOf(session), { startImmediately: true })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(rows([(yield* Fiber.join(reading)).df]), hundred)
      assert.strictEqual(sent.length, before.length + 2)
    })
  )

  it.effect("an answer that fits into one message is none of this", () =>
    Effect.gen(function* () {
      const whole = fromFrame(frameOf(0), new Map([[arrowMetaKey, JSON.stringify(meta)]]))
      const { session } = yield* setUp({ answer: () => [{ data: bytesOf(parts - 1) }] })
      const { df } = yield* resultOf(session)
      assert.strictEqual(df.length, whole.length)
    })
  )
})
