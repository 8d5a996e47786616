/** Does an exchange give its bars exactly, and say truly what went wrong? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Result } from "effect"
import { fileURLToPath } from "node:url"
import { pagedBackfiller } from "../../actors/backfill/pagedBackfiller.ts"
import { DataSources, RequestFailed } from "../../actors/sources/DataSource.ts"
import { layer } from "../../actors/sources/configuredSources.ts"
import * as Exchange from "../../actors/sources/Exchange.ts"
import { defaults } from "../../protocol/Settings.ts"
import type { ExchangeSettings } from "../../protocol/SourceSettings.ts"
import { autoBackfillerSuite } from "../suites/autoBackfillerSuite.ts"
import { dataSourceSuite } from "../suites/dataSourceSuite.ts"
import { readBars } from "../support/csv.ts"
import { intervalOf } from "../support/rows.ts"
import * as StandIn from "../support/standInExchange.ts"

const fileOf = (name: string): string => fileURLToPath(new URL(`../../examples/data/${name}`, import.meta.url))

const interval = intervalOf("1m")
const minuteMs = interval.lengthMs
const symbol = "BTC/BUSD"
const file = fileOf("binance-btcbusd-1m-20221213.csv")
const csv = { [symbol]: file }
const midnightMs = 1_670_889_600_000

/** A binance that trades BTC/BUSD for one day, and a source that asks it. */
const start = Effect.fnUntraced(function* (
  settings: Partial<ExchangeSettings> = {},
  standIn: Partial<StandIn.StandInSettings> = {}
) {
  const exchange = yield* StandIn.start({ csv, ...standIn })
  const source = yield* Exchange.make("binance", {
    kind: "exchange",
    exchange: "binance",
    baseUrl: exchange.url,
    ...settings
  })
  const page = (fromMinute: number, toMinute: number, given = symbol) =>
    source.page({
      symbol: given,
      interval,
      start: midnightMs + fromMinute * minuteMs,
      end: midnightMs + toMinute * minuteMs
    })
  const klines = () => exchange.requests().filter(({ path }) => path.endsWith("/klines"))
  return { ...exchange, source, page, klines }
})

dataSourceSuite({
  name: "exchange",
  make: Effect.map(start(), ({ source }) => source),
  symbol,
  interval,
  bars: readBars(file),
  tellsFirstBar: true,
  hanging: Effect.map(start({}, { faults: { hang: 1 } }), ({ hanging, source }) => ({ source, requests: hanging }))
})

autoBackfillerSuite({
  name: "pages of an exchange",
  make: Effect.map(start({ barsPerRequest: 500 }), ({ source }) => pagedBackfiller(source)),
  symbol,
  interval,
  times: Array.from(readBars(file).eventTime, Number)
})

const quietFile = fileOf("binance-unittestbtc-1m-20171104.csv")

dataSourceSuite({
  name: "exchange, a quiet market in small pages",
  make: Effect.map(start({ barsPerRequest: 700 }, { csv: { "UNITTEST/BTC": quietFile } }), ({ source }) => source),
  symbol: "UNITTEST/BTC",
  interval,
  bars: readBars(quietFile),
  tellsFirstBar: true
})

