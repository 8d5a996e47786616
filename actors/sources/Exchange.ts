/**
 * How does an exchange give its bars?
 *
 * Any exchange that ccxt knows, by its public interface for candles; nothing here needs an account. The library, which
 * takes half a second to load, and the exchange's markets are loaded by the first request. How often a failure is tried
 * again, and how fast requests follow each other, is decided by whoever asks.
 */
import type { Exchange as CcxtExchange } from "ccxt"
import { Clock, Effect, Exit, Option, Semaphore } from "effect"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { defaults } from "../../protocol/Settings.ts"
import type { ExchangeSettings } from "../../protocol/SourceSettings.ts"
import { RequestFailed, type Capabilities, type DataSource, type PageRequest } from "./DataSource.ts"
import {
  limitsOf,
  readTrades,
  refusedInterval,
  refusedTrades,
  tradeHabits,
  type TradeHabits
} from "./exchangeTrades.ts"
import { fetchWhole, type Send, sendOfCall, shortReason, withSend } from "./ExchangeHttp.ts"
import { type Ended, Gate, type Pass } from "./Gate.ts"
import { type AskTrades, tradesPage } from "./tradePages.ts"

/** What must be known of an exchange before ccxt is loaded. */
interface Habits {
  readonly barsPerRequest: number
  /** Whether a request for more bars than one answer holds is answered with the first of them, not with the last. */
  readonly givesFirst: boolean
}

const habitsOf: Readonly<Record<string, Habits>> = {
  binance: { barsPerRequest: 1000, givesFirst: true },
  binanceus: { barsPerRequest: 1000, givesFirst: true },
  bybit: { barsPerRequest: 1000, givesFirst: false },
  coinbase: { barsPerRequest: 300, givesFirst: false },
  okx: { barsPerRequest: 300, givesFirst: false }
}

// Asking most exchanges for 500 works; where ccxt knows of fewer, fewer are asked for.
const otherHabits: Habits = { barsPerRequest: 500, givesFirst: false }

const barColumns = ["open", "high", "low", "close", "volume"] as const

/** What is used of an exchange in ccxt. */
type Exchange = Pick<
  CcxtExchange,
  | "featureValueByType"
  | "fetchImplementation"
  | "fetchOHLCV"
  | "fetchTrades"
  | "has"
  | "loadMarkets"
  | "options"
  | "parseOHLCV"
  | "parseOHLCVs"
  | "timeframes"
  | "urls"
>

type Candles = Awaited<ReturnType<Exchange["fetchOHLCV"]>>

/** A loaded exchange. */
interface Venue {
  readonly exchange: Exchange
  /** The most bars of one answer. */
  readonly barsMax: number
  /** Runs one call of ccxt. */
  readonly call: <A>(run: () => Promise<A>) => Effect.Effect<A, RequestFailed>
}

/** What an exchange is made of. */
interface Parts {
  readonly settings: ExchangeSettings
  readonly capabilities: Capabilities
  readonly timeoutMs: number
  /** One for each request that may be under way. */
  readonly permits: Semaphore.Semaphore
}

/** ccxt measures the time of a request from before it may be sent: it is measured here instead. */
const libraryTimeoutMs = 2 ** 31 - 1

const refused = (reason: string): RequestFailed =>
  new RequestFailed({ reason: shortReason(reason), retryable: false, retryAfterMs: null })

/** Puts scheme, host and port of `baseUrl` into every address, however deep it lies. */
const rebase = (urls: unknown, baseUrl: string): unknown => {
  // by pattern, since addresses may hold placeholders: https://api.{hostname}/v5
  if (typeof urls === "string") return urls.replace(/^[a-z]+:\/\/[^/]+/, () => baseUrl.replace(/\/$/, ""))
  if (typeof urls !== "object" || urls === null) return urls
  return Object.fromEntries(Object.entries(urls).map(([key, value]) => [key, rebase(value, baseUrl)]))
}

/** Of the kinds of market that an exchange loads, only the one that is wanted. */
const spotOnly = (fetchMarkets: unknown): unknown => {
  if (typeof fetchMarkets !== "object" || fetchMarkets === null || !("types" in fetchMarkets)) return fetchMarkets
  const { types } = fetchMarkets
  return Array.isArray(types) && types.includes("spot") ? { ...fetchMarkets, types: ["spot"] } : fetchMarkets
}

const isBar = ([time]: Candles[number]): boolean => Number.isFinite(time)

/**
 * Has an answer that is no list of bars be told by a bar that is none: ccxt takes it for an empty one, and what it
 * can't read for no row.
 */
