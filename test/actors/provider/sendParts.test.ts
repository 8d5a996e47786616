/** Is an answer cut into parts that are carried, and is each where its reader looks for it? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { frameReply } from "../../../actors/provider/historyReply.ts"
import type { RowFlow } from "../../../actors/provider/readParts.ts"
import { type PartOptions, sendParts } from "../../../actors/provider/sendParts.ts"
import type * as Frame from "../../../protocol/frame/Frame.ts"
import { StrictViolation } from "../../../protocol/history/Errors.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import { type Headers } from "../../../runtime/Mesh.ts"
import { type Reply, silence } from "../../../runtime/ServiceEndpoint.ts"
import { meta as wireMeta } from "../../client/answers.ts"
import { floats } from "../../support/floatFrames.ts"

const minute = 60_000
const meta = Schema.decodeUnknownSync(HistoryMeta)(wireMeta)

const bars = (from: number, to: number): Frame.Frame => {
  const minutes = Array.from({ length: to - from }, (_, index) => from + index)
  return {
    eventTimeMs: Float64Array.from(minutes, (at) => at * minute),
    columns: [floats("close", ...minutes)],
    flags: new Uint32Array(minutes.length),
    lineage: minutes.length === 0 ? [] : [{ rows: minutes.length, source: "binance", ingestAtMs: 1, jobId: "j" }]
  }
}

/** Rows that go by in batches of such lengths. */
const flowOf = (lengths: ReadonlyArray<number>, more: Partial<RowFlow<never>> = {}): RowFlow<never> => {
  let at = 0
  const left = [...lengths]
  return {
    next: Effect.sync(() => {
      const length = left.shift()
      if (length === undefined) return Option.none()
      at += length
      return Option.some(bars(at - length, at))
    }),
    account: Effect.succeed({ meta, error: undefined }),
    returnMeta: true,
    waitMs: 1000,
    firstWaitMs: Effect.succeed(1000),
    goneByMs: () => at * minute,
    cursorAt: (fromMs) => `c${fromMs / minute}`,
    barMs: minute,
    empty: bars(0, 0),
    isResumed: false,
    ...more
  }
}

interface Sent {
  readonly times: ReadonlyArray<number>
  readonly hasMeta: boolean
  readonly bytes: number
  readonly headers: Headers
}

const sentOf = ({ data, headers }: Reply): Sent => {
  const { columns, meta: account }: { columns: { event_time: ReadonlyArray<number> }; meta?: unknown } = JSON.parse(
    new TextDecoder().decode(data)
  )
  const times = columns.event_time.map((time) => time / minute)
  return { times, hasMeta: account !== undefined, bytes: data.length, headers }
}

/** Sends an answer, and gives all that was sent, the last message too. */
const send = Effect.fnUntraced(function* (flow: RowFlow<never>, more: Partial<PartOptions> = {}, credits = Infinity) {
  const sent: Array<Sent> = []
  let left = credits
  const last = yield* sendParts(flow, {
    credit: { subject: "flow.1", take: Effect.sync(() => left-- > 0) },
    encode: (df, account) => Effect.sync(() => frameReply(df, "json", account)),
    send: (data, headers) => void sent.push(sentOf({ data, headers })),
    bytesMax: 100_000,
    ...more
  })
  return { sent, last, all: last === silence ? sent : [...sent, sentOf(last)] }
})

/** Every second minute until one, from the first or the second on. */
const stripes = (until: number, first: number): RangeSet.RangeSet =>
  RangeSet.make(
    Array.from({ length: Math.ceil((until - first) / 2) }, (_, index) => {
      const at = first + 2 * index
      return [at * minute, (at + 1) * minute] as const
    })
  )

const timesOf = (all: ReadonlyArray<Sent>) => all.flatMap(({ times }) => times)
const minutesTo = (end: number) => Array.from({ length: end }, (_, at) => at)
const accountBytes = frameReply(bars(0, 0), "json", meta).data.length