describe("Exchange on the wire", () => {
  it.live("page() is one request, whose endTime is the last millisecond inside", () =>
    Effect.gen(function* () {
      const { klines, page, requests } = yield* start()
      yield* page(0, 1440)
      yield* page(10, 20)
      yield* page(1440, 1500)
      assert.deepStrictEqual(
        klines().map(({ endTime, limit, rows, startTime, symbol }) => ({ symbol, startTime, endTime, limit, rows })),
        [
          { from: 0, to: 1440, limit: 1000, rows: 1000 },
          { from: 10, to: 20, limit: 10, rows: 10 },
          { from: 1440, to: 1500, limit: 60, rows: 0 }
        ].map(({ from, to, ...answer }) => ({
          symbol: "BTCBUSD",
          startTime: midnightMs + from * minuteMs,
          endTime: midnightMs + to * minuteMs - 1,
          ...answer
        }))
      )
      assert.deepStrictEqual(
        requests().map(({ path }) => path),
        ["/api/v3/exchangeInfo", ...klines().map(({ path }) => path)]
      )
    })
  )

  it.live("page() asks nothing where no bar can start, and nothing for an unknown interval or symbol", () =>
    Effect.gen(function* () {
      const { klines, page, source } = yield* start()
      assert.lengthOf((yield* page(5, 5)).eventTime, 0)
      assert.lengthOf((yield* page(5.2, 5.7)).eventTime, 0)
      const range = { start: midnightMs, end: midnightMs + 70 * minuteMs }
      const failure = yield* Effect.flip(source.page({ symbol, interval: intervalOf("7m"), ...range }))
      assert.isFalse(failure.retryable)
      assert.match(failure.reason, /no interval 7m.* 1m 3m /)
      yield* Effect.flip(page(0, 1, "NO/SUCH"))
      assert.deepStrictEqual(klines(), [])
    })
  )

  it.live("firstBar() is one request for one bar since the epoch, and none for an unknown interval or symbol", () =>
    Effect.gen(function* () {
      const { klines, source } = yield* start()
      const { firstBar } = source
      assert.isDefined(firstBar)
      if (firstBar === undefined) return
      yield* Effect.flip(firstBar(symbol, intervalOf("7m")))
      yield* Effect.flip(firstBar("NO/SUCH", interval))
      assert.deepStrictEqual(klines(), [])
      assert.deepStrictEqual(yield* firstBar(symbol, intervalOf("1h")), Option.some(midnightMs))
      assert.deepStrictEqual(
        klines().map(({ interval: of, limit, rows, startTime }) => ({ of, startTime, limit, rows })),
        [{ of: "1h", startTime: 1, limit: 1, rows: 1 }]
      )
    })
  )

  it.live("page() is empty after one request even when the range is longer than a page", () =>
    Effect.gen(function* () {
      const { klines, page } = yield* start()
      assert.lengthOf((yield* page(1440, 1440 + 5000)).eventTime, 0)
      assert.lengthOf(klines(), 1)
    })
  )

  it.live("page() gives the bars of longer intervals", () =>
    Effect.gen(function* () {
      const { klines, source } = yield* start()
      const request = { symbol, interval: intervalOf("60m"), start: midnightMs, end: midnightMs + 1440 * minuteMs }
      assert.lengthOf((yield* source.page(request)).eventTime, 24)
      assert.strictEqual(klines()[0]?.interval, "1h")
    })
  )

  it.live("twenty first pages at once share one load of the markets", () =>
    Effect.gen(function* () {
      const { klines, page, requests } = yield* start({ concurrency: 20 }, { latencyMs: 20 })
      const minutes = Array.from({ length: 20 }, (_, minute) => minute)
      yield* Effect.forEach(minutes, (minute) => page(minute, minute + 1), { concurrency: "unbounded" })
      assert.lengthOf(klines(), 20)
      assert.lengthOf(requests(), 21)
    })
  )

  it.live("page() keeps at most `concurrency` requests under way", () =>
    Effect.gen(function* () {
      const latencyMs = 150
      const { klines, page } = yield* start({ concurrency: 3 }, { latencyMs })
      const minutes = Array.from({ length: 9 }, (_, minute) => minute)
      yield* Effect.forEach(minutes, (minute) => page(minute, minute + 1), { concurrency: "unbounded" })
      const arrivals = klines().map(({ at }) => at)
      // an answer is under way for its latency at least; a timer's rounding is left out
      const underWay = arrivals.map(
        (at) => arrivals.filter((other) => other <= at && at < other + latencyMs - 2).length
      )
      assert.strictEqual(Math.max(...underWay), 3)
    })
  )
})

