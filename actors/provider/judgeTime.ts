/** How was the time of an answer used, and which demand of its policy was not met? */
import { Clock, Effect } from "effect"
import type { SlaReport } from "../../protocol/history/HistoryResult.ts"
import { isOwed, type MissingRange, timeOf } from "../../protocol/history/MissingRange.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Reach from "../sources/Reach.ts"
import type { Budget } from "./Budget.ts"
import { type Counted, lagMs, retryAfterMs, unmet } from "./demands.ts"
import type { Filled } from "./fillGap.ts"
import type { ValidRequest } from "./validRequest.ts"

/** What an answer came to. */
export interface Outcome {
  readonly counted: Counted
  readonly missing: ReadonlyArray<MissingRange>
  readonly covered: RangeSet.RangeSet
  /** Closed time of which nothing is covered. */
  readonly closed: RangeSet.RangeSet
  readonly filled: Filled
  /** The time that was taken for the present, in epoch milliseconds: of the past, that of the point. */
  readonly nowMs: number
}

/** Notes the demands on its content that the answer does not meet, and accounts for its time. */
export const judgeTime = Effect.fnUntraced(function* (
  { entry, range, sla }: Pick<ValidRequest, "entry" | "range" | "sla">,
  { closed, counted, covered, filled, missing, nowMs }: Outcome,
  budget: Budget
) {
  const never = timeOf(missing.filter((each) => !isOwed(each)))
  const lag = lagMs({
    range,
    covered,
    unexpected: RangeSet.union(closed, never),
    finalUntilMs: Reach.finalUntil(entry, nowMs)
  })
  const { elapsedMs, totalDeadlineMs } = yield* budget.report
  for (const violation of unmet(sla, { counted, lagMs: lag, elapsedMs, totalDeadlineMs })) budget.violated(violation)
  const report: SlaReport = yield* budget.report
  if (report.violation === null) return report
  const retryAfter = retryAfterMs(missing, filled, yield* Clock.currentTimeMillis)
  return { ...report, violation: { ...report.violation, retryAfterMs: retryAfter } }
})
