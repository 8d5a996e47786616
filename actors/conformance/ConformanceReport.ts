/**
 * What did conforming find?
 *
 * Counts of what each step did, and what the quality rules found: which bars, with the first few of them as examples.
 * Which rows were meant is said by their flags, too. It travels on into the quality summary of an answer.
 *
 * The rows given are those of the sealed frame, those that gave way as duplicates, those left out as late, and those
 * that were rolled up into others.
 */
import * as Findings from "../../protocol/history/Findings.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { includes } from "../../protocol/history/RangeMeasure.ts"

/** One bar in which a rule found something. */
export interface Example {
  /** The start of the bar. */
  readonly timeMs: number
  readonly column: string
  readonly value: number
}

/** What one rule found. */
export interface Finding {
  /** The rule's name. */
  readonly rule: string
  readonly severity: "flag" | "quarantine"
  /** What it is, in words. */
  readonly problem: string
  readonly count: number
  /** The time of the bars, all of it. */
  readonly ranges: RangeSet.RangeSet
  /** The first few of them. */
  readonly examples: ReadonlyArray<Example>
}

/** What the steps counted in one batch of rows. */
export interface ConformanceReport {
  /** Rows in the sealed frame. */
  readonly rows: number
  /** Rows given with an event time inside a bar, set to the bar's start. */
  readonly movedToBar: number
  /** Rows given behind a row of later event time. */
  readonly outOfOrderCount: number
  /** Those of them that were further behind than the rules allow. */
  readonly lateCount: number
  /** Those of these that the rules leave out. */
  readonly droppedCount: number
  /** Rows given that gave way to another of their event time. */
  readonly gaveWayCount: number
  /** Rows that are part of another row's bar. */
  readonly rolledUpCount: number
  /** Values that their column's type can't hold as they are, and that the rules let be missing. */
  readonly lossCount: number
  /** Missing values that a default took the place of. */
  readonly defaultCount: number
  /** Columns of the schema that were not given, and whose values are missing. */
  readonly absentColumns: ReadonlyArray<string>
  /** Local times that come twice, or never, and that the rules decided. */
  readonly ambiguousTimeCount: number
  readonly nonexistentTimeCount: number
  /** What quality rules found; none where there is nothing to tell. */
  readonly findings: ReadonlyArray<Finding>
}

/** A bar in words: `close is 1e9 at 2022-12-13T00:03:00Z`. */
export const exampleText = ({ column, timeMs, value }: Example): string => `${column} is ${value} at ${isoTime(timeMs)}`

const timeOf = (findings: ReadonlyArray<Finding>, severity: Finding["severity"]): RangeSet.RangeSet =>
  RangeSet.unionAll(findings.filter((finding) => finding.severity === severity).map(({ ranges }) => ranges))

/** What is told beside rows that are taken, by rule: not of bars that another rule keeps out. */
export const flaggedIn = (findings: ReadonlyArray<Finding>): Findings.Findings => {
  const aside = timeOf(findings, "quarantine")
  return Findings.make(
    findings.flatMap(({ ranges, rule, severity }) =>
      severity === "flag" ? [[rule, RangeSet.subtract(ranges, aside)] as const] : []
    )
  )
}

/** The time of bars that are not taken: why, and upon which values. A bar that two rules set aside is told once. */
export const quarantinedIn = (findings: ReadonlyArray<Finding>): ReadonlyArray<MissingRange> => {
  const out: Array<MissingRange> = []
  let told = RangeSet.empty
  for (const { count, examples, problem, ranges, rule, severity } of findings) {
    if (severity !== "quarantine") continue
    for (const [start, end] of toPairs(RangeSet.subtract(ranges, told))) {
      const here = examples.filter(({ timeMs }) => includes(RangeSet.of(start, end), timeMs)).map(exampleText)
      const evidence = here.length > 0 ? here.join("; ") : `one of ${count} findings`
      const reason = `quality rule ${rule}: ${problem}`
      out.push({ start, end, state: "quarantined", reason, retryAt: null, evidence, rule })
    }
    told = RangeSet.union(told, ranges)
  }
  return out.toSorted((a, b) => a.start - b.start)
}
