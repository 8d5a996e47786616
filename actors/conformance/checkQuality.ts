/**
 * Which of the rows are doubtful, and what comes of it?
 *
 * Every rule of the plan goes over the columns once. What is found is reported with its time and the first few values;
 * a rule may also refuse all that are given at once. Rules that compare a row with those before it
 * carry what they know from page to page of one answer, so that pages make no difference; what is stored right before
 * an answer is known to it.
 */
import { Result } from "effect"
import { type Column, missing } from "../../protocol/frame/Column.ts"
import { reservedColumns } from "../../protocol/frame/DataSchema.ts"
import type * as Frame from "../../protocol/frame/Frame.ts"
import { type ActiveRule, columnsOf, findingText, type QualityPlan } from "../../protocol/frame/planQuality.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { bars, firstBars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { type Applied, applyRule, columnAtFault, type RuleState } from "./checkQualityRule.ts"
import { ConformanceFailed } from "./ConformanceFailed.ts"
import { type Example, exampleText, type Finding } from "./ConformanceReport.ts"

/** What rules know of the rows before, by the rule's name. */
export type Carried = ReadonlyMap<string, RuleState>

/** Where the rows stand. */
export interface QualityContext {
  readonly interval: Interval
  /** The starts of the bars in the order in which rows were given, before any was left out. */
  readonly givenMs: Float64Array
  /** What an earlier page of the same answer left. */
  readonly carried?: Carried | undefined
  /** The time that the source was asked about; all without it. */
  readonly asked?: Range
  /** The time of a range in which no bar is expected. */
  readonly closedIn?: (range: Range) => RangeSet.RangeSet
}

/** What was found, and what the next page has to know. */
export interface QualityChecked {
  readonly findings: ReadonlyArray<Finding>
  readonly carried: Carried
}

const examplesMax = 5
const { eventTime } = reservedColumns

const failed = ({ name }: { readonly name: string }, problem: string, where: { readonly column?: string } = {}) =>
  new ConformanceFailed({ step: "checkQuality", ...where, message: `quality rule ${name}: ${problem}` })

/** The numbers of a column; undefined where it has none. */
const numbersOf = (column: Column | undefined): Float64Array | undefined => {
  switch (column?.type) {
    case "float64":
    case "timestamp":
      return column.values
    case "int64":
      return Float64Array.from(column.values, (value) => (value === missing.int64 ? Number.NaN : Number(value)))
    default:
      return undefined
  }
}

/** Whether nothing stands in the way of the rule; its columns, in its order. */
const columnsFor = (
  rule: ActiveRule,
  frame: Frame.Frame
): Result.Result<ReadonlyArray<Float64Array>, ConformanceFailed> =>
  Result.all(
    columnsOf(rule).map((name) => {
      const numbers = numbersOf(frame.columns.find((column) => column.name === name))
      return numbers === undefined
        ? Result.fail(failed(rule, `there is no column ${name} of numbers`, { column: name }))
        : Result.succeed(numbers)
    })
  )

const rangesOf = ({ eventTimeMs }: Frame.Frame, rows: ReadonlyArray<number>, lengthMs: number): RangeSet.RangeSet =>
  RangeSet.make(rows.map((row) => [eventTimeMs[row]!, eventTimeMs[row]! + lengthMs] as const))

/** What a rule found, and the column values that it looked at. */
interface Found extends Applied {
  readonly rule: ActiveRule
  /** The time of the bars. */
  readonly ranges: RangeSet.RangeSet
  readonly columns: ReadonlyArray<Float64Array>
}

const exampleOf = ({ eventTimeMs }: Frame.Frame, { columns, rule }: Found, row: number): Example => {
  const at = columnAtFault(rule, columns, row)
  return { timeMs: eventTimeMs[row]!, column: columnsOf(rule)[at]!, value: columns[at]![row]! }
}

const examplesOf = (frame: Frame.Frame, found: Found, lengthMs: number): ReadonlyArray<Example> =>
  found.columns.length === 0
    ? firstBars(found.ranges, lengthMs, examplesMax).map((timeMs) => ({ timeMs, column: eventTime, value: timeMs }))
    : found.rows.slice(0, examplesMax).map((row) => exampleOf(frame, found, row))

const findRows = (
  rule: ActiveRule,
  frame: Frame.Frame,
  { asked = [-Infinity, Infinity], carried, closedIn = () => RangeSet.empty, givenMs, interval }: QualityContext
): Result.Result<Found, ConformanceFailed> =>
  Result.flatMap(columnsFor(rule, frame), (columns) =>
    Result.try({
      try: () => {
        const applied = applyRule(rule, { frame, columns, givenMs, interval, asked, closedIn }, carried?.get(rule.name))
        const ranges = applied.ranges ?? rangesOf(frame, applied.rows, interval.lengthMs)
        return { ...applied, rule, columns, ranges }
      },
      // rows that were not checked are never taken for rows in which nothing was found
      catch: (cause) => failed(rule, `can't be computed: ${cause instanceof Error ? cause.message : String(cause)}`)
    })
  )

const refusalOf = ({ count, examples, problem, rule }: Finding): ConformanceFailed => {
  const [{ column } = { column: eventTime }] = examples
  const many = count === 1 ? "1 bar" : `${count} bars, the first of them`
  const message = `quality rule ${rule}: ${problem}: ${many}: ${examples.slice(0, 1).map(exampleText).join("")}`
  return new ConformanceFailed({ step: "checkQuality", column, message })
}

/** The finding as it is told of rows that are taken, or of bars that are not. */
const findingOf = (frame: Frame.Frame, found: Found, lengthMs: number): Finding => ({
  rule: found.rule.name,
  severity: found.rule.severity === "quarantine" ? "quarantine" : "flag",
  problem: findingText(found.rule),
  count: bars(found.ranges, lengthMs),
  ranges: found.ranges,
  examples: examplesOf(frame, found, lengthMs)
})

/**
 * Checks the rows of a sealed frame.
 *
 * Fails where a rule that refuses answers found something, where a rule can't be computed of these columns, and where
 * computing it fails.
 */
export const checkQuality = (
  frame: Frame.Frame,
  { problems, rules }: QualityPlan,
  context: QualityContext
): Result.Result<QualityChecked, ConformanceFailed> =>
  Result.gen(function* () {
    const [problem] = problems
    if (problem !== undefined) return yield* Result.fail(failed({ name: problem.rule }, problem.problem))
    const carried = new Map<string, RuleState>()
    const findings: Array<Finding> = []
    for (const rule of rules) {
      const found = yield* findRows(rule, frame, context)
      if (found.state !== undefined) carried.set(rule.name, found.state)
      if (isEmpty(found.ranges)) continue
      const finding = findingOf(frame, found, context.interval.lengthMs)
      if (rule.severity === "reject") return yield* Result.fail(refusalOf(finding))
      findings.push(finding)
    }
    return { findings, carried }
  })
