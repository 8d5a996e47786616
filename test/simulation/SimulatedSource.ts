/**
 * What is a source in a simulated world?
 *
 * An exchange that knows the market and has its bad days: it is slow, it fails, it cuts pages short, or it does not
 * answer at all. What it is asked is written down.
 */
import { Effect, Option } from "effect"
import type { Range } from "../../protocol/history/Range.ts"
import { type DataSource, type PageRequest, RequestFailed } from "../../actors/sources/DataSource.ts"
import { throughGate } from "../../actors/sources/Gate.ts"
import type { History, PageAsked, RequestSent } from "./History.ts"
import * as Market from "./Market.ts"
import { epochMs, type SimulatedProcess } from "./SimulatedProcess.ts"

/** How a source is at the moment. */
export interface Mood {
  readonly latencyMsMax: number
  /** How likely a request fails, and how likely that is for good. */
  readonly fails: number
  readonly refuses: number
  /** How likely a page has fewer bars than there are. */
  readonly cutsShort: number
  /** How likely nothing comes until it is too late. */
  readonly hangs: number
}

/** A source on a good day. */
export const friendly: Mood = { latencyMsMax: 40, fails: 0.02, refuses: 0, cutsShort: 0.05, hangs: 0 }

/** What gives no answer by then has failed, as an exchange's requests do. */
export const hangsForMs = 6000

/** Time of a series about which a source gives no answer, whatever its mood. */
export interface Spoiled {
  readonly series: number
  readonly range: Range
  /** Whether it says that asking again makes sense. */
  readonly retryable: boolean
  /** When that is over; never where it is infinite. */
  readonly untilMs: number
}

/** What all hosts share of a source: it is one exchange. */
export interface Upstream {
  mood: Mood
  /** How it is again after a bad day. */
  readonly usual: Mood
  readonly spoiled: ReadonlyArray<Spoiled>
  /** The bar that it gives otherwise at first; undefined where all are as they were. */
  readonly restated?: Market.Restated | undefined
}

/** The symbol of a series, and its number. */
export const symbolOf = (series: number): string => `S${series}/USD`
const seriesOf = (symbol: string): number => Number(symbol.slice(1, symbol.indexOf("/")))

/** What the source has of a series begins here: that of the second in the midst of what callers ask for. */
export const beginsAtMs = (series: number): number =>
  series === 1 ? (Math.floor(epochMs / (16 * Market.barMs)) * 16 - 104) * Market.barMs : 0

/** Who asks it, what it is, and where it is written down what it was asked. */
export interface SourceOptions {
  readonly name: string
  readonly host: SimulatedProcess
  readonly upstream: Upstream
  readonly history: History
}

const capabilities = { barsPerRequest: 20, maxEmptyBars: Market.maxEmptyBars, finalityDelayMs: 1000, attemptsMax: 3 }

const isWithin = ({ range: [from, until], series }: Spoiled, { end, start, symbol }: PageRequest): boolean =>
  series === seriesOf(symbol) && start < until && from < end

const failedFor = (reason: string, retryable: boolean) => new RequestFailed({ reason, retryable, retryAfterMs: null })

/** The source, as a host reaches it. */
export const make = ({ history, host, name, upstream }: SourceOptions): DataSource => {
  const { world } = host

  const answer = (request: PageRequest, asked: PageAsked) => {
    const { end, start, symbol } = request
    const { cutsShort, fails, refuses } = upstream.mood
    const spoiled = upstream.spoiled.find((each) => world.nowMs < each.untilMs && isWithin(each, request))
    if (spoiled !== undefined) return Effect.fail(failedFor("the exchange has lost it", spoiled.retryable))
    if (world.chance(refuses)) return Effect.fail(failedFor("the exchange refuses", false))
    if (world.chance(fails)) return Effect.fail(failedFor("the exchange is busy", true))
    const all = capabilities.barsPerRequest
    const barsMax = world.chance(cutsShort) ? 1 + world.pick(all) : all
    asked.outcome = "answered"
    const series = seriesOf(symbol)
    const startMs = Math.max(start, beginsAtMs(series))
    const { bar, restatedAtMs } = upstream.restated ?? { bar: Number.NaN, restatedAtMs: 0 }
    const wordOf = (timeMs: number, close: number): number =>
      timeMs === bar && world.nowMs < restatedAtMs ? Market.firstWordOf(close) : close
    return Effect.succeed(Market.barsOf(series, { startMs, endMs: end, barsMax, wordOf }))
  }

  const firstOf = (symbol: string) => {
    const { fails, refuses } = upstream.mood
    if (world.chance(refuses)) return Effect.fail(failedFor("the exchange refuses", false))
    if (world.chance(fails)) return Effect.fail(failedFor("the exchange is busy", true))
    return Effect.succeed(Option.some(beginsAtMs(seriesOf(symbol))))
  }

  /** A request is under way from when it is sent until there is an answer, or nobody waits for one. */
  const underWay = <A>(end: () => Effect.Effect<A, RequestFailed>) =>
    Effect.callback<A, RequestFailed>((resume) => {
      const { hangs, latencyMsMax } = upstream.mood
      const isHanging = world.chance(hangs)
      const lastsMs = isHanging ? hangsForMs : world.random() * latencyMsMax
      const sent: RequestSent = { atMs: world.nowMs, endedAtMs: world.nowMs + lastsMs }
      history.requests.push(sent)
      const late = Effect.fail(failedFor("the exchange does not answer", true))
      const forget = host.after(lastsMs, () => resume(isHanging ? late : end()))
      return Effect.sync(() => {
        forget()
        sent.endedAtMs = Math.min(sent.endedAtMs, world.nowMs)
      })
    })

  const send = (request: PageRequest) =>
    Effect.suspend(() => {
      const series = seriesOf(request.symbol)
      const asked: PageAsked = {
        host: host.name,
        series,
        startMs: request.start,
        endMs: request.end,
        atMs: world.nowMs,
        outcome: "open"
      }
      history.pages.push(asked)
      history.note(host.name, "page", () => `${request.symbol} ${request.start}..${request.end}`)
      return underWay(() => answer(request, asked))
    })

  const sendFirst = (symbol: string) =>
    Effect.suspend(() => {
      history.note(host.name, "first bar", () => symbol)
      return underWay(() => firstOf(symbol))
    })

  return {
    name,
    kind: "BACKFILL",
    capabilities,
    page: (request) => throughGate(send(request)),
    firstBar: (symbol) => throughGate(sendFirst(symbol))
  }
}
