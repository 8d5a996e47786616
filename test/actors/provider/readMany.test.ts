/** Is each of many reads answered as if it had been sent alone, and does nobody wait for all of them? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, type Duration, Effect, Fiber, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { RowFlow } from "../../../actors/provider/readParts.ts"
import { SeamlessDataProvider } from "../../../actors/provider/SeamlessDataProvider.ts"
import * as WireService from "../../../actors/provider/WireService.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { InvalidRequest } from "../../../protocol/history/Errors.ts"
import { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import { Header } from "../../../protocol/wire/Header.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { HostStatus } from "../../../runtime/HostStatus.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type Message } from "../../../runtime/Mesh.ts"
import { frame, meta } from "../../client/answers.ts"
import { floats } from "../../support/floatFrames.ts"
import { unpackTyped } from "../../support/unpackTyped.ts"

type Read = SeamlessDataProvider["Service"]["read"]

const unused = Effect.die("only reads are asked")

const answered = { result: { df: frame, meta: Schema.decodeUnknownSync(HistoryMeta)(meta) }, returnMeta: true }

/** Refuses what has the node "bad", and has the same rows for all others. */
const plain: Read = (request) =>
  JSON.stringify(request).includes('"bad"')
    ? Effect.fail(new InvalidRequest({ field: "nodeId", problem: "is bad" }))
    : Effect.succeed(answered)

/** Answers, and notes what was asked. */
const noting =
  (asked: Array<unknown>): Read =>
  (request) =>
    Effect.andThen(
      Effect.sync(() => void asked.push(request)),
      plain(request)
    )

/** Rows of which a message takes some. */
const largeFrames = Array.from({ length: 3 }, (_, index): Frame.Frame => {
  const rows = 8000
  return {
    eventTimeMs: Float64Array.from({ length: rows }, (__, row) => (index * rows + row) * 60_000),
    columns: [floats("close", ...Array.from({ length: rows }, (__, row) => row / 3))],
    flags: new Uint32Array(rows),
    lineage: [{ rows, source: "binance", ingestAtMs: 1, jobId: "j" }]
  }
})

const flowOf = (frames: ReadonlyArray<Frame.Frame>): RowFlow<never> => {
  const left = [...frames]
  return {
    next: Effect.sync(() => Option.fromUndefinedOr(left.shift())),
    account: Effect.succeed({ meta: answered.result.meta, error: undefined }),
    returnMeta: true,
    waitMs: Infinity,
    firstWaitMs: Effect.succeed(Infinity),
    goneByMs: () => (frames.length - left.length) * 8000 * 60_000,
    cursorAt: (fromMs) => `from ${fromMs}`,
    barMs: 60_000,
    empty: Frame.slice(frames[0]!, 0, 0),
    isResumed: false
  }
}

const delayOf = (request: unknown): Duration.Input => {
  const text = JSON.stringify(request)
  return text.includes('"slow"') ? "100 millis" : text.includes('"slower"') ? "20 seconds" : 0
}

/** What has the node "large" goes by, "broken" breaks, everything else is there. */
const parted: SeamlessDataProvider["Service"]["readParts"] = (request) =>
  JSON.stringify(request).includes('"broken"')
    ? Effect.die(new Error("a fault"))
    : JSON.stringify(request).includes('"large"')
      ? Effect.succeed({ flow: flowOf(largeFrames), whole: undefined })
      : Effect.map(Effect.delay(plain(request), delayOf(request)), ({ result }) => ({
          flow: flowOf([result.df]),
          whole: result
        }))

const serving = (read: Read) =>
  WireService.layer({ hostId: "a" }).pipe(
    Layer.provide(
      Layer.succeed(SeamlessDataProvider, {
        read,
        readParts: parted,
        ensureAvailable: () => unused,
        coverage: () => unused,
        explain: () => unused,
        diff: () => unused
      })
    ),
    Layer.provide(Layer.succeed(HostStatus, { state: () => "serving", reason: () => "", draining: Effect.never })),
    Layer.provideMerge(MemoryMesh.layer)
  )

const ask = Effect.fnUntraced(function* (subject: string, body: object, given: Readonly<Record<string, string>> = {}) {
  const mesh = yield* Mesh
  const data = new TextEncoder().encode(JSON.stringify(body))
  return yield* mesh.request(subject, data, { headers: new Map(Object.entries(given)), timeoutMs: 60_000 })
})

const { read, readMany } = Subject.service

