/** What does Binance's public spot API answer to each request, and in which form? */
import { page, type Bar, type PageRequest } from "./Candles.ts"
import { intervals, type Interval } from "./Interval.ts"
import type { Market, Markets } from "./Market.ts"
import { pageOfTrades, type Trade } from "./Trades.ts"

/** An answer before it is sent; `rows` is there when it is a page of klines or trades. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly rows?: ReadonlyArray<unknown>
  readonly headers?: Readonly<Record<string, string>>
}

/** What an answer depends on. */
export interface Exchange {
  readonly markets: Markets
  readonly nowMs: () => number
}

const klinesPath = "/api/v3/klines"
const tradesPath = "/api/v3/aggTrades"

/** The paths that faults strike: those of pages. */
export const pagePaths: ReadonlyArray<string> = [klinesPath, tradesPath]

const limitDefault = 500
const limitMax = 1000
// What Binance publishes as the scale of its assets.
const assetScale = 8

const ok = (body: unknown): Answer => ({ status: 200, body })

/** A refusal in Binance's form: a negative code and a sentence. */
export const refusal = (status: number, code: number, msg: string): Answer => ({ status, body: { code, msg } })

const missing = (name: string): Answer =>
  refusal(400, -1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`)

const illegal = (name: string): Answer =>
  refusal(400, -1100, `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,15}$'.`)

/** One kline as Binance sends it. The four figures that the record lacks (quote volume, trades, taker shares) are 0. */
const toKline = (bar: Bar, interval: Interval): ReadonlyArray<string | number> => {
  const { startMs, open, high, low, close, volume } = bar
  return [startMs, open, high, low, close, volume, interval.nextStart(startMs) - 1, "0", 0, "0", "0", "0"]
}

/** A page of klines or trades: the answer's body. */
export const pageAnswer = (rows: ReadonlyArray<unknown>): Answer => ({ ...ok(rows), rows })

interface Numbers extends PageRequest {
  readonly fromId: number | undefined
}

/** The whole numbers of a query, or the refusal of the first parameter that is not one. */
const readNumbers = (query: URLSearchParams): Numbers | { readonly refused: Answer } => {
  const wrong = ["startTime", "endTime", "fromId", "limit"].find((name) => !/^\d{1,15}$/.test(query.get(name) ?? "0"))
  if (wrong !== undefined) return { refused: illegal(wrong) }
  const numberOf = (name: string): number | undefined => (query.has(name) ? Number(query.get(name)) : undefined)
  const limit = Math.min(numberOf("limit") ?? limitDefault, limitMax)
  if (limit === 0) return { refused: refusal(400, -1130, "Data sent for parameter 'limit' is not valid.") }
  return { startTimeMs: numberOf("startTime"), endTimeMs: numberOf("endTime"), fromId: numberOf("fromId"), limit }
}

const invalidSymbol = refusal(400, -1121, "Invalid symbol.")

const klines = ({ markets }: Exchange, query: URLSearchParams): Answer => {
  const absent = ["symbol", "interval"].find((name) => !query.get(name))
  if (absent !== undefined) return missing(absent)
  const wanted = readNumbers(query)
  if ("refused" in wanted) return wanted.refused
  const market = markets.get(query.get("symbol") ?? "")
  if (market === undefined) return invalidSymbol
  const interval = intervals.find((each) => each.name === query.get("interval"))
  const candles = interval && market.candlesOf(interval)
  // A record too coarse for the interval is refused too: an empty page would claim that nothing was traded.
  if (interval === undefined || candles === undefined) return refusal(400, -1120, "Invalid interval.")
  return pageAnswer(page(candles, wanted).map((bar) => toKline(bar, interval)))
}

/** One trade as Binance sends it: aggregated of those of one order and price, each of one alone in the record. */
const toAggTrade = ({ amount, atMs, id, price, side }: Trade): unknown => ({
  a: id,
  p: price,
  q: amount,
  f: id,
  l: id,
  T: atMs,
  m: side === "sell",
  M: true
})

const aggTrades = ({ markets }: Exchange, query: URLSearchParams): Answer => {
  if (!query.get("symbol")) return missing("symbol")
  const wanted = readNumbers(query)
  if ("refused" in wanted) return wanted.refused
  if (query.has("fromId") && (query.has("startTime") || query.has("endTime"))) {
    return refusal(400, -1128, "Combination of optional parameters invalid.")
  }
  const trades = markets.get(query.get("symbol") ?? "")?.trades
  // A market without a record of trades is refused too: an empty page would claim that nothing was traded.
  return trades === undefined ? invalidSymbol : pageAnswer(pageOfTrades(trades, wanted).map(toAggTrade))
}

/** The smallest step of that many digits, padded as Binance pads it: 2 gives 0.01000000. */
const stepText = (scale: number): string =>
  scale === 0 ? `1.${"0".repeat(assetScale)}` : `0.${"1".padStart(scale, "0").padEnd(assetScale, "0")}`

const symbolInfo = ({ id, base, quote, priceScale, volumeScale }: Market): unknown => {
  const tick = stepText(priceScale)
  const lot = stepText(volumeScale)
  return {
    symbol: id,
    status: "TRADING",
    baseAsset: base,
    baseAssetPrecision: assetScale,
    quoteAsset: quote,
    quotePrecision: assetScale,
    quoteAssetPrecision: assetScale,
    baseCommissionPrecision: assetScale,
    quoteCommissionPrecision: assetScale,
    orderTypes: ["LIMIT", "LIMIT_MAKER", "MARKET"],
    icebergAllowed: false,
    ocoAllowed: false,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: false,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      { filterType: "PRICE_FILTER", minPrice: tick, maxPrice: "1000000.00000000", tickSize: tick },
      { filterType: "LOT_SIZE", minQty: lot, maxQty: "9000000.00000000", stepSize: lot },
      { filterType: "MARKET_LOT_SIZE", minQty: "0.00000000", maxQty: "9000000.00000000", stepSize: "0.00000000" },
      { filterType: "NOTIONAL", minNotional: "0.00010000", applyMinToMarket: true, maxNotional: "9000000.00000000" }
    ],
    permissions: ["SPOT"]
  }
}

const exchangeInfo = ({ markets, nowMs }: Exchange): Answer =>
  ok({
    timezone: "UTC",
    serverTime: nowMs(),
    rateLimits: [{ rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 6000 }],
    exchangeFilters: [],
    symbols: [...markets.values()].map(symbolInfo)
  })

/** The answer of an exchange in good health; 404 for a path it does not have. */
export const answer = (exchange: Exchange, path: string, query: URLSearchParams): Answer => {
  switch (path) {
    case "/api/v3/ping":
      return ok({})
    case "/api/v3/time":
      return ok({ serverTime: exchange.nowMs() })
    case "/api/v3/exchangeInfo":
      return exchangeInfo(exchange)
    case klinesPath:
      return klines(exchange, query)
    case tradesPath:
      return aggTrades(exchange, query)
    default:
      return { status: 404, body: "Not Found" }
  }
}
