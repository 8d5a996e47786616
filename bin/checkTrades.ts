/**
 * Can what a configuration wants to be made of trades be made of them?
 *
 * Told before anything starts: of an exchange that is not known to give all trades of a time, and of bars that have too
 * many trades, each page would fail.
 */
import { Option, Predicate } from "effect"
import { exchangeIds } from "../actors/sources/exchangeIds.ts"
import { refusedInterval, refusedTrades, tradeHabits } from "../actors/sources/exchangeTrades.ts"
import * as Interval from "../protocol/history/Interval.ts"
import type { Mistake } from "./Mistake.ts"

const fieldOf = (value: unknown, key: string): unknown => (Predicate.hasProperty(value, key) ? value[key] : undefined)

const textsOf = (value: unknown): ReadonlyArray<string | undefined> =>
  Array.isArray(value) ? value.map((each) => (typeof each === "string" ? each : undefined)) : []

/** The exchanges that are asked for trades, by the names of their sources. */
const asked = (sources: object): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(sources).flatMap(([name, settings]) => {
      const exchange = fieldOf(settings, "exchange")
      const isAsked = fieldOf(settings, "kind") === "exchange" && fieldOf(settings, "rows") === "trades"
      return isAsked && typeof exchange === "string" ? [[name, exchange] as const] : []
    })
  )

// of an exchange that is none something else is told
const isKnown = (id: string): boolean => exchangeIds().length === 0 || exchangeIds().includes(id)

const checkIntervals = (path: string, series: unknown, names: ReadonlySet<string>): ReadonlyArray<Mistake> => {
  const source = textsOf(fieldOf(series, "sources")).find((name) => name !== undefined && names.has(name))
  if (source === undefined) return []
  return textsOf(fieldOf(series, "intervals")).flatMap((text, index) => {
    const problem = Option.match(Interval.parse(text ?? ""), { onNone: () => undefined, onSome: refusedInterval })
    return problem === undefined ? [] : [{ path: `${path}.intervals[${index}]`, problem: `of ${source}: ${problem}` }]
  })
}

/** The sources that can't give trades, and the series whose bars are too long to be made of them. */
export const checkTrades = (sources: object, series: ReadonlyArray<unknown>): ReadonlyArray<Mistake> => {
  const names = asked(sources)
  return [
    ...Array.from(names).flatMap(([name, id]) =>
      tradeHabits(id) === undefined && isKnown(id) ? [{ path: `sources.${name}.rows`, problem: refusedTrades(id) }] : []
    ),
    ...series.flatMap((each, at) => checkIntervals(`series[${at}]`, each, new Set(names.keys())))
  ]
}