describe("sendParts()", () => {
  it.effect("sendParts() cuts rows to parts of about one size, in their order, the account in the last", () =>
    Effect.gen(function* () {
      const { all } = yield* send(flowOf([100, 0, 7, 900, 1]), { partBytes: 4000 })
      assert.deepStrictEqual(timesOf(all), minutesTo(1008))
      assert.isAbove(all.length, 5)
      for (const { bytes } of all.slice(1, -1)) assert.isTrue(bytes > 2000 && bytes < 6000, String(bytes))
      assert.deepStrictEqual(
        all.map(({ hasMeta }) => hasMeta),
        all.map((_, index) => index === all.length - 1)
      )
      let next = 0
      for (const [index, { headers, times }] of all.entries()) {
        const isLast = index === all.length - 1
        next += times.length
        assert.strictEqual(headers.get("Seamless-Part"), String(index))
        assert.strictEqual(headers.get("Seamless-Flow"), "flow.1")
        assert.strictEqual(headers.get("Seamless-Last"), isLast ? "true" : undefined)
        assert.strictEqual(headers.get("Seamless-Cursor"), isLast ? undefined : `c${next}`)
      }
    })
  )

  it.effect("sendParts() sends what is one part without the headers of parts, unless it goes on from a cursor", () =>
    Effect.gen(function* () {
      for (const lengths of [[5, 5], []]) {
        const whole = yield* send(flowOf(lengths))
        assert.lengthOf(whole.all, 1)
        assert.deepStrictEqual([...whole.all[0]!.headers.keys()], ["Content-Type"])
        assert.isTrue(whole.all[0]!.hasMeta)
        const rest = yield* send(flowOf(lengths, { isResumed: true }))
        assert.strictEqual(rest.all[0]!.headers.get("Seamless-Last"), "true")
      }
      const { all } = yield* send(flowOf([5], { returnMeta: false }))
      assert.isFalse(all[0]!.hasMeta)
    })
  )

  it.effect(
    "sendParts() cuts a part smaller that is not carried, and the account alone where rows leave it no room",
    () =>
      Effect.gen(function* () {
        const bytesMax = accountBytes + 20
        const { all } = yield* send(flowOf([300]), { bytesMax, partBytes: 1_000_000 })
        assert.deepStrictEqual(timesOf(all), minutesTo(300))
        for (const { bytes } of all) assert.isAtMost(bytes, bytesMax)
        assert.deepStrictEqual(all.at(-1)!.times, [])
      })
  )

  it.effect("sendParts() sends nothing of an answer whose account is known not to be carried", () =>
    Effect.gen(function* () {
      const soFar = { meta: () => meta, rangesGiven: () => 0 }
      const sent: Array<unknown> = []
      const options = { bytesMax: accountBytes - 1, send: () => void sent.push(1) }
      const error = yield* Effect.flip(send(flowOf([3000, 3000], { soFar }), options))
      assert.isTrue(error._tag === "ResultTooLarge" && error.ofAccount)
      assert.match(error.message, /returnMeta: false/)
      assert.lengthOf(sent, 0)
      // who does not want it gets the rows
      const { all } = yield* send(flowOf([3000, 3000], { soFar, returnMeta: false }), { bytesMax: accountBytes - 1 })
      assert.deepStrictEqual(timesOf(all), minutesTo(6000))
    })
  )

  it.effect("sendParts() ends an answer whose account has come to more than is carried, and not behind all rows", () =>
    Effect.gen(function* () {
      let gone = 0
      const counted = flowOf(Array.from({ length: 100 }, () => 500))
      // two sources take turns, bar by bar
      const given = () => ({ binance: stripes(gone, 0), kraken: stripes(gone, 1) })
      const soFar = { meta: () => ({ ...meta, sourceContributions: given() }), rangesGiven: () => gone }
      const next = Effect.tap(counted.next, () => Effect.sync(() => void (gone += 500)))
      const sent: Array<unknown> = []
      const error = yield* Effect.flip(send({ ...counted, next, soFar }, { send: () => void sent.push(1) }))
      assert.isTrue(error._tag === "ResultTooLarge" && error.ofAccount)
      assert.isBelow(gone, 25_000)
    })
  )

  it.effect("sendParts() refuses a row that is not carried, and an account", () =>
    Effect.gen(function* () {
      const row = yield* Effect.flip(send(flowOf([3]), { bytesMax: 100 }))
      assert.strictEqual(row._tag, "ResultTooLarge")
      const account = yield* Effect.flip(send(flowOf([]), { bytesMax: 100 }))
      assert.strictEqual(account._tag, "ResultTooLarge")
    })
  )

  it.effect("sendParts() sends no more than the reader takes, and ends without a word when that is all", () =>
    Effect.gen(function* () {
      const { last, sent } = yield* send(flowOf([1000]), { partBytes: 2000 }, 3)
      assert.lengthOf(sent, 3)
      assert.strictEqual(last, silence)
    })
  )

  it.effect("sendParts() that finds a demand unmet at the end says so there", () =>
    Effect.gen(function* () {
      const error = new StrictViolation({ expectedBars: 1001, gotBars: 1000, missingRanges: [] })
      const flow = flowOf([1000], { account: Effect.succeed({ meta, error }) })
      const failure = yield* Effect.flip(send(flow, { partBytes: 2000 }))
      assert.strictEqual(failure._tag === "Refused" ? failure.error : failure, error)
    })
  )

  it.live("sendParts() waits for rows no longer than the caller's time, for each part anew", () =>
    Effect.gen(function* () {
      const slow = (flow: RowFlow<never>, ms: number): RowFlow<never> => ({
        ...flow,
        next: Effect.andThen(Effect.sleep(ms), flow.next)
      })
      const options = { partBytes: 2000 }
      const inTime = yield* send(slow(flowOf([50, 50, 50, 50], { waitMs: 250 }), 50), options)
      assert.deepStrictEqual(timesOf(inTime.all), minutesTo(200))
      const late = yield* Effect.flip(send(slow(flowOf([50, 50, 50], { waitMs: 50 }), 400), options))
      assert.strictEqual(late._tag, "DeadlineExceeded")
      const firstWaitMs = Effect.succeed(50)
      const lateAtFirst = yield* Effect.flip(send(slow(flowOf([50], { firstWaitMs }), 400), options))
      assert.strictEqual(lateAtFirst._tag, "DeadlineExceeded")
    })
  )

  it.live("sendParts() says with parts without rows that it goes through time without any, and where to go on", () =>
    Effect.gen(function* () {
      let batch = 0
      const flow: RowFlow<never> = {
        ...flowOf([]),
        next: Effect.suspend(() =>
          ++batch > 10 ? Effect.succeedNone : Effect.asSome(Effect.succeed(bars(0, 0)))
        ).pipe(Effect.delay(60)),
        goneByMs: () => Math.min(batch, 10) * 1000 * minute,
        waitMs: 200,
        firstWaitMs: Effect.succeed(200)
      }
      const { all } = yield* send(flow)
      assert.deepStrictEqual(timesOf(all), [])
      assert.isAbove(all.length, 2)
      assert.isTrue(all.at(-1)!.hasMeta)
      const cursors = all.slice(0, -1).map(({ headers }) => Number(headers.get("Seamless-Cursor")?.slice(1)))
      assert.deepStrictEqual(
        cursors,
        [...new Set(cursors)].toSorted((a, b) => a - b)
      )
      assert.isAtLeast(cursors[0]!, 1000)
    })
  )
})
