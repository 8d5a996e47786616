/** Are bars that are made of an exchange's trades those that it published itself, asked over real HTTP? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { fileURLToPath } from "node:url"
import { pagedBackfiller } from "../../actors/backfill/pagedBackfiller.ts"
import type { DataSource } from "../../actors/sources/DataSource.ts"
import * as Exchange from "../../actors/sources/Exchange.ts"
import { type Ended, Gate } from "../../actors/sources/Gate.ts"
import type { Field } from "../../protocol/frame/DataSchema.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { ExchangeSettings } from "../../protocol/SourceSettings.ts"
import { autoBackfillerSuite } from "../suites/autoBackfillerSuite.ts"
import { dataSourceSuite } from "../suites/dataSourceSuite.ts"
import { readBars, readTrades } from "../support/csv.ts"
import { intervalOf } from "../support/rows.ts"
import * as StandIn from "../support/standInExchange.ts"

const fileOf = (name: string): string => fileURLToPath(new URL(`../../examples/data/${name}`, import.meta.url))

const symbol = "XRP/ETH"
const interval = intervalOf("1m")
const minuteMs = interval.lengthMs
const hourMs = 60 * minuteMs
const trades = fileOf("binance-xrpeth-trades-20191011.csv")
const bars = readBars(fileOf("binance-xrpeth-1m-20191011.csv"))
const firstMs = bars.eventTime[0]!
const endMs = bars.eventTime.at(-1)! + minuteMs

/** A binance that has trades and no candles, and a source that makes bars of them. */
const start = Effect.fnUntraced(function* (
  settings: Partial<ExchangeSettings> = {},
  standIn: Partial<StandIn.StandInSettings> = {}
) {
  const exchange = yield* StandIn.start({ csv: {}, trades: { [symbol]: trades }, ...standIn })
  const source = yield* Exchange.make("binance", {
    kind: "exchange",
    exchange: "binance",
    rows: "trades",
    baseUrl: exchange.url,
    ...settings
  })
  const asked = () => exchange.requests().filter(({ path }) => path.endsWith("/aggTrades"))
  return { ...exchange, source, asked }
})

dataSourceSuite({
  name: "trades of an exchange",
  make: Effect.map(start(), ({ source }) => source),
  symbol,
  interval,
  bars,
  tellsFirstBar: true
})

autoBackfillerSuite({
  name: "trades of an exchange",
  make: Effect.map(start({ barsPerRequest: 500 }), ({ source }) => pagedBackfiller(source)),
  symbol,
  interval,
  times: Array.from(bars.eventTime)
})

/** All bars of a time, page by page, with what of it the pages say is whole. */
const readAll = Effect.fnUntraced(function* (
  source: DataSource,
  range: readonly [number, number],
  { fields = [], of = interval }: { readonly fields?: ReadonlyArray<Field>; readonly of?: typeof interval } = {}
) {
  const columns = new Map<string, Array<number>>([["eventTime", []]])
  let pages = 0
  let from = range[0]
  while (from < range[1]) {
    const page = yield* source.page({ symbol, interval: of, start: from, end: range[1], fields })
    columns.get("eventTime")?.push(...Array.from(page.eventTime, Number))
    for (const { name, values } of page.columns) {
      columns.set(name, [...(columns.get(name) ?? []), ...Array.from(values, Number)])
    }
    assert.isAbove(page.until ?? from, from)
    assert.deepStrictEqual(page.whole, [[from, page.until ?? from]])
    pages += 1
    from = page.until ?? range[1]
  }
  return { columns, pages }
})

const assertBars = (columns: ReadonlyMap<string, ReadonlyArray<number>>, expected: typeof bars): void => {
  assert.deepStrictEqual(columns.get("eventTime"), Array.from(expected.eventTime))
  for (const { name, values } of expected.columns) assert.deepStrictEqual(columns.get(name), Array.from(values), name)
}