const keepOdd = (exchange: Exchange): void => {
  const parse = exchange.parseOHLCVs.bind(exchange)
  exchange.parseOHLCVs = (given: unknown, market, ...more) => {
    if (given === undefined) return []
    const isOdd = !Array.isArray(given) || given.some((bar) => !isBar(exchange.parseOHLCV(bar, market)))
    return isOdd
      ? [[Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN]]
      : parse(given, market, ...more)
  }
}

/** Leaves an exchange with the requests that bars need: its markets on the spot, and candles or trades. */
const prepare = (exchange: Exchange, baseUrl: string | undefined): void => {
  exchange.fetchImplementation = sendOfCall
  exchange.options["fetchMarkets"] = spotOnly(exchange.options["fetchMarkets"])
  exchange.has = { ...exchange.has, fetchCurrencies: false }
  keepOdd(exchange)
  if (baseUrl === undefined) return
  exchange.urls = Object.assign({}, exchange.urls, { api: rebase(exchange.urls.api, baseUrl) })
}

/** One request of those that a call of ccxt takes, ended in time. */
const sendOne = ({ permits, settings, timeoutMs }: Parts, ...request: Parameters<Send>) =>
  fetchWhole(...request).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMs,
      orElse: () => {
        const reason = `${settings.exchange} gave no answer within ${timeoutMs} ms`
        return Effect.fail(new RequestFailed({ reason, retryable: true, retryAfterMs: null }))
      }
    }),
    permits.withPermits(1)
  )

/** How ccxt tells its failures apart. */
interface Kinds {
  readonly isTransient: (cause: unknown) => boolean
  readonly isRefusal: (cause: unknown) => boolean
}

const failureOf = ({ isRefusal, isTransient }: Kinds, cause: unknown): RequestFailed => {
  if (cause instanceof RequestFailed) return cause
  const reason = shortReason(cause instanceof Error ? cause.message : String(cause))
  const refusal = isRefusal(cause) && { isRefusal: true }
  return new RequestFailed({ reason, retryable: isTransient(cause), retryAfterMs: null, ...refusal })
}

/** Tells how the requests of a call ended: those before the last one had an answer. */
const endAll = (passes: ReadonlyArray<Pass>, exit: Ended): Effect.Effect<void> =>
  Effect.forEach(passes, (pass, index) => pass.end(index === passes.length - 1 ? exit : Exit.void), { discard: true })

/**
 * A call of ccxt that fails in one way, enters the gate for each of its requests, and takes them along when it is
 * interrupted.
 */
const makeCall =
  (parts: Parts, kinds: Kinds): Venue["call"] =>
  (run) =>
    Effect.gen(function* () {
      const { enter } = yield* Gate
      const services = yield* Effect.context()
      const passes: Array<Pass> = []
      const entered = Effect.map(enter, (pass) => void passes.push(pass))
      const sendWith = (signal: AbortSignal): Send => {
        const runPromise = Effect.runPromiseWith(services)
        return (...request) => runPromise(Effect.andThen(entered, sendOne(parts, ...request)), { signal })
      }
      return yield* Effect.tryPromise({
        try: (signal) => withSend(sendWith(signal), run),
        catch: (cause) => failureOf(kinds, cause)
      }).pipe(Effect.onExit((exit) => endAll(passes, exit)))
    })

/** Loads ccxt, once a process. Nobody who has no exchange needs it. */
export const loadLibrary = Effect.promise(() => import("ccxt"))

const load = Effect.fnUntraced(function* (parts: Parts) {
  const { capabilities, settings } = parts
  const ccxt = yield* loadLibrary
  const makers = new Map(Object.entries(ccxt.exchanges))
  const Maker = makers.get(settings.exchange)
  if (Maker === undefined) return yield* refused(`ccxt has no exchange ${settings.exchange}`)
  // Each load starts from a new exchange: ccxt keeps a failed load of its markets for good.
  const exchange: Exchange = new Maker({
    enableRateLimit: false,
    timeout: libraryTimeoutMs,
    // the last answer is of no use here, and the one with the markets is large
    enableLastHttpResponse: false,
    enableLastJsonResponse: false,
    enableLastResponseHeaders: false
  })
  prepare(exchange, settings.baseUrl)
  const call = makeCall(parts, {
    isTransient: (cause) => cause instanceof ccxt.OperationFailed,
    isRefusal: (cause) => cause instanceof ccxt.RateLimitExceeded || cause instanceof ccxt.DDoSProtection
  })
  yield* call(() => exchange.loadMarkets())
  const known: unknown = exchange.featureValueByType("spot", undefined, "fetchOHLCV", "limit")
  const barsMax = Math.min(capabilities.barsPerRequest, typeof known === "number" ? known : Infinity)
  return { exchange, barsMax, call } satisfies Venue
})