const Batch = Schema.Struct({
  results: Schema.Array(
    Schema.Struct({
      columns: Schema.optionalKey(Schema.Unknown),
      meta: Schema.optionalKey(Schema.Unknown),
      code: Schema.optionalKey(Schema.Int),
      error: Schema.optionalKey(
        Schema.Struct({
          tag: Schema.String,
          message: Schema.String,
          budgetMs: Schema.optionalKey(Schema.Finite)
        })
      )
    })
  )
})
const decodeBatch = Schema.decodeUnknownSync(Batch)

const decodeRows = Schema.decodeUnknownSync(
  Schema.Struct({ columns: Schema.Struct({ event_time: Schema.Array(Schema.Finite) }) })
)

const askAs = (caller: string) => ask(readMany, { requests: nodes(1) }, { [Header.caller]: caller })

const jsonOf = ({ data }: { readonly data: Uint8Array }): unknown => JSON.parse(new TextDecoder().decode(data))

const nodes = (count: number, nodeId = "a") => Array.from({ length: count }, () => ({ nodeId }))

describe("readMany", () => {
  it.effect("gives each read the body that it would have had alone, in their order", () =>
    Effect.gen(function* () {
      const requests = [{ nodeId: "a" }, { nodeId: "bad" }, { nodeId: "b" }]
      const alone = jsonOf(yield* ask(read, {}))
      const batch = decodeBatch(jsonOf(yield* ask(readMany, { requests })))
      const error = { tag: "InvalidRequest", message: "nodeId: is bad" }
      assert.deepStrictEqual<unknown>(batch.results, [alone, { error, code: 400 }, alone])

      const accept = { [Header.accept]: "application/msgpack" }
      const packed = decodeBatch(unpackTyped((yield* ask(readMany, { requests }, accept)).data))
      const packedAlone = unpackTyped((yield* ask(read, {}, accept)).data)
      assert.deepStrictEqual<unknown>(packed.results, [packedAlone, { error, code: 400 }, packedAlone])
    }).pipe(Effect.provide(serving(plain)))
  )

  it.effect("keeps a read that breaks the host's answer from no other read", () => {
    const breaking: Read = (request) =>
      JSON.stringify(request).includes('"broken"') ? Effect.die(new Error("a fault")) : plain(request)
    return Effect.gen(function* () {
      const requests = [...nodes(5), { nodeId: "broken" }, ...nodes(5)]
      const { results } = decodeBatch(jsonOf(yield* ask(readMany, { requests })))
      assert.deepStrictEqual(
        results.map(({ code, error }) => [code, error?.tag]),
        requests.map(({ nodeId }) => (nodeId === "broken" ? [500, "InternalError"] : [undefined, undefined]))
      )
    }).pipe(Effect.provide(serving(breaking)))
  })

  it.effect("has fields beside the reads hold for each that does not have them itself", () => {
    const asked: Array<unknown> = []
    return Effect.gen(function* () {
      const shared = { interval: "1m", start: 0, end: 60_000, strategy: "fail_fast", requestId: "r" }
      yield* ask(readMany, { ...shared, requests: [{ nodeId: "a" }, { nodeId: "b", interval: "5m" }] })
      assert.deepStrictEqual(asked, [
        { ...shared, nodeId: "a" },
        { ...shared, nodeId: "b", interval: "5m" }
      ])
    }).pipe(Effect.provide(serving(noting(asked))))
  })

  it.effect("is refused as a whole where it is no list of reads, has too many, or wants what is not served", () =>
    Effect.gen(function* () {
      const refusals = [
        [{ requests: [] }, {}, "InvalidRequest", "requests: has no read: there is at least one in it"],
        [{}, {}, "InvalidRequest", "requests"],
        [{ requests: { nodeId: "a" } }, {}, "InvalidRequest", "requests"],
        [{ requests: nodes(1), startegy: "seamless" }, {}, "InvalidRequest", "is no field"],
        [{ requests: nodes(1), strict: "yes" }, {}, "InvalidRequest", "strict"],
        [{ requests: nodes(1001) }, {}, "TooManyReads", "1001 reads; at most 1000"],
        [
          { requests: nodes(1) },
          { [Header.accept]: "application/vnd.apache.arrow.stream" },
          "InvalidRequest",
          "Accept"
        ],
        [{ requests: nodes(1) }, { [Header.credit]: "0" }, "InvalidRequest", Header.credit],
        [{ requests: nodes(1) }, { [Header.credit]: "4", [Header.cursor]: "c" }, "InvalidRequest", Header.cursor],
        [{ requests: nodes(1, "n".repeat(1024 * 1024)) }, {}, "RequestTooLarge", "at most 1048576"]
      ] as const
      for (const [body, headers, tag, problem] of refusals) {
        const reply = yield* ask(readMany, body, headers)
        assert.strictEqual(reply.headers.get(Header.error), tag, problem)
        assert.include(JSON.stringify(jsonOf(reply)), problem)
      }
    }).pipe(Effect.provide(serving(plain)))
  )

  it.effect("works on eight reads at once", () => {
    let [atOnce, most, all] = [0, 0, 0]
    const slow: Read = (request) =>
      Effect.gen(function* () {
        all++
        most = Math.max(most, ++atOnce)
        yield* Effect.sleep("10 millis")
        atOnce--
        return yield* plain(request)
      })
    return Effect.gen(function* () {
      const batch = yield* Effect.forkChild(ask(readMany, { requests: nodes(100) }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(decodeBatch(jsonOf(yield* Fiber.join(batch))).results.length, 100)
      assert.deepStrictEqual([all, most], [100, 8])
    }).pipe(Effect.provide(serving(slow)))
  })

  it.live("keeps nobody else waiting: a read is answered while a batch of a thousand is at its first few", () => {
    let batchReads = 0
    const busy: Read = (request) =>
      Effect.suspend(() => {
        if (JSON.stringify(request).includes('"batch"')) batchReads++
        // as long as a read of a day takes
        const until = performance.now() + 0.3
        while (performance.now() < until);
        return plain(request)
      })
    return Effect.gen(function* () {
      const batch = yield* Effect.forkChild(ask(readMany, { requests: nodes(1000, "batch"), returnMeta: false }))
      for (const target of [1, 300, 600]) {
        yield* Effect.repeat(Effect.yieldNow, { until: () => batchReads >= target })
        const before = batchReads
        assert.isFalse((yield* ask(read, { nodeId: "single" })).headers.has(Header.error))
        assert.isBelow(batchReads - before, 100, `after ${before}`)
      }
      assert.isUndefined(batch.pollUnsafe())
      yield* Fiber.join(batch)
      assert.strictEqual(batchReads, 1000)
    }).pipe(Effect.provide(serving(busy)))
  })

  it.effect("has one deadline: what has not begun by then is told so, and what was begun is answered", () => {
    const slow: Read = (request) => Effect.delay(plain(request), "100 millis")
    return Effect.gen(function* () {
      const asked = { requests: nodes(40), sla: { totalDeadlineMs: 250 } }
      const batch = yield* Effect.forkChild(ask(readMany, asked))
      yield* TestClock.adjust("300 millis")
      const { results } = decodeBatch(jsonOf(yield* Fiber.join(batch)))
      assert.deepStrictEqual(
        results.map(({ error }) => error?.tag),
        [...Array.from({ length: 24 }, () => undefined), ...Array.from({ length: 16 }, () => "DeadlineExceeded")]
      )
      assert.strictEqual(results.at(-1)?.code, 504)
    }).pipe(Effect.provide(serving(slow)))
  })

  it.effect("has the time that its header names, and tells those that had no turn of that", () => {
    const slow: Read = (request) => Effect.delay(plain(request), "100 millis")
    return Effect.gen(function* () {
      const named = { [Header.budgetMs]: "150" }
      const batch = yield* Effect.forkChild(
        ask(readMany, { requests: nodes(20), sla: { totalDeadlineMs: 400 } }, named)
      )
      yield* TestClock.adjust("1 second")
      const { results } = decodeBatch(jsonOf(yield* Fiber.join(batch)))
      assert.deepStrictEqual(
        results.map(({ error }) => error?.budgetMs),
        [...Array.from({ length: 16 }, () => undefined), ...Array.from({ length: 4 }, () => 150)]
      )
    }).pipe(Effect.provide(serving(slow)))
  })

  it.effect("that has no time at all is refused at once, as a whole, also in parts", () =>
    Effect.gen(function* () {
      const noTime = [
        [{ requests: nodes(2) }, { [Header.budgetMs]: "0" }],
        [{ requests: nodes(2) }, { [Header.budgetMs]: "-5", [Header.credit]: "4" }],
        [{ requests: nodes(2), sla: { totalDeadlineMs: 0 } }, {}],
        [{ requests: nodes(2), sla: { totalDeadlineMs: 0 } }, { [Header.credit]: "4" }]
      ] as const
      for (const [body, headers] of noTime) {
        const reply = yield* ask(readMany, body, headers)
        assert.strictEqual(reply.headers.get(Header.error), "DeadlineExceeded")
        assert.isFalse(reply.headers.has(Header.item))
        assert.containSubset(jsonOf(reply), { error: { budgetMs: 0 } })
      }
    }).pipe(Effect.provide(serving(plain)))
  )

  it.effect("leaves what is no read at all to be refused by itself, with nothing of what holds for the others", () => {
    const asked: Array<unknown> = []
    return Effect.gen(function* () {
      const requests = [{ nodeId: "a" }, null, [], "x", 7, [{ nodeId: "b" }]]
      const { results } = decodeBatch(jsonOf(yield* ask(readMany, { interval: "1m", requests })))
      assert.strictEqual(results.length, requests.length)
      assert.deepStrictEqual(asked, [{ interval: "1m", nodeId: "a" }, ...requests.slice(1)])
    }).pipe(Effect.provide(serving(noting(asked))))
  })

  it.effect("is refused where it does not fit into one message, and stops then", () => {
    let all = 0
    const large = { ...answered.result.meta, notes: ["n".repeat(100_000)] }
    const counting: Read = () =>
      Effect.sync(() => {
        all++
        return { ...answered, result: { ...answered.result, meta: large } }
      })
    return Effect.gen(function* () {
      const reply = yield* ask(readMany, { requests: nodes(1000) })
      assert.strictEqual(reply.headers.get(Header.error), "ResultTooLarge")
      assert.isBelow(all, 200)
    }).pipe(Effect.provide(serving(counting)))
  })

  it.effect("takes eight batches of one caller at once, and leaves the other places to others", () => {
    const slow: Read = (request) => Effect.delay(plain(request), "100 millis")
    return Effect.gen(function* () {
      const batches = yield* Effect.forkChild(
        Effect.forEach(nodes(8), () => askAs("alice"), { concurrency: "unbounded" })
      )
      yield* Effect.repeat(Effect.yieldNow, { times: 50 })
      const refused = yield* askAs("alice")
      assert.strictEqual(refused.headers.get(Header.error), "TooManyRequests")
      assert.include(
        JSON.stringify(jsonOf(refused)),
        '"requestsMax":8,"retryAfterMs":500,"limit":"batches","limitMax":8'
      )
      const other = yield* Effect.forkChild(askAs("bob"))
      yield* Effect.repeat(Effect.yieldNow, { times: 50 })
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(batches)
      assert.isFalse((yield* Fiber.join(other)).headers.has(Header.error))
    }).pipe(Effect.provide(serving(slow)))
  })

  it.effect("takes sixteen batches at once, and refuses one more with a time to come back", () => {
    const slow: Read = (request) => Effect.delay(plain(request), "100 millis")
    return Effect.gen(function* () {
      const batches = yield* Effect.forkChild(
        Effect.forEach(nodes(16), (_, index) => askAs(index < 8 ? "alice" : "bob"), { concurrency: "unbounded" })
      )
      yield* Effect.repeat(Effect.yieldNow, { times: 50 })
      const refused = yield* askAs("carol")
      assert.strictEqual(refused.headers.get(Header.error), "MailboxFull")
      assert.include(JSON.stringify(jsonOf(refused)), '"retryAfterMs":500,"limit":"batches","limitMax":16')
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(batches)
      const again = yield* Effect.forkChild(ask(readMany, { requests: nodes(1) }))
      yield* TestClock.adjust("100 millis")
      assert.isFalse((yield* Fiber.join(again)).headers.has(Header.error))
    }).pipe(Effect.provide(serving(slow)))
  })
})

interface AskEach {
  readonly grantsMax?: number
  /** Headers beside the credit. */
  readonly given?: Readonly<Record<string, string>>
}

/** Asks for parts, and grants one more for each message that came, up to a number of messages. */
const askEach = Effect.fnUntraced(function* (body: object, credit: number, more: AskEach = {}) {
  const { grantsMax = Infinity, given = {} } = more
  const mesh = yield* Mesh
  const came: Array<Message> = []
  const ended = yield* Deferred.make<void>()
  let grants = 0
  const onAnswer = (message: Message): void => {
    came.push(message)
    if (message.headers.has(Header.end)) Deferred.doneUnsafe(ended, Effect.void)
  }
  const data = new TextEncoder().encode(JSON.stringify(body))
  const headers = new Map([[Header.credit, String(credit)], ...Object.entries(given)])
  // given when the first message has come, which may be after a while
  yield* Effect.forkScoped(mesh.requestMany(readMany, data, { headers, timeoutMs: 60_000, onAnswer }), {
    startImmediately: true
  })
  yield* Effect.repeat(Effect.yieldNow, { times: 50 })
  const grant = Effect.suspend(() => {
    const flow = came[grants]?.headers.get(Header.flow)
    if (flow === undefined || grants >= grantsMax) return Effect.void
    // what is on its way is never more than was granted
    assert.isAtMost(came.length, credit + grants)
    grants++
    return Effect.orDie(mesh.publish(flow, new TextEncoder().encode("1")))
  })
  return { came, ended: Deferred.await(ended), grant }
})

describe("readMany in parts", () => {
  it.live("gives each read messages of its own, never more than are granted, and tells the end", () =>
    Effect.gen(function* () {
      const requests = [
        { nodeId: "a" },
        { nodeId: "large" },
        { nodeId: "bad" },
        ...nodes(19),
        { nodeId: "broken" },
        { nodeId: "large" }
      ]
      const { came, ended, grant } = yield* askEach({ requests }, 3)
      yield* grant.pipe(Effect.andThen(Effect.yieldNow), Effect.forever, Effect.raceFirst(ended))
      const of = (item: number) => came.filter(({ headers }) => headers.get(Header.item) === String(item))

      assert.strictEqual(
        came.findIndex(({ headers }) => headers.has(Header.end)),
        came.length - 1
      )
      const alone = jsonOf(yield* ask(read, {}))
      assert.deepStrictEqual(of(0).map(jsonOf), [alone])
      assert.deepStrictEqual(of(21).map(jsonOf), [alone])
      assert.strictEqual(of(22)[0]?.headers.get(Header.error), "InternalError")
      const [refused] = of(2)
      assert.strictEqual(refused?.headers.get(Header.error), "InvalidRequest")
      for (const item of [1, 23]) {
        const parts = of(item)
        assert.isAbove(parts.length, 2)
        assert.deepStrictEqual(
          parts.map(({ headers }) => headers.get(Header.part)),
          parts.map((_, index) => String(index))
        )
        assert.deepStrictEqual(
          parts.map(({ headers }) => [headers.has(Header.cursor), headers.get(Header.last)]),
          parts.map((_, index) => (index < parts.length - 1 ? [true, undefined] : [false, "true"]))
        )
        const rows = parts.map((part) => decodeRows(jsonOf(part)).columns.event_time)
        assert.deepStrictEqual(
          rows.flat(),
          largeFrames.flatMap(({ eventTimeMs }) => Array.from(eventTimeMs))
        )
      }
    }).pipe(Effect.scoped, Effect.provide(serving(plain)))
  )

  it.live("sends no more than is granted, and waits for the rest", () => {
    return Effect.gen(function* () {
      const { came, grant } = yield* askEach({ requests: nodes(100) }, 5, { grantsMax: 10 })
      yield* Effect.repeat(Effect.andThen(grant, Effect.yieldNow), { times: 500 })
      assert.strictEqual(came.length, 15)
    }).pipe(Effect.scoped, Effect.provide(serving(plain)))
  })

  it.effect("keeps the time that the caller named for all: what has no turn by then is told so", () =>
    Effect.gen(function* () {
      const requests = nodes(20, "slow")
      for (const [body, given] of [
        [{ requests }, { [Header.budgetMs]: "250" }],
        [{ requests, sla: { totalDeadlineMs: 250 } }, {}]
      ] as const) {
        const { came, ended } = yield* askEach(body, 64, { given })
        yield* TestClock.adjust("300 millis")
        yield* ended
        const late = came.filter(({ headers }) => headers.get(Header.error) === "DeadlineExceeded")
        assert.deepStrictEqual([came.length, late.length], [20, 8])
        for (const message of late) assert.containSubset(jsonOf(message), { error: { budgetMs: 250 } })
      }
    }).pipe(Effect.scoped, Effect.provide(serving(plain)))
  )

  it.effect("gives each read its own time where the caller named none for all", () =>
    Effect.gen(function* () {
      const { came, ended } = yield* askEach({ requests: nodes(40, "slower") }, 64)
      yield* TestClock.adjust("200 seconds")
      yield* ended
      assert.strictEqual(came.length, 40)
      for (const { headers } of came) assert.isFalse(headers.has(Header.error))
    }).pipe(Effect.scoped, Effect.provide(serving(plain)))
  )

  it.effect("ends where the reader grants nothing for half a minute", () =>
    Effect.gen(function* () {
      const { came } = yield* askEach({ requests: nodes(100) }, 2)
      yield* Effect.repeat(Effect.yieldNow, { times: 200 })
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual(came.length, 2)
      // nothing of it is left: as many others are taken as before
      const others = Effect.forEach(nodes(8), () => ask(readMany, { requests: nodes(1) }), {
        concurrency: "unbounded"
      })
      for (const { headers } of yield* others) assert.isFalse(headers.has(Header.error))
    }).pipe(Effect.scoped, Effect.provide(serving(plain)))
  )
})
