/** Is a bar of trades whole whatever an exchange does: while trading goes on, where it gives the last, and where it breaks? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer, type ServerResponse } from "node:http"
import * as Exchange from "../../../actors/sources/Exchange.ts"
import type { Field } from "../../../protocol/frame/DataSchema.ts"
import type { ExchangeSettings } from "../../../protocol/SourceSettings.ts"
import { intervalOf } from "../../support/rows.ts"

const interval = intervalOf("5s")
const barMs = interval.lengthMs
const symbol = "BTC/BUSD"
const everyMs = 100
const tradesPerBar = barMs / everyMs

const info = { symbols: [{ symbol: "BTCBUSD", status: "TRADING", baseAsset: "BTC", quoteAsset: "BUSD", filters: [] }] }

const tradeOf = (id: number) => ({ a: id, p: "1.5", q: "2", f: id, l: id, T: id * everyMs, m: true, M: true })

/** Every 100 ms a trade, since the epoch and up to now: as many as an answer holds, the first or the last of them. */
const tradesFor = (query: URLSearchParams, givesLast: boolean): ReadonlyArray<unknown> => {
  const [fromId, startTime, endTime] = ["fromId", "startTime", "endTime"].map((name) => query.get(name))
  const first = fromId === null ? Math.ceil(Number(startTime) / everyMs) : Number(fromId)
  const now = Math.floor(Date.now() / everyMs)
  const last = fromId === null ? Math.min(now, Math.floor(Number(endTime) / everyMs)) : now
  const count = Math.max(0, Math.min(Number(query.get("limit")), last - first + 1))
  const from = givesLast && fromId === null ? last - count + 1 : first
  return Array.from({ length: count }, (_, index) => tradeOf(from + index))
}

type Answer = (query: URLSearchParams, response: ServerResponse) => void

const send = (response: ServerResponse, body: unknown): void => {
  response.setHeader("Content-Type", "application/json")
  response.end(JSON.stringify(body))
}

/** A binance that answers requests for trades in that way, and a source that asks it. */
const start = Effect.fnUntraced(function* (answer: Answer, settings: Partial<ExchangeSettings> = {}) {
  const asked: Array<URLSearchParams> = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1")
    if (!url.pathname.endsWith("/aggTrades")) return send(response, info)
    asked.push(url.searchParams)
    return answer(url.searchParams, response)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  const address = server.address()
  const port = typeof address === "object" ? address?.port : address
  const source = yield* Exchange.make("live", {
    kind: "exchange",
    exchange: "binance",
    rows: "trades",
    baseUrl: `http://127.0.0.1:${port}`,
    ...settings
  })
  const fields: ReadonlyArray<Field> = [{ name: "trades", type: "int64", required: true, rollUp: "count" }]
  const page = (from: number, until: number) => source.page({ symbol, interval, start: from, end: until, fields })
  return { asked, source, page }
})

const now = (): number => Math.floor(Date.now() / barMs) * barMs

type Page = Effect.Success<ReturnType<Effect.Success<ReturnType<typeof start>>["page"]>>

/** Every bar from there on until the page's end, each with all of its trades. */
const assertWhole = ({ columns, eventTime, until = 0 }: Page, from: number): void => {
  const bars = Array.from({ length: (until - from) / barMs }, (_, bar) => from + bar * barMs)
  assert.deepStrictEqual(Array.from(eventTime, Number), bars)
  const counts = Array.from(columns.find(({ name }) => name === "trades")?.values ?? [], Number)
  assert.deepStrictEqual(
    counts,
    bars.map(() => tradesPerBar)
  )
}

describe("page() of trades", () => {
  it.live("ends before the bar that goes on, however far it is asked", () =>
    Effect.gen(function* () {
      const { page, source } = yield* start((query, response) => send(response, tradesFor(query, false)))
      const from = now() - 20 * barMs
      const given = yield* page(from, now() + 20 * barMs)
      assertWhole(given, from)
      assert.isAtLeast(given.eventTime.length, 18)
      assert.isAtMost(given.until ?? Infinity, Date.now() - source.capabilities.finalityDelayMs)
      // of a bar that is not over nothing is known, and nothing asked
      const ahead = yield* page(now(), now() + 20 * barMs)
      assert.deepStrictEqual([ahead.eventTime.length, ahead.whole], [0, []])
    })
  )

  it.live("begins with the first trade, also where the exchange gives the last ones of a time", () =>
    Effect.gen(function* () {
      const { asked, page } = yield* start((query, response) => send(response, tradesFor(query, true)))
      const from = now() - 3600_000
      const given = yield* page(from, from + 1000 * barMs)
      assertWhole(given, from)
      assert.isAbove(given.eventTime.length, 400)
      assert.isTrue(asked.every((query) => !(query.has("fromId") && query.has("startTime"))))
    })
  )

  it.live("has the bars before a connection that breaks, and goes on from there", () =>
    Effect.gen(function* () {
      let answers = 0
      const { page } = yield* start((query, response) => {
        answers += 1
        if (answers % 4 !== 0) return send(response, tradesFor(query, false))
        response.writeHead(200, { "Content-Length": 100_000 })
        response.write('[{"a":')
        setTimeout(() => response.destroy(), 5)
      })
      const from = now() - 3600_000
      const until = from + 100 * barMs
      let reached = from
      for (let pages = 0; reached < until && pages < 20; pages++) {
        const given = yield* Effect.retry(page(reached, until), { times: 3 })
        assertWhole(given, reached)
        reached = given.until ?? reached
      }
      assert.strictEqual(reached, until)
    })
  )
})
