/**
 * Which rows does one rule find, and what has it to know of them on the next page?
 */
import type * as Frame from "../../protocol/frame/Frame.ts"
import type { ActiveRule } from "../../protocol/frame/planQuality.ts"
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as moves from "./checkQualityMoves.ts"
import * as order from "./checkQualityOrder.ts"
import * as values from "./checkQualityValues.ts"

/** Rows for one rule. */
export interface RuleRows {
  readonly frame: Pick<Frame.Frame, "eventTimeMs">
  /** The columns that the rule looks at, in its order. */
  readonly columns: ReadonlyArray<Float64Array>
  /** The starts of the bars in the order in which rows were given. */
  readonly givenMs: Float64Array
  readonly interval: Interval
  /** The time that the source was asked about: what was given before and behind it is not judged. */
  readonly asked: Range
  /** The time of a range in which no bar is expected. */
  readonly closedIn: (range: Range) => RangeSet.RangeSet
}

/** What a rule knows of the rows before. */
export type RuleState =
  | ({ readonly of: "jump" } & moves.LastPrice)
  | ({ readonly of: "zScore" } & moves.Moves)
  | ({ readonly of: "reversal" } & moves.Undecided)
  | { readonly of: "timeBackwards"; readonly highestMs: number }
  | ({ readonly of: "staleRepeat" } & order.Standstill)
  | { readonly of: "barCount"; readonly block: order.Block | undefined }

/** What a rule found. */
export interface Applied {
  /** Ascending, each once; none where the rule is about the bars' time. */
  readonly rows: ReadonlyArray<number>
  /** The time of the bars of such a rule: some may have been on pages before, or have no row of this one. */
  readonly ranges?: RangeSet.RangeSet
  readonly state?: RuleState
}

const inOrder = (found: ReadonlyArray<number>): ReadonlyArray<number> =>
  found.length === 0 ? found : [...new Set(found)].toSorted((a, b) => a - b)

/** The bars that start at these times, those of `within`. */
const barsAt = ({ interval }: RuleRows, times: ReadonlyArray<number>, within: Range): RangeSet.RangeSet =>
  RangeSet.clip(RangeSet.make(times.map((timeMs): Range => [timeMs, timeMs + interval.lengthMs])), ...within)

type RuleOf<Kind extends ActiveRule["rule"]> = Extract<ActiveRule, { readonly rule: Kind }>

const none = new Float64Array(0)

const pricesOf = ({ columns: [column = none], frame, interval }: RuleRows, maxGapBars: number): moves.Prices => ({
  values: column,
  timeMs: frame.eventTimeMs,
  gapMs: maxGapBars * interval.lengthMs
})

/** A rule that looks at each row by itself. */
const applyToRows = (find: (columns: values.Numbers, found: Array<number>) => void, { columns }: RuleRows): Applied => {
  const found: Array<number> = []
  find(columns, found)
  return { rows: inOrder(found) }
}

const applyJump = (rule: RuleOf<"jump">, rows: RuleRows, before: RuleState | undefined): Applied => {
  const found: Array<number> = []
  const known = before?.of === "jump" ? before : undefined
  const last = moves.findJumps(pricesOf(rows, rule.maxGapBars), rule.share, known, found)
  return { rows: found, state: { of: "jump", ...last } }
}

const applyZScore = (rule: RuleOf<"zScore">, rows: RuleRows, before: RuleState | undefined): Applied => {
  const found: Array<number> = []
  const known = before?.of === "zScore" ? before : undefined
  const last = moves.findOutliers(pricesOf(rows, rule.maxGapBars), rule, known, found)
  return { rows: found, state: { of: "zScore", ...last } }
}

const applyReversal = (rule: RuleOf<"reversal">, rows: RuleRows, before: RuleState | undefined): Applied => {
  const found: Array<number> = []
  const known = before?.of === "reversal" ? before : undefined
  const undecided = moves.findSpikes(pricesOf(rows, rule.maxGapBars), rule, known, found)
  return { rows: found, state: { of: "reversal", ...undecided } }
}

const applyBackwards = (rule: RuleOf<"timeBackwards">, rows: RuleRows, before: RuleState | undefined): Applied => {
  const found: Array<number> = []
  const known = before?.of === "timeBackwards" ? before.highestMs : undefined
  const { asked, givenMs, interval } = rows
  const highestMs = order.findBackwards(givenMs, rule.toleranceBars * interval.lengthMs, known, found)
  // rows that are rolled up are given within their bars
  const times = found.map((row) => alignDown(interval, givenMs[row]!))
  // of a row that was left out as late there may be no bar
  return { rows: [], ranges: barsAt(rows, times, asked), state: { of: "timeBackwards", highestMs } }
}

const applyStandstill = (rule: RuleOf<"staleRepeat">, rows: RuleRows, before: RuleState | undefined): Applied => {
  const found: Array<number> = []
  const known = before?.of === "staleRepeat" ? before : undefined
  const { columns, frame, interval } = rows
  const candles = {
    timeMs: frame.eventTimeMs,
    prices: columns.slice(0, 4),
    volume: columns[4] ?? none,
    lengthMs: interval.lengthMs
  }
  const last = order.findStandstill(candles, rule, known, found)
  return { rows: found, state: { of: "staleRepeat", ...last } }
}

const applyBarCount = (rule: RuleOf<"barCount">, rows: RuleRows, before: RuleState | undefined): Applied => {
  const known = before?.of === "barCount" ? before.block : undefined
  // what stands before the answer can't be refused any more, and every answer behind it would be for its sake
  const judged: Range = rule.severity === "reject" ? rows.asked : [-Infinity, Infinity]
  const { block, sparseMs } = order.findSparse(rows.frame.eventTimeMs, { ...rule, ...rows, owedFrom: judged[0] }, known)
  return { rows: [], ranges: barsAt(rows, sparseMs, judged), state: { of: "barCount", block } }
}

/** Applies a rule to the rows; `before` is what it knew at the end of the page before. */
export const applyRule = (rule: ActiveRule, rows: RuleRows, before: RuleState | undefined): Applied => {
  switch (rule.rule) {
    case "negativeVolume":
      return applyToRows(values.findNegative, rows)
    case "ohlcOrder":
      return applyToRows(values.findDisorder, rows)
    case "nonFinite":
      return applyToRows(values.findNonFinite, rows)
    case "zeroPrice":
      return applyToRows(values.findZero, rows)
    case "jump":
      return applyJump(rule, rows, before)
    case "zScore":
      return applyZScore(rule, rows, before)
    case "reversal":
      return applyReversal(rule, rows, before)
    case "timeBackwards":
      return applyBackwards(rule, rows, before)
    case "staleRepeat":
      return applyStandstill(rule, rows, before)
    case "barCount":
      return applyBarCount(rule, rows, before)
  }
}

/** Which of the rule's columns has the value that it found in the row. */
export const columnAtFault = (rule: ActiveRule, columns: ReadonlyArray<Float64Array>, row: number): number => {
  switch (rule.rule) {
    case "nonFinite":
      return columns.findIndex((values) => !Number.isFinite(values[row]))
    case "zeroPrice":
      return columns.findIndex((values) => values[row] === 0)
    case "ohlcOrder": {
      const [open, high, low, close] = columns.map((values) => values[row] ?? Number.NaN)
      return high! < low! || open! > high! || close! > high! ? 1 : 2
    }
    case "staleRepeat":
      return 3
    default:
      return 0
  }
}
