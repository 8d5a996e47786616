/**
 * Which quality rules hold for a series?
 *
 * Pure: what is configured upon what holds for every series, each rule complete with all its parameters. A rule that
 * holds for every series is left out where the schema lacks its columns; one that is configured and can't be computed
 * is a mistake, and is told.
 */
import type { DataSchema } from "./DataSchema.ts"
import type { QualityRule, QualityRules } from "./QualityRules.ts"

type Kind = QualityRule["rule"]

type Complete<R> = { readonly [Key in keyof R]-?: Exclude<R[Key], undefined> }

/** A rule with all its parameters. One that is off is none. */
export type ActiveRule = {
  [K in Kind]: Complete<Omit<Extract<QualityRule, { rule: K }>, "flatBars">> & { readonly flatBars?: number }
}[Kind]

/** What is checked of a series, and what of the configuration can't be. */
export interface QualityPlan {
  readonly rules: ReadonlyArray<ActiveRule>
  readonly problems: ReadonlyArray<{ readonly rule: string; readonly problem: string }>
}

/** What the rules are for. */
export interface QualityGround {
  readonly schema: DataSchema
  /** The length of a bar. */
  readonly intervalMs: number
}

const hourMs = 3_600_000
const daysOfGap = 4

/** Prices move further in longer bars: with the square root of the length, as those of a random walk do. */
const scaleOf = (intervalMs: number): number => Math.max(1, Math.sqrt(intervalMs / hourMs))

/** An hour of bars, or a long weekend where bars are longer. */
const gapOf = (intervalMs: number): number =>
  Math.max(Math.ceil(hourMs / intervalMs), Math.min(daysOfGap, Math.ceil((daysOfGap * 24 * hourMs) / intervalMs)))

const numberTypes: ReadonlyArray<string> = ["float64", "int64"]

const requiredNumbers = ({ fields }: DataSchema): ReadonlyArray<string> =>
  fields.filter(({ required, type }) => required && numberTypes.includes(type)).map(({ name }) => name)

const prices = ["open", "high", "low", "close"] as const

/** The rule with what it does not say; what it says stands as it is. */
const complete = (rule: QualityRule, { intervalMs, schema }: QualityGround): ActiveRule => {
  const common = { name: rule.rule, severity: "flag" } as const
  const moves = { ...common, column: "close", maxGapBars: gapOf(intervalMs) }
  switch (rule.rule) {
    case "negativeVolume":
      return { ...common, column: "volume", ...rule }
    case "ohlcOrder":
      return { ...common, ...rule }
    case "nonFinite": {
      const [first = "close", ...others] = requiredNumbers(schema)
      return { ...common, columns: [first, ...others], ...rule }
    }
    case "zeroPrice":
      return { ...common, columns: prices, ...rule }
    case "jump":
      return { ...moves, share: 0.5 * scaleOf(intervalMs), ...rule }
    case "zScore":
      return { ...moves, z: 10, bars: 100, minBars: Math.min(30, rule.bars ?? 30), minMove: 0.02, ...rule }
    case "reversal":
      return { ...moves, share: 0.1 * scaleOf(intervalMs), withinBars: 3, ...rule }
    case "timeBackwards":
      return { ...common, toleranceBars: 2, ...rule }
    case "staleRepeat":
      return { ...common, bars: 5, ...rule }
    case "barCount":
      return { ...common, bars: 60, minShare: 0.5, ...rule }
  }
}

/**
 * What is checked where nothing is configured. How many bars there ought to be is known only of markets that never
 * rest, so `barCount` is not among them.
 */
const everywhere: ReadonlyArray<QualityRule> = [
  { rule: "nonFinite" },
  { rule: "negativeVolume" },
  { rule: "ohlcOrder" },
  { rule: "zeroPrice" },
  { rule: "jump" },
  { rule: "zScore" },
  { rule: "reversal" },
  { rule: "timeBackwards" },
  { rule: "staleRepeat" }
]

/** The columns that a rule looks at. */
export const columnsOf = (rule: ActiveRule): ReadonlyArray<string> => {
  switch (rule.rule) {
    case "negativeVolume":
    case "jump":
    case "zScore":
    case "reversal":
      return [rule.column]
    case "nonFinite":
    case "zeroPrice":
      return rule.columns
    case "ohlcOrder":
      return prices
    case "staleRepeat":
      return [...prices, "volume"]
    case "timeBackwards":
    case "barCount":
      return []
  }
}

/** What keeps the rule from being computed of the schema's columns; undefined where nothing does. */
const problemOf = (rule: ActiveRule, { fields }: DataSchema): string | undefined => {
  if (rule.rule === "barCount" && rule.severity === "quarantine") {
    return "would keep out the bars that are there for those that are not: its severity is flag or reject"
  }
  for (const column of columnsOf(rule)) {
    const field = fields.find(({ name }) => name === column)
    if (field === undefined) {
      const known = fields.map(({ name }) => name).join(", ")
      return `looks at ${column}, which the schema does not have; it has: ${known}`
    }
    if (!numberTypes.includes(field.type)) return `looks at ${column}, which is ${field.type} and no number`
  }
  return undefined
}

const nameOf = ({ name, rule }: QualityRule): string => name ?? rule

/** The rules of a series; `given` is what is configured. */
export const planQuality = (given: QualityRules, ground: QualityGround): QualityPlan => {
  const names = given.map(nameOf)
  const standard = everywhere
    .filter((rule) => !names.includes(nameOf(rule)))
    .map((rule) => complete(rule, ground))
    .filter((rule) => problemOf(rule, ground.schema) === undefined)
  const configured = given.filter(({ severity }) => severity !== "off").map((rule) => complete(rule, ground))
  return {
    rules: [...standard, ...configured],
    problems: configured.flatMap((rule) => {
      const problem = problemOf(rule, ground.schema)
      return problem === undefined ? [] : [{ rule: rule.name, problem }]
    })
  }
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`

/** What a rule finds, in words. */
export const findingText = (rule: ActiveRule): string => {
  switch (rule.rule) {
    case "negativeVolume":
      return `${rule.column} is below zero`
    case "ohlcOrder":
      return "high is below low, or open or close is outside of them"
    case "nonFinite":
      return "a value is missing or infinite"
    case "zeroPrice":
      return "a price is zero"
    case "jump":
      return `${rule.column} is by more than ${percent(rule.share)} of the lower price from the bar before`
    case "zScore":
      return `${rule.column} moves by more than ${rule.z} standard deviations of the ${rule.bars} bars before`
    case "reversal":
      return (
        `${rule.column} leaves by more than ${percent(rule.share)} of the lower price ` +
        `and is back within ${rule.withinBars} bars`
      )
    case "timeBackwards":
      return `the row was given behind one that is more than ${rule.toleranceBars} bars later`
    case "staleRepeat":
      return `the bar repeats the ones before it`
    case "barCount":
      return `fewer than ${percent(rule.minShare)} of ${rule.bars} bars are there, or none of those before`
  }
}