/** How often each minute was traded in, and at which price on average, counted apart from all that is tested. */
const byMinute = () => {
  const { amount, eventTimeMs, price } = readTrades(trades)
  const minutes = new Map<number, { count: number; turnover: number; volume: number }>()
  for (const [row, time] of eventTimeMs.entries()) {
    const minute = Math.floor(time / minuteMs) * minuteMs
    const { count, turnover, volume } = minutes.get(minute) ?? { count: 0, turnover: 0, volume: 0 }
    minutes.set(minute, {
      count: count + 1,
      turnover: turnover + price[row]! * amount[row]!,
      volume: volume + amount[row]!
    })
  }
  return minutes
}

describe("Exchange asked for trades", () => {
  it.live("page() has the exchange's own bars, minute by minute, in as few requests as their trades fill", () =>
    Effect.gen(function* () {
      const { asked, source } = yield* start({ barsPerRequest: 10_000 })
      assertBars((yield* readAll(source, [firstMs, endMs])).columns, bars)
      const before = asked().length
      const { pages } = yield* readAll(source, [bars.eventTime[1]!, endMs])
      assert.strictEqual(pages, 1)
      assert.strictEqual(source.capabilities.rowFlags, RowFlag.rolledUp)
      // one to find the first, 13 full ones, and one that says once more that nothing follows
      assert.lengthOf(asked().slice(before), 15)
      for (const { endTime, startTime } of asked().filter((each) => each.startTime !== null)) {
        assert.isBelow(Number(endTime) - Number(startTime), hourMs)
      }
      assert.deepStrictEqual(
        asked().filter(({ status }) => status !== 200),
        []
      )
    })
  )

  it.live("page() has the exchange's bars of five minutes, and of intervals that no exchange has", () =>
    Effect.gen(function* () {
      const { source } = yield* start()
      const five = yield* readAll(source, [firstMs, firstMs + 3 * 24 * hourMs], { of: intervalOf("5m") })
      assertBars(five.columns, readBars(fileOf("binance-xrpeth-5m-20191011.csv")))
      const seven = intervalOf("7m")
      const first = Math.ceil(firstMs / seven.lengthMs) * seven.lengthMs
      const page = yield* source.page({ symbol, interval: seven, start: first, end: first + 10 * seven.lengthMs })
      assert.lengthOf(page.eventTime, 10)
    })
  )

  it.live("page() has the average price and the number of trades where a schema asks for them", () =>
    Effect.gen(function* () {
      const { source } = yield* start()
      const fields: ReadonlyArray<Field> = [
        { name: "vwap", type: "float64", required: true },
        { name: "trades", type: "int64", required: true, rollUp: "count" }
      ]
      const { columns } = yield* readAll(source, [firstMs, endMs], { fields })
      const expected = byMinute()
      assert.deepStrictEqual(
        columns.get("trades"),
        Array.from(expected.values(), ({ count }) => count)
      )
      const averages = Array.from(expected.values(), ({ turnover, volume }) => turnover / volume)
      for (const [row, average] of columns.get("vwap")!.entries()) {
        assert.approximately(average, averages[row]!, 1e-12)
      }
    })
  )

  it.live("page() knows a quiet stretch to be whole without a trade in it, and nothing behind now", () =>
    Effect.gen(function* () {
      const { asked, source } = yield* start()
      const quiet = bars.eventTime.findIndex((time, row) => time - (bars.eventTime[row - 1] ?? time) > 5 * minuteMs)
      const from = bars.eventTime[quiet - 1]! + minuteMs
      const until = bars.eventTime[quiet]!
      const page = yield* source.page({ symbol, interval, start: from, end: until })
      assert.lengthOf(page.eventTime, 0)
      assert.deepStrictEqual(page.whole, [[from, until]])
      // two for a time in which there is no trade at all
      assert.lengthOf(asked(), 2)
      const now = Math.floor(Date.now() / minuteMs) * minuteMs
      const ahead = yield* source.page({ symbol, interval, start: now - 5 * minuteMs, end: now + 10 * minuteMs })
      assert.isAtMost(ahead.until ?? Infinity, Date.now() - source.capabilities.finalityDelayMs)
      assert.lengthOf(ahead.eventTime, 0)
    })
  )

  it.live("page() never gives a bar of which trades may be missing, wherever requests fail", () =>
    Effect.gen(function* () {
      const { source } = yield* start({}, { faults: { "429": 0.1, "500": 0.1, truncate: 0.2 }, seed: 11 })
      const patient: DataSource = { ...source, page: (request) => Effect.retry(source.page(request), { times: 20 }) }
      const { columns, pages } = yield* readAll(patient, [firstMs, endMs])
      assertBars(columns, bars)
      assert.isAbove(pages, 3)
    })
  )

  it.live("page() enters the gate for each request, and tells it which of them failed", () =>
    Effect.gen(function* () {
      const { asked, source } = yield* start({ barsPerRequest: 10_000 }, { faults: { "500": 0.2 }, seed: 3 })
      yield* Effect.retry(source.page({ symbol, interval, start: firstMs, end: firstMs + minuteMs }), { times: 20 })
      const before = asked().length
      const ended: Array<Ended> = []
      const gate = { enter: Effect.succeed({ end: (how: Ended) => Effect.sync(() => void ended.push(how)) }) }
      const page = source.page({ symbol, interval, start: firstMs, end: endMs })
      yield* Effect.retry(Effect.provideService(page, Gate, gate), { times: 20 })
      const sent = asked().slice(before)
      assert.deepStrictEqual(
        ended.map(({ _tag }) => _tag),
        sent.map(({ status }) => (status === 200 ? "Success" : "Failure"))
      )
    })
  )

  it.live("page() of another exchange with the same interface sends the same requests", () =>
    Effect.gen(function* () {
      const ask = Effect.fnUntraced(function* (exchange: string) {
        const { asked, source } = yield* start({ exchange })
        const page = yield* source.page({ symbol, interval, start: firstMs + hourMs, end: firstMs + 2 * hourMs })
        assert.deepStrictEqual(page.whole, [[firstMs + hourMs, firstMs + 2 * hourMs]])
        return asked().map((request) => ({ ...request, at: 0 }))
      })
      assert.deepStrictEqual(yield* ask("binanceus"), yield* ask("binance"))
    })
  )

  it.live("firstBar() is the bar of the first trade of all, by one request", () =>
    Effect.gen(function* () {
      const { asked, source } = yield* start()
      assert.deepStrictEqual(
        yield* source.firstBar!(symbol, intervalOf("1h")),
        Option.some(Math.floor(firstMs / hourMs) * hourMs)
      )
      assert.deepInclude(asked()[0], { fromId: 0, limit: 1 })
      assert.lengthOf(asked(), 1)
    })
  )

  it.live("page() asks nothing for bars that are too long, and of an exchange that is not known to have all", () =>
    Effect.gen(function* () {
      const { requests, source, url } = yield* start()
      const day = { symbol, interval: intervalOf("1d"), start: firstMs, end: endMs }
      const long = yield* Effect.flip(source.page(day))
      assert.isFalse(long.retryable)
      assert.match(long.reason, /a bar of 1d has too many trades .* derive it from bars of 1h or shorter/)
      const settings = { kind: "exchange", exchange: "kraken", rows: "trades", baseUrl: url } as const
      const kraken = yield* Exchange.make("kraken", settings)
      const unknown = yield* Effect.flip(kraken.page({ ...day, interval }))
      assert.isFalse(unknown.retryable)
      assert.match(unknown.reason, /not known that kraken gives all trades of a time, as binance and binanceus do/)
      assert.deepStrictEqual(requests(), [])
    })
  )
})
