/** How is a range made available, without reading it? */
import { Clock, Data, Effect, Option } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import type { AvailabilityResult } from "../../protocol/history/HistoryResult.ts"
import { barCount } from "../../protocol/history/Interval.ts"
import { isOwed, timeOf } from "../../protocol/history/MissingRange.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { actOnGap } from "./actOnGap.ts"
import * as Budget from "./Budget.ts"
import { currentView, laterView } from "./currentView.ts"
import { closedTime, explained, sourceOutcomes, storesUnused } from "./historyMeta.ts"
import { judgeTime } from "./judgeTime.ts"
import { planRead, type ReadPlan } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"
import { type Evidence, refusal, type Refusal } from "./verdict.ts"

/** The range is not available, and the request has an error made of that. */
export class NotAvailable extends Data.TaggedError("NotAvailable")<{
  readonly error: Refusal
  readonly result: AvailabilityResult
}> {}

const planOf = Effect.fnUntraced(function* (request: ValidRequest, view: CoverageView) {
  return { version: view.root.version, plan: planRead(request, view, yield* Clock.currentTimeMillis) }
})

/** The plan of what stands behind what was done. */
const laterPlan = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget.Budget, minVersion: number) {
  const view = yield* laterView(request, budget, minVersion)
  return Option.isNone(view) ? Option.none() : Option.some(yield* planOf(request, view.value))
})

/** What there is to judge. */
interface Found extends Pick<Evidence, "missing" | "filled" | "gapMode"> {
  readonly plan: ReadPlan
}

/** Accounts for the time, and says what was demanded and is not met: bars are counted by time, as no row is read. */
const judge = Effect.fnUntraced(function* (request: ValidRequest, found: Found, budget: Budget.Budget) {
  const { filled, gapMode, missing, plan } = found
  const { interval } = request.entry
  const closed = closedTime(request, plan.covered)
  const unexpected = RangeSet.union(closed, timeOf(missing.filter((range) => !isOwed(range))))
  const expectedBars = barCount(interval, ...request.range) - bars(unexpected, interval.lengthMs)
  const lackingBars = bars(RangeSet.subtract(timeOf(missing), unexpected), interval.lengthMs)
  const counted = { expectedBars, rows: expectedBars - lackingBars }
  const nowMs = yield* Clock.currentTimeMillis
  const outcome = { counted, missing, covered: plan.covered, closed, filled, nowMs }
  const slaReport = yield* judgeTime(request, outcome, budget)
  const error = refusal(request, { quality: counted, missing, closed, filled, gapMode }, slaReport.violation)
  return { slaReport, error }
})

/** Fills what is missing, within the budget, and says what was done. */
export const ensureAvailable = Effect.fn(Span.historyEnsure)(function* (request: ValidRequest) {
  const budget = yield* Budget.start(request.sla)
  const first = yield* currentView(request, budget)
  if (Option.isNone(first)) {
    return yield* new DeadlineExceeded({ waitingFor: "coverage", budgetMs: budget.totalMs })
  }
  const before = yield* planOf(request, first.value)
  const filled = yield* actOnGap(before.plan, request, budget)
  const minVersion = Math.max(filled.version, ...filled.jobs.map(({ coverageVersion }) => coverageVersion))
  const isNews = filled.jobs.length > 0 || filled.version > before.version
  // what was known before is an account too, should the time not suffice for a newer one, or nobody have one
  const later = Effect.orElseSucceed(laterPlan(request, budget, minVersion), () => Option.none())
  const after = isNews ? yield* later : Option.none()
  const { plan, version } = Option.getOrElse(after, () => before)
  const missing = explained(plan.missing, filled, request.entry.grid)
  const judged = yield* judge(request, { missing, filled, plan, gapMode: before.plan.gapMode }, budget)
  const result: AvailabilityResult = {
    available: !missing.some(isOwed),
    coverageRanges: plan.covered,
    missingRanges: missing,
    jobs: filled.jobs.map(({ run, state, windowStart }) => ({ windowStart, run, state })),
    sourceOutcomes: sourceOutcomes(request, filled, storesUnused),
    slaReport: judged.slaReport,
    coverageVersion: version,
    requestId: request.requestId,
    notes: filled.notes
  }
  return judged.error === undefined ? result : yield* new NotAvailable({ error: judged.error, result })
})
