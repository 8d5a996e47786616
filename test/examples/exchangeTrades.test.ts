/** Does the stand-in exchange serve trades as Binance does, and say what is wrong with a file of them? */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, onTestFinished, test } from "vitest"
import { readCandleFile } from "../../examples/exchange/CandleFile.ts"
import { makeMarkets } from "../../examples/exchange/Market.ts"
import { readOptions } from "../../examples/exchange/readOptions.ts"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import { startExchange } from "../../examples/exchange/startExchange.ts"
import { readTradeFile } from "../../examples/exchange/TradeFile.ts"

const folder = mkdtempSync(join(tmpdir(), "exchange-trades-"))
afterAll(() => rmSync(folder, { recursive: true }))

const header = "ts,id,side,price,amount"
const originMs = 1_570_752_000_000

let files = 0
const write = (...lines: ReadonlyArray<string>): string => {
  const file = join(folder, `${++files}.csv`)
  writeFileSync(file, `${lines.join("\n")}\n`)
  return file
}

/** Five trades in three seconds, and one two hours later. */
const rows = [0, 0, 1000, 2000, 3000, 7_200_000].map(
  (offsetMs, index) =>
    `${originMs + offsetMs},${10 + index},${index % 2 === 0 ? "sell" : "buy"},0.0014${index},${index}.0`
)

const pair = { base: "XRP", quote: "ETH" }
const candles = (): string =>
  write("ts,open,high,low,close,volume", `${originMs},1,1,1,1,1`, `${originMs + 60_000},1,1,1,1,1`)

const startOne = async (lines: ReadonlyArray<string> = rows) => {
  const log: Array<LogEntry> = []
  const exchange = await startExchange({
    markets: makeMarkets(
      [{ base: "BTC", quote: "BUSD", candles: readCandleFile(candles()) }],
      [{ ...pair, trades: readTradeFile(write(header, ...lines)) }]
    ),
    port: 0,
    latencyMs: 0,
    faults: {},
    seed: 1,
    log: (entry) => void log.push(entry)
  })
  onTestFinished(exchange.close)
  const get = async (query: string) => {
    const response = await fetch(`${exchange.url}/api/v3/aggTrades?${query}`)
    return { status: response.status, body: JSON.parse(await response.text()) }
  }
  const ids = async (query: string): Promise<ReadonlyArray<number>> => {
    const { body, status } = await get(`symbol=XRPETH&${query}`)
    expect(status).toBe(200)
    return body.map(({ a }: { readonly a: number }) => a)
  }
  return { ...exchange, get, ids, log }
}

