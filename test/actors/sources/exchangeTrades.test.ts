/** Is a trade what an exchange says that it is, and an answer about none refused? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type GivenTrade, readTrades, requestWeightOf } from "../../../actors/sources/exchangeTrades.ts"
import type { NumberedTrades, TradeQuery } from "../../../actors/sources/TradeWalk.ts"
import { tradesPage } from "../../../actors/sources/tradePages.ts"
import { RequestFailed } from "../../../actors/sources/DataSource.ts"
import { intervalOf } from "../../support/rows.ts"

const interval = intervalOf("1m")
const limits = {
  tradesPerRequest: 2,
  windowMs: 3_600_000,
  windowsMax: 24,
  tradesMax: 1000,
  barsMax: 3,
  tradesPerBarMax: 10
}

const given = (id: number, more: Partial<GivenTrade> = {}): GivenTrade => ({
  id: String(id),
  timestamp: 60_000 + id * 30_000,
  price: 1,
  amount: 2,
  info: { f: id, l: id },
  ...more
})

const table = ({ amount, count, eventTimeMs, id, price }: NumberedTrades) => ({
  id: Array.from(id),
  time: Array.from(eventTimeMs),
  price: Array.from(price),
  amount: Array.from(amount),
  count: Array.from(count)
})

describe("readTrades()", () => {
  it.effect("has trades in the order of their numbers, not of their texts, and each once", () =>
    Effect.gen(function* () {
      const at = { timestamp: 5 }
      const read = yield* readTrades([given(1000, at), given(999, at), given(1000, at), given(9, at)])
      assert.deepStrictEqual(table(read).id, [9, 999, 1000])
    })
  )

  it.effect("counts the trades that Binance has put together, and none for a number that is none's", () =>
    Effect.gen(function* () {
      const together = given(1, { info: { f: 70, l: 74 } })
      const none = given(2, { price: 0, amount: 0, info: { f: -1, l: -1 } })
      const read = yield* readTrades([together, none, given(3, { info: {} }), given(4, { info: undefined })])
      assert.deepStrictEqual(table(read).count, [5, 0, 1, 1])
    })
  )

  it.effect("refuses a trade without number, time, price or amount", () =>
    Effect.gen(function* () {
      for (const [name, more] of [
        ["id", { id: undefined }],
        ["id", { id: "a-b" }],
        ["time", { timestamp: undefined }],
        ["price", { price: undefined }],
        ["amount", { amount: undefined }]
      ] as const) {
        const failure = yield* Effect.flip(readTrades([given(1), given(2, more)]))
        assert.strictEqual(failure.reason, `a trade without ${name} can't be counted in any bar`)
        assert.isFalse(failure.retryable)
      }
    })
  )
})

describe("requestWeightOf()", () => {
  it("is what the exchange counts of a request for trades, and one of others", () => {
    assert.strictEqual(requestWeightOf({ exchange: "binance", rows: "trades" }), 4)
    assert.strictEqual(requestWeightOf({ exchange: "binance" }), 1)
    assert.strictEqual(requestWeightOf({ rows: "trades" }), 1)
  })
})

/** Trades every 30 seconds from 60 s on. */
const trades = Array.from({ length: 12 }, (_, id) => given(id))

/** An exchange that has them, and fails at its requests of these places. */
const asking = (all: ReadonlyArray<GivenTrade>, failsAt: ReadonlyArray<number> = []) => {
  const queries: Array<TradeQuery> = []
  const ask = (query: TradeQuery) => {
    if (failsAt.includes(queries.push(query) - 1)) {
      return Effect.fail(new RequestFailed({ reason: "not now", retryable: true, retryAfterMs: 5 }))
    }
    const found = all.filter(({ id, timestamp = 0 }) =>
      "fromId" in query ? Number(id) >= query.fromId : query.from <= timestamp && timestamp < query.until
    )
    return readTrades(found.slice(0, limits.tradesPerRequest))
  }
  return { ask, queries }
}

const pageOf = (all: ReadonlyArray<GivenTrade>, failsAt?: ReadonlyArray<number>, end = 420_000) => {
  const { ask, queries } = asking(all, failsAt)
  return Effect.map(tradesPage(ask, "A", { interval, start: 60_000, end, limits }), (page) => ({ page, queries }))
}

describe("tradesPage()", () => {
  it.effect("ends before the bar that is one too many, and says so", () =>
    Effect.gen(function* () {
      const { page } = yield* pageOf(trades)
      assert.deepStrictEqual(Array.from(page.eventTime), [60_000, 120_000, 180_000])
      assert.deepStrictEqual([page.until, page.whole], [240_000, [[60_000, 240_000]]])
    })
  )

  it.effect("gives the bars that are whole when a request fails, and fails where none is", () =>
    Effect.gen(function* () {
      // the window, trades 0 and 1, 2 and 3: the bar of the last one is not whole
      const { page, queries } = yield* pageOf(trades, [3])
      assert.deepStrictEqual(Array.from(page.eventTime), [60_000])
      assert.deepStrictEqual([page.until, page.whole], [120_000, [[60_000, 120_000]]])
      assert.lengthOf(queries, 4)
      for (const place of [0, 1, 2]) {
        const failure = yield* Effect.flip(pageOf(trades, [place]))
        assert.deepStrictEqual([failure.reason, failure.retryAfterMs], ["not now", 5])
      }
    })
  )

  it.effect("leaves out numbers that are no trade's, and knows their time to be empty", () =>
    Effect.gen(function* () {
      const none = { price: 0, amount: 0, info: { f: -1, l: -1 } }
      const { page } = yield* pageOf([given(0), given(2, none), given(3, none), given(6)], [], 300_000)
      assert.deepStrictEqual(Array.from(page.eventTime), [60_000, 240_000])
      assert.deepStrictEqual(Array.from(page.columns.find(({ name }) => name === "low")?.values ?? []), [1, 1])
      assert.deepStrictEqual(page.whole, [[60_000, 300_000]])
    })
  )

  it.effect("fails for good where one bar has more trades than can be taken at once", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 30 }, (_, id) => given(id, { timestamp: 60_000 + id }))
      const failure = yield* Effect.flip(pageOf(many))
      assert.isFalse(failure.retryable)
      assert.strictEqual(
        failure.reason,
        "one bar of A 1m has more than 10 trades: derive it from shorter bars (derivedFrom)"
      )
    })
  )

  it.effect("fails where answers contradict each other without end", () =>
    Effect.gen(function* () {
      // by long times it finds a trade, by short ones none, and by number always another before it
      const [start, end] = [60_000, 900_000]
      const ask = (query: TradeQuery) => {
        if ("fromId" in query) return readTrades([given(query.fromId, { timestamp: start + 50_000 })])
        const isLong = query.until - query.from === end - start
        return readTrades(isLong ? [given(1e9, { timestamp: start + 50_000 })] : [])
      }
      const failure = yield* Effect.flip(tradesPage(ask, "A", { interval, start, end, limits }))
      assert.isTrue(failure.retryable)
      assert.strictEqual(
        failure.reason,
        "its answers about the trades of A contradict each other: 500 requests led nowhere"
      )
    })
  )
})