/** What ccxt calls the interval: some exchanges write 60m for 1h. */
const timeframeOf = ({ timeframes }: Exchange, interval: Interval.Interval): string | RequestFailed => {
  const names = Object.keys(timeframes ?? {})
  const isSame = (name: string): boolean => Option.exists(Interval.parse(name), ({ text }) => text === interval.text)
  return names.find(isSame) ?? refused(`no interval ${interval.text}; the exchange has ${names.join(" ")}`)
}

const toRows = (candles: Candles): RawRows => ({
  eventTime: Float64Array.from(candles, (candle) => candle[0] ?? Number.NaN),
  columns: barColumns.map((name, index) => ({
    name,
    values: Float64Array.from(candles, (candle) => candle[index + 1] ?? Number.NaN)
  }))
})

/** The candles of the request, ascending; the exchange may add others, and those are no answer. */
const inRange = (candles: Candles, { end, start }: PageRequest): Candles =>
  candles.filter(([time]) => time !== undefined && start <= time && time < end)

/** What of a request an exchange can have: none is older than the epoch, and ccxt takes 0 for a missing time. */
const sinceEpoch = (request: PageRequest): PageRequest => ({
  ...request,
  start: Math.max(request.start, Interval.alignUp(request.interval, 1))
})

const isNothing = ({ end, interval, start }: PageRequest): boolean => Interval.barCount(interval, start, end) <= 0

/**
 * The part of the range that is asked for at once: all of it where the exchange gives the first bars of a range, else
 * no more than one answer holds.
 */
const firstPart = (request: PageRequest, barsMax: number, givesFirst: boolean): PageRequest => {
  const { end, interval, start } = request
  const fits = givesFirst || Interval.barCount(interval, start, end) <= barsMax
  return fits ? request : { ...request, end: Interval.alignUp(interval, start) + barsMax * interval.lengthMs }
}

const fetchPart = Effect.fnUntraced(function* (venue: Venue, part: PageRequest) {
  const { end, interval, start, symbol } = part
  const timeframe = timeframeOf(venue.exchange, interval)
  if (typeof timeframe !== "string") return yield* timeframe
  const limit = Math.min(venue.barsMax, Interval.barCount(interval, start, end))
  // `until` counts as inside, or as outside: right either way, because no bar starts in the last millisecond
  const until = end - 1
  const candles = yield* venue.call(() => venue.exchange.fetchOHLCV(symbol, timeframe, start, limit, { until }))
  if (!candles.every(isBar)) {
    const reason = "the exchange answered with something else than a list of bars"
    return yield* new RequestFailed({ reason, retryable: true, retryAfterMs: null })
  }
  return inRange(candles, part).slice(0, limit)
})

/** The start of the first bar since the epoch, by one request. */
const fetchFirst = Effect.fnUntraced(function* (venue: Venue, symbol: string, interval: Interval.Interval) {
  // not from 0, which ccxt takes for a missing time: the exchange would give its last bar
  const all: PageRequest = { symbol, interval, start: 1, end: yield* Clock.currentTimeMillis }
  const [first] = yield* fetchPart({ ...venue, barsMax: 1 }, all)
  return Option.fromUndefinedOr(first?.[0])
})

/** How a source answers. */
type Answers = Pick<DataSource, "page" | "firstBar">

/**
 * By the exchange's own bars: each page is one request, after the first of all has loaded the markets. An exchange that
 * gives the last bars of a long range is asked for as much as one answer holds, and further on while that part is
 * empty.
 */
const byBars = (loaded: Effect.Effect<Venue, RequestFailed>, { givesFirst }: Habits): Answers => {
  const page = Effect.fnUntraced(function* (request: PageRequest) {
    const venue = yield* loaded
    let rest = sinceEpoch(request)
    while (!isNothing(rest)) {
      const part = firstPart(rest, venue.barsMax, givesFirst)
      const candles = yield* fetchPart(venue, part)
      if (candles.length > 0) return toRows(candles)
      rest = { ...rest, start: part.end }
    }
    return toRows([])
  })
  const firstBar = (symbol: string, interval: Interval.Interval) =>
    Effect.flatMap(loaded, (venue) => fetchFirst(venue, symbol, interval))
  // of the others nobody knows where to look for it
  return givesFirst ? { page, firstBar } : { page }
}

