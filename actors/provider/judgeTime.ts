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

/** The account of an answer's time, with the first demand that it does not meet: of its time, or of its content. */
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
  const report: SlaReport = yield* budget.report
  const { elapsedMs, totalDeadlineMs } = report
  // a phase that was late comes before what the content lacks; of that nothing stays with the budget
  const [first = null] = unmet(sla, { counted, lagMs: lag, elapsedMs, totalDeadlineMs })
  const violation = report.violation ?? first
  if (violation === null) return report
  const retryAfter = retryAfterMs(missing, filled, yield* Clock.currentTimeMillis)
  return { ...report, violation: { ...violation, retryAfterMs: retryAfter } }
})
