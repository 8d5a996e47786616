/** What did quality rules find in several answers together? Pure. */
import type { FindingSummary } from "../protocol/history/QualitySummary.ts"

/** What rules found, by their names. */
export type Findings = Readonly<Record<string, FindingSummary>>

/** So many bars of each are told one by one. */
const examplesMax = 5

/** What was found in answers until now, and in one about time behind them. */
export const addFindings = (found: Findings, more: Findings = {}): Findings => ({
  ...found,
  ...Object.fromEntries(
    Object.entries(more).map(([rule, { count, examples, severity }]): [string, FindingSummary] => {
      const before = found[rule]
      const all = [...(before?.examples ?? []), ...examples]
      return [rule, { severity, count: (before?.count ?? 0) + count, examples: all.slice(0, examplesMax) }]
    })
  )
})