describe("aggTrades", () => {
  test("gives each trade in Binance's form, the figures letter by letter", async () => {
    const { get } = await startOne()
    const { body } = await get("symbol=XRPETH&fromId=10&limit=2")
    expect(body).toEqual([
      { a: 10, p: "0.00140", q: "0.0", f: 10, l: 10, T: originMs, m: true, M: true },
      { a: 11, p: "0.00141", q: "1.0", f: 11, l: 11, T: originMs, m: false, M: true }
    ])
  })

  test("counts both ends of the asked time as inside, and gives the oldest from a start", async () => {
    const { ids } = await startOne()
    expect(await ids(`startTime=${originMs}&endTime=${originMs + 2000}`)).toEqual([10, 11, 12, 13])
    expect(await ids(`startTime=${originMs + 1}&endTime=${originMs + 1999}`)).toEqual([12])
    expect(await ids(`startTime=${originMs}&endTime=${originMs + 2000}&limit=3`)).toEqual([10, 11, 12])
    expect(await ids(`startTime=${originMs + 3001}&limit=1`)).toEqual([15])
    expect(await ids(`startTime=${originMs + 9}&endTime=${originMs}`)).toEqual([])
  })

  test("gives the newest without a start, and what follows a number however far away it is", async () => {
    const { ids } = await startOne()
    expect(await ids("limit=2")).toEqual([14, 15])
    expect(await ids(`endTime=${originMs + 1000}&limit=2`)).toEqual([11, 12])
    expect(await ids("fromId=14")).toEqual([14, 15])
    expect(await ids("fromId=0&limit=1")).toEqual([10])
    expect(await ids("fromId=16")).toEqual([])
  })

  test("sends 500 trades unless asked for more, and never more than 1000", async () => {
    const many = Array.from({ length: 1200 }, (_, id) => `${originMs},${id},buy,1,1`)
    const { ids } = await startOne(many)
    expect(await ids("fromId=0")).toHaveLength(500)
    expect(await ids("fromId=0&limit=5000")).toHaveLength(1000)
  })

  test.each([
    ["", 400, -1102],
    ["symbol=NONE", 400, -1121],
    // it has candles only: an empty page would claim that nothing was traded
    ["symbol=BTCBUSD", 400, -1121],
    ["symbol=XRPETH&fromId=x", 400, -1100],
    ["symbol=XRPETH&limit=0", 400, -1130],
    ["symbol=XRPETH&fromId=10&startTime=5", 400, -1128],
    ["symbol=XRPETH&fromId=10&endTime=5", 400, -1128]
  ])("refuses %j with %i and code %i", async (query, status, code) => {
    const { get } = await startOne()
    expect(await get(query)).toMatchObject({ status, body: { code } })
  })

  test("logs numbers and how many trades were sent; a market of trades alone has no klines", async () => {
    const { get, log, url } = await startOne()
    await get("symbol=XRPETH&fromId=12")
    expect(log).toMatchObject([{ path: "/api/v3/aggTrades", symbol: "XRPETH", fromId: 12, startTime: null, rows: 4 }])
    expect((await fetch(`${url}/api/v3/klines?symbol=XRPETH&interval=1m`)).status).toBe(400)
    const info = await (await fetch(`${url}/api/v3/exchangeInfo`)).json()
    expect(info).toMatchObject({
      symbols: [{ symbol: "BTCBUSD" }, { symbol: "XRPETH", filters: [{ tickSize: "0.00001000" }, {}, {}, {}] }]
    })
  })
})

describe("files of trades", () => {
  test.each([
    ["another header", ["ts,id,price,amount", rows[0]!], /:1: the first line must be ts,id,side,price,amount/],
    ["a time that is none", [header, "x,1,buy,1,1"], /:2: "x,1,buy,1,1" is no trade; a row is/],
    ["a side that is none", [header, rows[0]!, `${originMs},11,bid,1,1`], /:3: .* side buy or sell/],
    ["a column too many", [header, `${originMs},11,buy,1,1,1`], /:2: .* is no trade/],
    [
      "a number that stands twice",
      [header, rows[0]!, rows[0]!],
      /:3: is not behind the row above; numbers must ascend/
    ],
    ["a time that goes back", [header, rows[3]!, `${originMs},99,buy,1,1`], /:3: .* times must not go back/]
  ])("readTradeFile() names the line of %s", (_, lines, message) => {
    expect(() => readTradeFile(write(...lines))).toThrow(message)
  })

  test("makeMarkets() joins files of one pair, and refuses a trade that two of them have", () => {
    const [early, late] = [rows.slice(0, 3), rows.slice(3)].map((part) => readTradeFile(write(header, ...part)))
    const markets = makeMarkets(
      [],
      [
        { ...pair, trades: late! },
        { ...pair, trades: early! }
      ]
    )
    expect(markets.get("XRPETH")?.trades?.map(({ id }) => id)).toEqual([10, 11, 12, 13, 14, 15])
    const twice = { ...pair, trades: early! }
    expect(() => makeMarkets([], [twice, twice])).toThrow(/--trades: two files of XRPETH have the trade 1\d/)
  })

  test("readOptions() takes --trades beside --csv or without it", () => {
    expect(readOptions(["--trades", "XRP/ETH=t.csv"])).toMatchObject({ csv: [], trades: [{ ...pair, file: "t.csv" }] })
    expect(() => readOptions(["--trades", "XRPETH"])).toThrow(/--trades XRPETH: must be BASE\/QUOTE=FILE/)
    expect(() => readOptions([])).toThrow("no market to trade")
  })
})