describe("Exchange in trouble", () => {
  it.live("a 429 tells how long to wait", () =>
    Effect.gen(function* () {
      const { page } = yield* start({}, { faults: { "429": 1 } })
      const failure = yield* Effect.flip(page(0, 10))
      assert.deepStrictEqual(
        { retryable: failure.retryable, retryAfterMs: failure.retryAfterMs },
        { retryable: true, retryAfterMs: 1000 }
      )
      assert.match(failure.reason, /^the exchange answered 429: .*request weight/)
    })
  )

  it.live("a 500 may be tried again", () =>
    Effect.gen(function* () {
      const { page } = yield* start({}, { faults: { "500": 1 } })
      const failure = yield* Effect.flip(page(0, 10))
      assert.isTrue(failure.retryable)
      assert.isNull(failure.retryAfterMs)
      assert.match(failure.reason, /^the exchange answered 500: /)
    })
  )

  it.live("answers of many at once do not mix", () =>
    Effect.gen(function* () {
      const { page } = yield* start(
        { concurrency: 16 },
        { faults: { "429": 0.35, "500": 0.35 }, latencyMs: 5, seed: 7 }
      )
      const minutes = Array.from({ length: 120 }, (_, minute) => minute)
      const results = yield* Effect.forEach(minutes, (minute) => Effect.result(page(minute, minute + 1)), {
        concurrency: "unbounded"
      })
      const seen = results.map((result, minute) => {
        if (Result.isFailure(result)) return `${result.failure.reason.slice(0, 25)}, ${result.failure.retryAfterMs}`
        return result.success.eventTime[0] === midnightMs + minute * minuteMs ? "its bar" : "another's bar"
      })
      assert.deepStrictEqual([...new Set(seen)].toSorted(), [
        "its bar",
        "the exchange answered 429, 1000",
        "the exchange answered 500, null"
      ])
    })
  )

  it.live("a request that hangs fails in time, and leaves its place to the next", () =>
    Effect.gen(function* () {
      const settings = { requestTimeoutMs: 300, concurrency: 1 }
      const { page } = yield* start(settings, { faults: { hang: 1 } })
      const asked = Effect.all([Effect.flip(page(0, 10)), Effect.flip(page(10, 20))], { concurrency: 2 })
      const failures = yield* Effect.timeout(asked, "5 seconds")
      for (const failure of failures) {
        assert.deepStrictEqual(
          failure,
          new RequestFailed({
            reason: "binance gave no answer within 300 ms",
            retryable: true,
            retryAfterMs: null
          })
        )
      }
    })
  )

  it.live("an exchange that is not there may be back later", () =>
    Effect.gen(function* () {
      const { page } = yield* start({ baseUrl: "http://127.0.0.1:18" })
      const failure = yield* Effect.flip(page(0, 10))
      assert.isTrue(failure.retryable)
      assert.isNull(failure.retryAfterMs)
    })
  )
})

describe("configuredSources", () => {
  it.live("gives the configured sources by name", () =>
    Effect.gen(function* () {
      const { url } = yield* StandIn.start({ csv })
      const settings = { kind: "exchange", exchange: "binance", baseUrl: `${url}/`, maxEmptyBars: 5 } as const
      const other = { kind: "exchange", exchange: "okx" } as const
      const sources = yield* Effect.provide(DataSources, layer({ sources: { main: settings, other } }))
      assert.deepStrictEqual([...sources.keys()], ["main", "other"])
      const main = sources.get("main")!
      assert.deepStrictEqual(main.capabilities, {
        barsPerRequest: 1000,
        maxEmptyBars: 5,
        finalityDelayMs: defaults.finalityDelayMs,
        attemptsMax: defaults.attempts,
        joinGapsBars: defaults.joinGapsBars
      })
      // nobody knows of this one that it gives the first bars of a range, so it can't be asked for its first
      assert.isUndefined(sources.get("other")?.firstBar)
      const page = yield* main.page({ symbol, interval, start: midnightMs, end: midnightMs + minuteMs })
      assert.lengthOf(page.eventTime, 1)
    })
  )
})
