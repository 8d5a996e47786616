/**
 * Which bars did quality rules find something in, by rule?
 *
 * By the rule's name the time of the bars, all of it; a rule that found nothing is absent. The algebra is that of
 * `RangeSet`, rule by rule. What steps of conformance did to rows is told in the same way, under names that no rule
 * may have: so it goes the way of findings from the rows to their readers.
 */
import { Schema } from "effect"
import { stepPrefix } from "../frame/QualityRules.ts"
import { isEmpty } from "./RangeMeasure.ts"
import { Pairs } from "./RangePairs.ts"
import * as RangeSet from "./RangeSet.ts"

/** The time of the bars that each rule found something in. */
export const Findings = Schema.Record(Schema.String, Pairs)
export type Findings = typeof Findings.Type

/** Nothing was found. */
export const none: Findings = {}

/** Whether nothing was found. */
export const isNone = (findings: Findings): boolean => Object.keys(findings).length === 0

/** The findings of each rule; time that is given twice of a rule counts once, and a rule without any is left out. */
export const make = (found: Iterable<readonly [rule: string, ranges: RangeSet.RangeSet]>): Findings => {
  const byRule = new Map<string, RangeSet.RangeSet>()
  for (const [rule, ranges] of found) {
    if (!isEmpty(ranges)) byRule.set(rule, RangeSet.union(byRule.get(rule) ?? RangeSet.empty, ranges))
  }
  return Object.fromEntries(byRule)
}

/** What any of them tell. */
export const unionAll = (all: ReadonlyArray<Findings>): Findings => make(all.flatMap((each) => Object.entries(each)))

/** What they tell of some time. */
export const intersect = (findings: Findings, time: RangeSet.RangeSet): Findings =>
  make(Object.entries(findings).map(([rule, ranges]) => [rule, RangeSet.intersect(ranges, time)] as const))

/** What steps of conformance may have done to a row. */
export type StepName = "movedToBar" | "late" | "dropped" | "loss" | "default" | "decidedTime"

const isOfStep = (name: string): boolean => name.startsWith(stepPrefix)

/** What steps did, each under its name. */
export const ofSteps = (told: Iterable<readonly [step: string, ranges: RangeSet.RangeSet]>): Findings =>
  make(Array.from(told, ([step, ranges]) => [`${stepPrefix}${step}`, ranges] as const))

/** What rules found, and beside it what steps did, by the names of the steps. */
export const split = <Of>(
  findings: Readonly<Record<string, Of>>
): { readonly rules: Readonly<Record<string, Of>>; readonly steps: Readonly<Record<string, Of>> } => {
  const all = Object.entries(findings)
  return {
    rules: Object.fromEntries(all.filter(([name]) => !isOfStep(name))),
    steps: Object.fromEntries(
      all.filter(([name]) => isOfStep(name)).map(([name, ranges]) => [name.slice(stepPrefix.length), ranges])
    )
  }
}

/** The time of all bars that any rule found something in. */
export const timeOf = (findings: Findings): RangeSet.RangeSet => RangeSet.unionAll(Object.values(split(findings).rules))

/** The time of rows to which a step did something. */
export const timeOfStep = (findings: Findings, step: StepName): RangeSet.RangeSet =>
  findings[`${stepPrefix}${step}`] ?? RangeSet.empty

/** As an optional field of a record: absent where nothing was found. */
export const asField = (findings: Findings): { readonly findings?: Findings } => (isNone(findings) ? {} : { findings })
