/**
 * Which bars do the tests of quality rules run on?
 *
 * A quiet market of minute bars in which nothing is wrong, with some values changed.
 */
import { checkQuality, type QualityChecked, type QualityContext } from "../../actors/conformance/checkQuality.ts"
import type { ConformanceFailed } from "../../actors/conformance/ConformanceFailed.ts"
import { ohlcv } from "../../protocol/frame/DataSchema.ts"
import { type Column, float64 } from "../../protocol/frame/Column.ts"
import type * as FrameModule from "../../protocol/frame/Frame.ts"
import { planQuality, type QualityPlan } from "../../protocol/frame/planQuality.ts"
import type { QualityRule } from "../../protocol/frame/QualityRules.ts"
import * as Result from "effect/Result"
import { intervalOf } from "./rows.ts"

const minuteMs = 60_000

type Values = Readonly<Partial<Record<"open" | "high" | "low" | "close" | "volume", number>>>

/** Bars of a price around 100 that never stands still, at minutes 0 to `count - 1`; `changes` by minute. */
export const quietBars = (
  count: number,
  changes: Readonly<Record<number, Values>> = {},
  lengthMs = minuteMs
): FrameModule.Frame => {
  const priceAt = (bar: number): number => 100 + ((bar * 7) % 11) / 100
  const bars = Array.from({ length: count }, (_, bar) => {
    const [open, close] = [priceAt(bar - 1), priceAt(bar)]
    const fine = { open, high: Math.max(open, close), low: Math.min(open, close), close, volume: 1 + (bar % 5) }
    const changed = { ...fine, ...changes[bar] }
    // a close that is given alone is one that the bar can have
    const { close: last = close } = changes[bar] ?? {}
    return {
      ...changed,
      high: changes[bar]?.high ?? Math.max(fine.high, last),
      low: changes[bar]?.low ?? Math.min(fine.low, last)
    }
  })
  return {
    eventTimeMs: Float64Array.from(bars, (_, bar) => bar * lengthMs),
    columns: (["open", "high", "low", "close", "volume"] as const).map((name) =>
      float64(
        name,
        Float64Array.from(bars, (bar) => bar[name])
      )
    ),
    flags: new Uint32Array(count),
    lineage: []
  }
}

/** The plan of these rules alone, without those that hold for every series. */
export const planOf = (rules: ReadonlyArray<QualityRule>, schema = ohlcv, intervalMs = minuteMs): QualityPlan => {
  const { problems, rules: all } = planQuality(rules, { schema, intervalMs })
  const names = rules.map(({ name, rule }) => name ?? rule)
  return { rules: all.filter(({ name }) => names.includes(name)), problems }
}

/** What the rules say of the bars, given in their order. */
export const check = (
  frame: FrameModule.Frame,
  plan: QualityPlan,
  context: Partial<QualityContext> = {}
): Result.Result<QualityChecked, ConformanceFailed> =>
  checkQuality(frame, plan, { interval: intervalOf("1m"), givenMs: frame.eventTimeMs, ...context })

/** The minutes in which each rule finds something. */
export const found = (
  frame: FrameModule.Frame,
  rules: ReadonlyArray<QualityRule>,
  context: Partial<QualityContext> = {}
): Readonly<Record<string, ReadonlyArray<number>>> =>
  Object.fromEntries(
    Result.getOrThrow(check(frame, planOf(rules), context)).findings.map(({ ranges, rule }) => [
      rule,
      minutesOf(frame, ranges.edges)
    ])
  )

const minutesOf = ({ eventTimeMs }: FrameModule.Frame, edges: Float64Array): ReadonlyArray<number> =>
  Array.from(eventTimeMs).flatMap((timeMs) =>
    edges.filter((edge) => edge <= timeMs).length % 2 === 1 ? [timeMs / minuteMs] : []
  )

/** The frame with another column in the place of the one of its name. */
export const withColumn = (frame: FrameModule.Frame, column: Column): FrameModule.Frame => ({
  ...frame,
  columns: frame.columns.map((each) => (each.name === column.name ? column : each))
})
