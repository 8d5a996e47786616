/**
 * Which of the rows are doubtful, and what comes of it?
 *
 * Every rule of the plan goes over the columns once. What is found is marked SUSPECT and reported with its time and the
 * first few values; a rule may also refuse all that are given at once. Rules that compare a row with those before it
 * carry what they know from page to page of one answer, so that pages make no difference; what is stored right before
 * an answer is known to it.
 */
import { Result } from "effect"
import { type Column, missing } from "../../protocol/frame/Column.ts"
import { reservedColumns } from "../../protocol/frame/DataSchema.ts"
import type * as Frame from "../../protocol/frame/Frame.ts"
import { type ActiveRule, columnsOf, findingText, type QualityPlan } from "../../protocol/frame/planQuality.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { bars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
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
  /** The time of a range in which no bar is expected. */
  readonly closedIn?: (range: Range) => RangeSet.RangeSet
}

/** What was found, and what the next page has to know. */
export interface QualityChecked {
  readonly findings: ReadonlyArray<Finding>
  readonly carried: Carried
}

const examplesMax = 5

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
  readonly count: number
  readonly columns: ReadonlyArray<Float64Array>
}

const exampleOf = ({ eventTimeMs }: Frame.Frame, { columns, rule }: Found, row: number): Example => {
  const timeMs = eventTimeMs[row]!
  const at = columnAtFault(rule, columns, row)
  return at === undefined
    ? { timeMs, column: reservedColumns.eventTime, value: timeMs }
    : { timeMs, column: columnsOf(rule)[at]!, value: columns[at]![row]! }
}

const findRows = (
  rule: ActiveRule,
  frame: Frame.Frame,
  { carried, closedIn = () => RangeSet.empty, givenMs, interval }: QualityContext
): Result.Result<Found, ConformanceFailed> =>
  Result.flatMap(columnsFor(rule, frame), (columns) =>
    Result.try({
      try: () => {
        const applied = applyRule(rule, { frame, columns, givenMs, interval, closedIn }, carried?.get(rule.name))
        const ranges = applied.ranges ?? rangesOf(frame, applied.rows, interval.lengthMs)
        return { ...applied, rule, columns, ranges, count: bars(ranges, interval.lengthMs) }
      },
      // rows that were not checked are never taken for rows in which nothing was found
      catch: (cause) => failed(rule, `can't be computed: ${cause instanceof Error ? cause.message : String(cause)}`)
    })
  )

const refusalOf = (frame: Frame.Frame, found: Found): ConformanceFailed => {
  const { ranges, rows, rule } = found
  const [timeMs = 0] = toPairs(ranges)[0] ?? []
  const [first] = rows
  const onPageBefore = { timeMs, column: reservedColumns.eventTime, value: timeMs }
  const example = first === undefined ? onPageBefore : exampleOf(frame, found, first)
  const count = found.count === 1 ? "1 bar" : `${found.count} bars, the first of them`
  const message = `quality rule ${rule.name}: ${findingText(rule)}: ${count}: ${exampleText(example)}`
  return new ConformanceFailed({ step: "checkQuality", column: example.column, message })
}

/** The finding as it is told of rows that are taken, or of bars that are not. */
const findingOf = (frame: Frame.Frame, found: Found): Finding => {
  const { count, ranges, rows, rule } = found
  return {
    rule: rule.name,
    severity: rule.severity === "quarantine" ? "quarantine" : "flag",
    problem: findingText(rule),
    count,
    ranges,
    examples: rows.slice(0, examplesMax).map((row) => exampleOf(frame, found, row))
  }
}

const mark = (flags: Uint32Array, rows: ReadonlyArray<number>): void => {
  for (const row of rows) flags[row]! |= RowFlag.suspect
}

/**
 * Checks the rows of a sealed frame. Writes `flags` in place.
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
    const all: Array<Found> = []
    for (const rule of rules) {
      const found = yield* findRows(rule, frame, context)
      if (found.state !== undefined) carried.set(rule.name, found.state)
      if (isEmpty(found.ranges)) continue
      if (rule.severity === "reject") return yield* Result.fail(refusalOf(frame, found))
      all.push(found)
    }
    for (const { rows } of all) mark(frame.flags, rows)
    return { findings: all.map((found) => findingOf(frame, found)), carried }
  })
