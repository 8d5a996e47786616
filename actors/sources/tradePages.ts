/**
 * How do the trades of an exchange become a page of bars?
 *
 * By several requests, as TradeWalk.ts says. A page ends with a whole bar: what is behind it is asked for again. When a
 * request fails, the page ends with the bars that are whole by then; it fails only where there is none.
 */
import { Effect, Result } from "effect"
import type { Field } from "../../protocol/frame/DataSchema.ts"
import { isRange } from "../../protocol/history/Range.ts"
import { rollUpTrades } from "../conformance/rollUpTrades.ts"
import { type Page, RequestFailed } from "./DataSource.ts"
import * as TradeWalk from "./TradeWalk.ts"

/** Sends one request. */
export type AskTrades = (query: TradeWalk.TradeQuery) => Effect.Effect<TradeWalk.NumberedTrades, RequestFailed>

/** A walk takes fewer, unless the exchange contradicts itself. */
const requestsMax = 500

const endless = (symbol: string): RequestFailed =>
  new RequestFailed({
    reason: `its answers about the trades of ${symbol} contradict each other: ${requestsMax} requests led nowhere`,
    retryable: true,
    retryAfterMs: null
  })

const crowded = (symbol: string, { interval, limits }: TradeWalk.Question): RequestFailed =>
  new RequestFailed({
    reason:
      `one bar of ${symbol} ${interval.text} has more than ${limits.tradesPerBarMax} trades: ` +
      "derive it from shorter bars (derivedFrom)",
    retryable: false,
    retryAfterMs: null
  })

const join = (
  parts: ReadonlyArray<TradeWalk.NumberedTrades>,
  name: keyof TradeWalk.NumberedTrades,
  until: number
): Float64Array => {
  const kept = parts.map((part) => part[name].filter((_, row) => isRange(part.eventTimeMs[row]!, until)))
  const all = new Float64Array(kept.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const values of kept) {
    all.set(values, at)
    at += values.length
  }
  return all
}

/** The bars of a walk that are whole. */
const pageOf = (walk: TradeWalk.TradeWalk, fields: ReadonlyArray<Field>): Page => {
  const { parts, question } = walk
  const { interval, limits, start } = question
  const reached = TradeWalk.wholeUntil(walk)
  const bars = rollUpTrades(
    {
      eventTimeMs: join(parts, "eventTimeMs", reached),
      id: join(parts, "id", reached),
      price: join(parts, "price", reached),
      amount: join(parts, "amount", reached),
      count: join(parts, "count", reached)
    },
    interval,
    fields
  )
  const until = bars.eventTime[limits.barsMax] ?? reached
  return {
    eventTime: bars.eventTime.subarray(0, limits.barsMax),
    columns: bars.columns.map((column) => ({ ...column, values: column.values.subarray(0, limits.barsMax) })),
    whole: isRange(start, until) ? [[start, until]] : [],
    until
  }
}

/** The first bars of the question, of which all trades are there. */
export const tradesPage = Effect.fnUntraced(function* (
  ask: AskTrades,
  symbol: string,
  question: TradeWalk.Question,
  fields: ReadonlyArray<Field> = []
) {
  let walk = TradeWalk.begin(question)
  let requests = 0
  for (let query = TradeWalk.next(walk); query !== undefined; query = TradeWalk.next(walk)) {
    const isGoing = isRange(question.start, TradeWalk.wholeUntil(walk))
    if (requests === requestsMax && !isGoing) return yield* endless(symbol)
    if (requests === requestsMax) break
    const answer = yield* Effect.result(ask(query))
    if (Result.isFailure(answer) && !isGoing) return yield* answer.failure
    if (Result.isFailure(answer)) break
    walk = TradeWalk.take(walk, answer.success)
    requests += 1
  }
  if (TradeWalk.isCrowded(walk)) return yield* crowded(symbol, question)
  return pageOf(walk, fields)
})
