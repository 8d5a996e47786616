/**
 * Which exchanges can be asked for all trades of a time, and what do they give of a trade?
 *
 * Only those of which it is known, from what ccxt sends, that trades can be found by time and gone through by number
 * without a hole. Others give their latest trades, or pages that nothing joins: a bar made of them might lack some.
 */
import { Effect } from "effect"
import type { Interval } from "../../protocol/history/Interval.ts"
import { defaults } from "../../protocol/Settings.ts"
import { pickFloats } from "../../protocol/frame/ColumnRows.ts"
import { orderRows } from "../conformance/orderRows.ts"
import { RequestFailed } from "./DataSource.ts"
import type { NumberedTrades, Limits } from "./TradeWalk.ts"

/** What is known of how an exchange gives trades. */
export interface TradeHabits {
  readonly tradesPerRequest: number
  /** What one request counts against the budget of its account. */
  readonly requestWeight: number
  /** How ccxt is to ask for them. */
  readonly method: string
}

const aggregated = { tradesPerRequest: 1000, method: "publicGetAggTrades" } as const

const habitsOf: Readonly<Record<string, TradeHabits>> = {
  binance: { ...aggregated, requestWeight: 4 },
  binanceus: { ...aggregated, requestWeight: 1 }
}

const hourMs = 3_600_000

/** The longest interval that is made of trades: a longer bar may have more than can be fetched as one. */
const intervalMsMax = hourMs

/** How an exchange gives trades; undefined where that is not known. */
export const tradeHabits = (exchange: string): TradeHabits | undefined => habitsOf[exchange]

/** What one request of a source counts, where its settings do not say. */
export const requestWeightOf = (settings: { readonly exchange?: unknown; readonly rows?: unknown }): number => {
  const { exchange, rows } = settings
  const habits = rows === "trades" && typeof exchange === "string" ? tradeHabits(exchange) : undefined
  return habits?.requestWeight ?? defaults.requestWeight
}

// some 25 requests: what fails then is not much to ask for again, and its bars are soon stored
const tradesPerPage = 25_000
// 250 requests for one bar: a busy hour of the busiest markets
const tradesPerBarMax = 250_000
// a day, then what is known so far is handed over
const windowsMax = 24

/** The bounds of a page. */
export const limitsOf = ({ tradesPerRequest }: TradeHabits, barsMax: number): Limits => ({
  tradesPerRequest,
  // exchanges refused times of more than an hour until 2022, and their variants may still
  windowMs: hourMs,
  windowsMax,
  tradesMax: tradesPerPage,
  barsMax,
  tradesPerBarMax
})

/** Why bars can't be made of the trades of an exchange whose habits are not known, and what would be right. */
export const refusedTrades = (exchange: string): string =>
  `it is not known that ${exchange} gives all trades of a time, as ${Object.keys(habitsOf).join(" and ")} do: ` +
  "leave rows away, and its own bars are asked for"

/** Why bars of the interval can't be made of trades; undefined where they can. */
export const refusedInterval = ({ lengthMs, text }: Interval): string | undefined =>
  lengthMs > intervalMsMax
    ? `a bar of ${text} has too many trades to be made of them at once: ` +
      "derive it from bars of 1h or shorter (derivedFrom)"
    : undefined

/** A trade as ccxt gives it. */
export interface GivenTrade {
  readonly id?: string | undefined
  readonly timestamp?: number | undefined
  readonly price?: number | undefined
  readonly amount?: number | undefined
  readonly info?: unknown
}

const numberIn = (info: unknown, key: string): number =>
  typeof info === "object" && info !== null ? Number(Reflect.get(info, key)) : Number.NaN

/** How many trades one of Binance's aggregated trades stands for; 0 where its number was given to none. */
const countOf = ({ info }: GivenTrade): number => {
  const [first, last] = [numberIn(info, "f"), numberIn(info, "l")]
  if (first < 0) return 0
  return Number.isSafeInteger(last - first) && last >= first ? last - first + 1 : 1
}

/** The trades of an answer by number, each once; fails where one has no number, time, price or amount. */
export const readTrades = (given: ReadonlyArray<GivenTrade>): Effect.Effect<NumberedTrades, RequestFailed> => {
  const column = (of: (trade: GivenTrade) => number | undefined): Float64Array =>
    Float64Array.from(given, (trade) => of(trade) ?? Number.NaN)
  const id = column((trade) => (trade.id === undefined ? undefined : Number(trade.id)))
  const columns = {
    eventTimeMs: column(({ timestamp }) => timestamp),
    id,
    price: column(({ price }) => price),
    amount: column(({ amount }) => amount),
    count: column(countOf)
  }
  const broken = Object.entries(columns).find(([, values]) => values.some(Number.isNaN))
  if (broken !== undefined) {
    const reason = `a trade without ${broken[0] === "eventTimeMs" ? "time" : broken[0]} can't be counted in any bar`
    return Effect.fail(new RequestFailed({ reason, retryable: false, retryAfterMs: null }))
  }
  const order = orderRows([id])
  const rows = order.filter((row, at) => at === 0 || id[row] !== id[order[at - 1]!])
  return Effect.succeed({
    eventTimeMs: pickFloats(columns.eventTimeMs, rows),
    id: pickFloats(id, rows),
    price: pickFloats(columns.price, rows),
    amount: pickFloats(columns.amount, rows),
    count: pickFloats(columns.count, rows)
  })
}
