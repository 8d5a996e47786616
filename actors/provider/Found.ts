/** In how many bars did rules find something, and in which first? Pure. */
import type * as Findings from "../../protocol/history/Findings.ts"
import type { FindingSummary } from "../../protocol/history/QualitySummary.ts"
import { bars, firstBars } from "../../protocol/history/RangeMeasure.ts"

/** Bars of each finding that are named. */
export const examplesMax = 5

/** How many bars something was found in, and the first of them. */
type FoundBars = Pick<FindingSummary, "count" | "examples">

/** By rule, and by step, in how many bars something was found. */
export type Found = Readonly<Record<string, FoundBars>>

/** What findings come to. */
export const foundIn = (findings: Findings.Findings, intervalMs: number): Found =>
  Object.fromEntries(
    Object.entries(findings).map(([rule, ranges]) => [
      rule,
      { count: bars(ranges, intervalMs), examples: firstBars(ranges, intervalMs, examplesMax) }
    ])
  )

/** What two stretches of time come to together, the earlier one first. */
export const addFound = (before: Found, after: Found): Found => {
  const all = new Map(Object.entries(before))
  for (const [rule, { count, examples }] of Object.entries(after)) {
    const known = all.get(rule) ?? { count: 0, examples: [] }
    all.set(rule, { count: known.count + count, examples: [...known.examples, ...examples].slice(0, examplesMax) })
  }
  return Object.fromEntries(all)
}
