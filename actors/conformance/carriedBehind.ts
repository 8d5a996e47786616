/** What do quality rules know behind rows that are stored already? */
import { Result } from "effect"
import type { ConformanceRules } from "../../protocol/frame/ConformanceRules.ts"
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type * as Frame from "../../protocol/frame/Frame.ts"
import { planQuality } from "../../protocol/frame/planQuality.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import { type Carried, checkQuality } from "./checkQuality.ts"

/** What says which rules there are. */
interface Ground {
  readonly schema: DataSchema
  readonly interval: Interval
  readonly rules: ConformanceRules
}

/**
 * What the first page of an answer has to know of the rows right before it. Nothing is found in them once more, and
 * they stay as they are.
 */
export const carriedBehind = (rows: Frame.Frame, { interval, rules, schema }: Ground): Carried => {
  const plan = planQuality(rules.quality ?? [], { schema, intervalMs: interval.lengthMs })
  // a rule that refuses has let these pass, or was not there yet
  const asked = { rules: plan.rules.map((rule) => ({ ...rule, severity: "flag" as const })), problems: [] }
  const checked = checkQuality(rows, asked, { interval, givenMs: rows.eventTimeMs })
  return Result.match(checked, { onFailure: () => new Map(), onSuccess: ({ carried }) => carried })
}
