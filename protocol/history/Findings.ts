/**
 * Which bars did quality rules find something in, by rule?
 *
 * By the rule's name the time of the bars, all of it; a rule that found nothing is absent. The algebra is that of
 * `RangeSet`, rule by rule.
 */
import { Schema } from "effect"
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

/** The time of all bars that any rule found something in. */
export const timeOf = (findings: Findings): RangeSet.RangeSet => RangeSet.unionAll(Object.values(findings))

/** As an optional field of a record: absent where nothing was found. */
export const asField = (findings: Findings): { readonly findings?: Findings } => (isNone(findings) ? {} : { findings })