/** Sends requests for the trades of a symbol. */
const askTrades =
  ({ call, exchange }: Venue, symbol: string, { method, tradesPerRequest }: TradeHabits): AskTrades =>
  (query) => {
    const params = { fetchTradesMethod: method }
    const given = call(() =>
      "fromId" in query
        ? exchange.fetchTrades(symbol, undefined, tradesPerRequest, { ...params, fromId: query.fromId })
        : exchange.fetchTrades(symbol, query.from, tradesPerRequest, { ...params, until: query.until - 1 })
    )
    return Effect.flatMap(given, readTrades)
  }

/** By the bars that the exchange's trades make: a page is as many requests as that takes. */
const byTrades = (
  loaded: Effect.Effect<Venue, RequestFailed>,
  habits: TradeHabits,
  { barsPerRequest, finalityDelayMs }: Capabilities
): Answers => ({
  page: Effect.fnUntraced(function* (request) {
    const { end, fields, interval, start, symbol } = sinceEpoch(request)
    const problem = refusedInterval(interval)
    if (problem !== undefined) return yield* refused(problem)
    if (isNothing({ ...request, start })) return toRows([])
    const ask = askTrades(yield* loaded, symbol, habits)
    const final = Interval.alignDown(interval, (yield* Clock.currentTimeMillis) - finalityDelayMs)
    const question = {
      interval,
      start: Interval.alignUp(interval, start),
      // trades of a bar that goes on are not all there, whoever asks for it
      end: Math.min(Interval.alignUp(interval, end), final),
      limits: limitsOf(habits, barsPerRequest)
    }
    return yield* tradesPage(ask, symbol, question, fields)
  }),
  firstBar: Effect.fnUntraced(function* (symbol, interval) {
    const ask = askTrades(yield* loaded, symbol, { ...habits, tradesPerRequest: 1 })
    const [first] = (yield* ask({ fromId: 0 })).eventTimeMs
    return Option.map(Option.fromUndefinedOr(first), (time) => Interval.alignDown(interval, time))
  })
})

const capabilitiesOf = (settings: ExchangeSettings, { barsPerRequest }: Habits): Capabilities => {
  const rowFlags = (settings.rows === "trades" ? RowFlag.rolledUp : 0) | (settings.adjusted ? RowFlag.adjusted : 0)
  return {
    barsPerRequest: settings.barsPerRequest ?? barsPerRequest,
    maxEmptyBars: settings.maxEmptyBars ?? defaults.maxEmptyBars,
    finalityDelayMs: settings.finalityDelayMs ?? defaults.finalityDelayMs,
    attemptsMax: settings.attempts ?? defaults.attempts,
    joinGapsBars: settings.joinGapsBars ?? defaults.joinGapsBars,
    ...(settings.retentionMs !== undefined && { retentionMs: settings.retentionMs }),
    ...(rowFlags !== 0 && { rowFlags })
  }
}

/** A source that asks an exchange, for its bars or for the trades that make them. */
export const make = Effect.fnUntraced(function* (name: string, settings: ExchangeSettings) {
  const habits = habitsOf[settings.exchange] ?? otherHabits
  const capabilities = capabilitiesOf(settings, habits)
  const timeoutMs = settings.requestTimeoutMs ?? defaults.requestTimeoutMs
  const permits = yield* Semaphore.make(settings.concurrency ?? defaults.concurrency)
  // Those who come first share one load; a failed one is forgotten.
  const loaded = yield* Effect.cachedWithTTL(load({ settings, capabilities, timeoutMs, permits }), (exit) =>
    Exit.isSuccess(exit) ? Infinity : 0
  )
  const trades = tradeHabits(settings.exchange)
  const noTrades: Answers = { page: () => Effect.fail(refused(refusedTrades(settings.exchange))) }
  const ofTrades = trades === undefined ? noTrades : byTrades(loaded, trades, capabilities)
  const answers = settings.rows === "trades" ? ofTrades : byBars(loaded, habits)
  const page: DataSource["page"] = (request) =>
    answers.page(request).pipe(
      Effect.withSpan(Span.dataSourceRead, {
        kind: "client",
        attributes: {
          [Attribute.source]: name,
          [Attribute.interval]: request.interval.text,
          [Attribute.start]: request.start,
          [Attribute.end]: request.end
        }
      })
    )
  return { ...answers, name, kind: "BACKFILL", capabilities, page } satisfies DataSource
})
