/** Are odd answers of an exchange taken for what they are, and nothing taken for an answer that is none? */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option, Tracer } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { RequestFailed } from "../../../actors/sources/DataSource.ts"
import * as Exchange from "../../../actors/sources/Exchange.ts"
import { type Ended, Gate } from "../../../actors/sources/Gate.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import type { ExchangeSettings } from "../../../protocol/SourceSettings.ts"
import { intervalOf } from "../../support/rows.ts"

type Handle = (request: IncomingMessage, response: ServerResponse) => void

const urlOf = (server: ReturnType<typeof createServer>): string => {
  const address = server.address()
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`
}

const serve = (handle: Handle) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer(handle)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  ).pipe(Effect.map(urlOf))

const json = (response: ServerResponse, body: unknown): void => {
  response.setHeader("Content-Type", "application/json")
  response.end(JSON.stringify(body))
}

const binanceMarkets = {
  symbols: [{ symbol: "BTCBUSD", status: "TRADING", baseAsset: "BTC", quoteAsset: "BUSD", filters: [] }]
}

/** A binance with one market, whose klines are answered by `klines`. */
const binance =
  (klines: Handle): Handle =>
  (request, response) =>
    request.url?.includes("/klines") ? klines(request, response) : json(response, binanceMarkets)

const interval = intervalOf("1m")
// no exchange traded at the epoch, and ccxt takes it for a missing time
const originMs = 1_670_889_600_000

const timeOf = (minute: number): number => originMs + minute * interval.lengthMs

const minuteOf = (time: number | string | bigint): number => (Number(time) - originMs) / interval.lengthMs

const minutesOf = ({ eventTime }: RawRows): ReadonlyArray<number> => Array.from(eventTime, minuteOf)

const kline = (minute: number, ...values: ReadonlyArray<string | null>) => [
  timeOf(minute),
  ...(values.length > 0 ? values : ["1", "2", "0.5", "1.5", "10"]),
  timeOf(minute + 1) - 1
]

const sourceOf = (baseUrl: string, settings: Partial<ExchangeSettings> = {}) =>
  Exchange.make("odd", { kind: "exchange", exchange: "binance", baseUrl, ...settings })

const minutes = (from: number, to: number, symbol = "BTC/BUSD") => ({
  symbol,
  interval,
  start: timeOf(from),
  end: timeOf(to)
})

/** Asks for the first ten minutes. */
const ask = Effect.fnUntraced(function* (klines: Handle, settings: Partial<ExchangeSettings> = {}) {
  const source = yield* sourceOf(yield* serve(binance(klines)), settings)
  return yield* source.page(minutes(0, 10))
})

const waitUntil = (check: () => boolean) =>
  Effect.sleep("10 millis").pipe(Effect.repeat({ until: check }), Effect.timeout("5 seconds"))

describe("page()", () => {
  it.live("gives NaN for a value that the exchange left out", () =>
    Effect.gen(function* () {
      const page = yield* ask((_, response) =>
        json(response, [kline(0, "1", null, "0.5", "1.5", ""), [timeOf(1), "1"], kline(2)])
      )
      assert.deepStrictEqual(minutesOf(page), [0, 1, 2])
      const missing = Number.NaN
      assert.deepStrictEqual(
        page.columns.map(({ name, values }) => [name, ...values]),
        [
          ["open", 1, 1, 1],
          ["high", missing, missing, 2],
          ["low", 0.5, missing, 0.5],
          ["close", 1.5, missing, 1.5],
          ["volume", missing, missing, 10]
        ]
      )
    })
  )

  it.effect("says that its bars are adjusted where its settings do", () =>
    Effect.gen(function* () {
      assert.isUndefined((yield* sourceOf("http://127.0.0.1:1")).capabilities.rowFlags)
      const adjusted = yield* sourceOf("http://127.0.0.1:1", { adjusted: true })
      assert.strictEqual(adjusted.capabilities.rowFlags, RowFlag.adjusted)
    })
  )

  it.live("puts bars in order, and drops those that were not asked for", () =>
    Effect.gen(function* () {
      const page = yield* ask((_, response) => json(response, [kline(9), kline(3), kline(10), kline(4)]))
      assert.deepStrictEqual(minutesOf(page), [3, 4, 9])
    })
  )

  it.live("is empty of time before the epoch without a request, and asks for none of it", () =>
    Effect.gen(function* () {
      const asked: Array<string | null> = []
      const klines: Handle = (request, response) => {
        asked.push(new URL(request.url ?? "", "http://odd").searchParams.get("startTime"))
        json(response, [])
      }
      const source = yield* sourceOf(yield* serve(binance(klines)))
      const pageOf = (start: number, end: number) => source.page({ symbol: "BTC/BUSD", interval, start, end })
      assert.lengthOf((yield* pageOf(-600_000, -60_000)).eventTime, 0)
      assert.lengthOf((yield* pageOf(-600_000, 60_000)).eventTime, 0)
      assert.deepStrictEqual(asked, [])
      assert.lengthOf((yield* pageOf(-600_000, 120_000)).eventTime, 0)
      assert.deepStrictEqual(asked, ["60000"])
    })
  )

  it.live("is empty when all bars of the answer lie behind the range", () =>
    Effect.gen(function* () {
      const page = yield* ask((_, response) => json(response, [kline(10), kline(51)]))
      assert.lengthOf(page.eventTime, 0)
    })
  )

  it.live.each([
    ["a page of something else", "<html>Down for maintenance</html>"],
    ["an answer that was cut", '[[0,"1","2"'],
    ["nothing", ""]
  ])("takes %s for a failure that passes, not for an absence of bars", ([, body]) =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(ask((_, response) => void response.end(body)))
      assert.isTrue(failure.retryable)
      assert.include(failure.reason, "something else than JSON")
    })
  )

  it.live.each([
    ["an object", { code: 0 }],
    ["bars without a time", [[null, "1", "2", "0.5", "1.5", "10"]]],
    ["bars that are none", [kline(0), {}]]
  ])("takes %s for a failure that passes, not for bars that are absent", ([, body]) =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(ask((_, response) => json(response, body)))
      assert.isTrue(failure.retryable)
      assert.include(failure.reason, "something else than a list of bars")
    })
  )

  it.live("takes a connection that breaks within an answer for a failure that passes", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(
        ask((_, response) => {
          response.writeHead(200, { "Content-Length": 1000 })
          response.write("[[0,")
          setTimeout(() => response.destroy(), 20)
        })
      )
      assert.isTrue(failure.retryable)
      assert.isNull(failure.retryAfterMs)
    })
  )

  it.live("closes the connection of an answer that never ends, in time and on interruption", () =>
    Effect.gen(function* () {
      let opened = 0
      let closed = 0
      const klines: Handle = (request, response) => {
        opened++
        request.socket.once("close", () => void closed++)
        response.writeHead(200)
        response.write("[[0,")
      }
      const source = yield* sourceOf(yield* serve(binance(klines)), { requestTimeoutMs: 500 })
      const failure = yield* Effect.flip(source.page(minutes(0, 10)))
      assert.deepStrictEqual([failure.retryable, failure.reason], [true, "binance gave no answer within 500 ms"])
      yield* waitUntil(() => closed === 1)
      const asking = yield* Effect.forkChild(source.page(minutes(0, 10)))
      yield* waitUntil(() => opened === 2)
      yield* Fiber.interrupt(asking)
      yield* waitUntil(() => closed === 2)
    })
  )

  it.live("fails for good when the exchange refuses the request", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(
        ask((_, response) => {
          response.statusCode = 400
          json(response, { code: -1121, msg: `Invalid symbol. ${"x".repeat(1000)}` })
        })
      )
      assert.isFalse(failure.retryable)
      assert.include(failure.reason, "Invalid symbol.")
      assert.isAtMost(failure.reason.length, 200)
    })
  )

  it.live("waits on a ban for as long as the exchange says", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(
        ask((_, response) => {
          response.writeHead(418, {
            Date: "Tue, 13 Dec 2022 00:00:00 GMT",
            "Retry-After": "Tue, 13 Dec 2022 00:02:00 GMT"
          })
          response.end("{}")
        })
      )
      assert.deepStrictEqual([failure.retryable, failure.retryAfterMs], [true, 120_000])
    })
  )
})

describe("firstBar()", () => {
  it.live("is none where the exchange has no bar, and fails as a page does", () =>
    Effect.gen(function* () {
      const answers: Array<(response: ServerResponse) => void> = [
        (response) => json(response, []),
        (response) => response.writeHead(500).end("{}")
      ]
      const url = yield* serve(binance((_, response) => answers.shift()?.(response)))
      const { firstBar } = yield* sourceOf(url)
      assert.isDefined(firstBar)
      if (firstBar === undefined) return
      assert.isTrue(Option.isNone(yield* firstBar("BTC/BUSD", interval)))
      assert.isTrue((yield* Effect.flip(firstBar("BTC/BUSD", interval))).retryable)
    })
  )
})

describe("tracing", () => {
  it.live("page() is one span with its source and its range", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      yield* ask((_, response) => json(response, [kline(0)])).pipe(Effect.withTracer(tracer))
      assert.deepStrictEqual(
        spans.map(({ attributes, kind, name }) => ({ name, kind, attributes: Object.fromEntries(attributes) })),
        [
          {
            name: "datasource.read",
            kind: "client",
            attributes: { source: "odd", interval: "1m", start: timeOf(0), end: timeOf(10) }
          }
        ]
      )
    })
  )
})

describe("the first page()", () => {
  it.live("loads the markets again when they could not be loaded; those who asked together share the failure", () =>
    Effect.gen(function* () {
      let loads = 0
      const url = yield* serve((request, response) => {
        if (request.url?.includes("/klines")) return json(response, [kline(0)])
        response.statusCode = ++loads === 1 ? 503 : 200
        json(response, binanceMarkets)
      })
      const source = yield* sourceOf(url)
      const together = Array.from({ length: 4 }, () => Effect.flip(source.page(minutes(0, 1))))
      for (const failure of yield* Effect.all(together, { concurrency: "unbounded" })) assert.isTrue(failure.retryable)
      assert.strictEqual(loads, 1)
      assert.lengthOf((yield* source.page(minutes(0, 1))).eventTime, 1)
      assert.strictEqual(loads, 2)
    })
  )

  it.live("goes on loading the markets for the others when the one who came first gives up", () =>
    Effect.gen(function* () {
      let loads = 0
      const url = yield* serve((request, response) => {
        if (request.url?.includes("/klines")) return json(response, [kline(0)])
        loads++
        setTimeout(() => json(response, binanceMarkets), 200)
      })
      const source = yield* sourceOf(url)
      const first = yield* Effect.forkChild(source.page(minutes(0, 1)), { startImmediately: true })
      const second = yield* Effect.forkChild(source.page(minutes(0, 1)), { startImmediately: true })
      yield* waitUntil(() => loads === 1)
      yield* Fiber.interrupt(first)
      assert.lengthOf((yield* Fiber.join(second)).eventTime, 1)
      assert.strictEqual(loads, 1)
    })
  )

  it.live("fails for good on an exchange that nobody knows", () =>
    Effect.gen(function* () {
      const source = yield* sourceOf("http://127.0.0.1:1", { exchange: "constructor" })
      const failure = yield* Effect.flip(source.page(minutes(0, 1)))
      assert.deepStrictEqual([failure.retryable, failure.reason], [false, "ccxt has no exchange constructor"])
    })
  )
})

const bybitMarket = { symbol: "BTCUSDT", baseCoin: "BTC", quoteCoin: "USDT", status: "Trading", priceFilter: {} }

const bybitAnswer = (list: ReadonlyArray<unknown>) => ({ retCode: 0, retMsg: "OK", result: { list } })

/** A bybit that traded in those minutes, and a source in pages of five; bybit gives the last bars of a long range. */
const bybit = Effect.fnUntraced(function* (traded: ReadonlyArray<number>) {
  const asked: Array<string> = []
  const url = yield* serve(({ url = "" }, response) => {
    if (!url.includes("/kline")) return json(response, bybitAnswer([{ ...bybitMarket, lotSizeFilter: {} }]))
    const query = new URL(url, "http://exchange").searchParams
    const [start = 0, end = 0, limit = 0] = ["start", "end", "limit"].map((name) => Number(query.get(name)))
    asked.push(`${minuteOf(start)} to ${minuteOf(end + 1)}`)
    const inside = traded.filter((minute) => timeOf(minute) >= start && timeOf(minute) <= end).slice(-limit)
    json(
      response,
      bybitAnswer(inside.toReversed().map((minute) => [`${timeOf(minute)}`, "1", "2", "0.5", "1.5", "10"]))
    )
  })
  const source = yield* sourceOf(url, { exchange: "bybit", barsPerRequest: 5 })
  const read = (from: number, to: number) => Effect.map(source.page(minutes(from, to, "BTC/USDT")), minutesOf)
  return { asked, read }
})

describe("an exchange that gives the last bars of a range", () => {
  it.live("page() gives the first bars all the same, by as few requests as it can", () =>
    Effect.gen(function* () {
      const { asked, read } = yield* bybit([1, 2, 3, 4, 5, 6, 7, 18, 19])
      assert.deepStrictEqual(yield* read(0, 20), [1, 2, 3, 4])
      assert.deepStrictEqual(yield* read(5, 20), [5, 6, 7])
      assert.deepStrictEqual(asked.splice(0), ["0 to 5", "5 to 10"])
      assert.deepStrictEqual(yield* read(8, 20), [18, 19])
      assert.deepStrictEqual(asked.splice(0), ["8 to 13", "13 to 18", "18 to 20"])
      assert.deepStrictEqual(yield* read(20, 31), [])
      assert.deepStrictEqual(asked, ["20 to 25", "25 to 30", "30 to 31"])
    })
  )
})

/** A gate that lets everybody out after a while, and what it was told. */
const makeGate = (waitMs = 0) => {
  const seen = { entered: 0, ended: new Array<Ended>() }
  const pass = {
    end: (how: Ended) => Effect.sync(() => void seen.ended.push(how))
  }
  const enter = Effect.as(
    Effect.andThen(
      Effect.sleep(waitMs),
      Effect.sync(() => void seen.entered++)
    ),
    pass
  )
  return { seen, gate: { enter } }
}

const failureIn = (ended: Ended): RequestFailed | undefined =>
  Exit.isSuccess(ended) ? undefined : Option.getOrUndefined(Cause.findErrorOption(ended.cause))

describe("the gate", () => {
  it.live("is entered before each request, those that load the markets too, and told that each was answered", () =>
    Effect.gen(function* () {
      let requests = 0
      const handle = binance((_, response) => json(response, [kline(0)]))
      const url = yield* serve((request, response) => {
        requests++
        assert.strictEqual(seen.entered, requests)
        handle(request, response)
      })
      const { gate, seen } = makeGate()
      const source = yield* sourceOf(url)
      for (let page = 0; page < 3; page++) {
        yield* Effect.provideService(source.page(minutes(0, 10)), Gate, gate)
      }
      assert.deepStrictEqual([requests, seen.entered, seen.ended.length], [4, 4, 4])
      assert.isTrue(seen.ended.every(Exit.isSuccess))
      assert.lengthOf((yield* Effect.provideService(source.page(minutes(5, 5)), Gate, gate)).eventTime, 0)
      assert.strictEqual(seen.entered, 4)
    })
  )

  it.live("is not part of a request's time, and keeps no other request of the process waiting", () =>
    Effect.gen(function* () {
      const url = yield* serve(binance((_, response) => json(response, [kline(0)])))
      const source = yield* sourceOf(url, { requestTimeoutMs: 300, concurrency: 1 })
      yield* source.page(minutes(0, 10))
      const slow = makeGate(800)
      const waiting = yield* Effect.forkChild(Effect.provideService(source.page(minutes(0, 10)), Gate, slow.gate), {
        startImmediately: true
      })
      yield* Effect.timeout(source.page(minutes(0, 10)), "500 millis")
      assert.strictEqual(slow.seen.entered, 0)
      assert.lengthOf((yield* Fiber.join(waiting)).eventTime, 1)
    })
  )

  it.live("that stays shut has nothing sent, and its reason is the failure", () =>
    Effect.gen(function* () {
      let requests = 0
      const url = yield* serve((_, response) => {
        requests++
        json(response, binanceMarkets)
      })
      const shut = new RequestFailed({ reason: "no place", retryable: false, retryAfterMs: 7, unsent: "budget" })
      const source = yield* sourceOf(url)
      const asking = Effect.provideService(source.page(minutes(0, 10)), Gate, { enter: Effect.fail(shut) })
      assert.deepStrictEqual(yield* Effect.flip(asking), shut)
      assert.strictEqual(requests, 0)
    })
  )

  it.live("is told of a failure, of a refusal, and of one that only the answer's body says", () =>
    Effect.gen(function* () {
      const { gate, seen } = makeGate()
      const failing = (handle: Handle) =>
        Effect.map(Effect.flip(Effect.provideService(ask(handle), Gate, gate)), () => failureIn(seen.ended.at(-1)!))
      const status = (code: number) => (_: IncomingMessage, response: ServerResponse) => {
        response.statusCode = code
        json(response, { code: -1003, msg: "Too much request weight used." })
      }
      const failed = yield* failing(status(500))
      assert.deepStrictEqual([failed?.retryable, failed?.isRefusal], [true, undefined])
      const refused = yield* failing(status(429))
      assert.deepStrictEqual([refused?.retryable, refused?.isRefusal], [true, true])
      const inBody = yield* failing(status(400))
      assert.deepStrictEqual([inBody?.retryable, inBody?.isRefusal], [true, true])
      // the markets of each were answered
      assert.strictEqual(seen.ended.filter(Exit.isSuccess).length, 3)
    })
  )

  it.live("is told that nobody waits any more when a request is interrupted", () =>
    Effect.gen(function* () {
      let asked = 0
      const { gate, seen } = makeGate()
      const url = yield* serve(binance(() => void asked++))
      const source = yield* sourceOf(url)
      const asking = yield* Effect.forkChild(Effect.provideService(source.page(minutes(0, 10)), Gate, gate))
      yield* waitUntil(() => asked === 1)
      yield* Fiber.interrupt(asking)
      assert.isUndefined(failureIn(seen.ended.at(-1)!))
      assert.isTrue(Exit.isFailure(seen.ended.at(-1)!))
    })
  )
})
