/** How is a range made available, without reading it? */
import { Clock, Data, Effect, Option } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import { CoverageMissing } from "../../protocol/history/Errors.ts"
import type { AvailabilityResult } from "../../protocol/history/HistoryResult.ts"
import { barCount } from "../../protocol/history/Interval.ts"
import { isOwed, timeOf } from "../../protocol/history/MissingRange.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { actOnGap } from "./actOnGap.ts"
import * as Budget from "./Budget.ts"
import { currentView } from "./currentView.ts"
import { explained, sourceOutcomes } from "./historyMeta.ts"
import { planRead } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The range is not covered, and the strategy does not fill gaps. */
export class NotAvailable extends Data.TaggedError("NotAvailable")<{
  readonly error: CoverageMissing
  readonly result: AvailabilityResult
}> {}

const planOf = Effect.fnUntraced(function* (request: ValidRequest, view: CoverageView) {
  return { version: view.root.version, plan: planRead(request, view, yield* Clock.currentTimeMillis) }
})

/** The plan of what stands behind what was done. */
const laterPlan = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget.Budget, minVersion: number) {
  const coverage = yield* Coverage
  const demand = { minVersion: Math.max(minVersion, request.minVersion) }
  const view = yield* budget.phase("storage")(coverage.of(request.entry.series, demand))
  return Option.isNone(view) ? Option.none() : Option.some(yield* planOf(request, view.value))
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
  // what was known before is an account too, should the time not suffice for a newer one
  const after = isNews ? yield* laterPlan(request, budget, minVersion) : Option.none()
  const { plan, version } = Option.getOrElse(after, () => before)
  const missingRanges = explained(plan.missing, filled, request.entry.grid)
  const result: AvailabilityResult = {
    available: !missingRanges.some(isOwed),
    coverageRanges: plan.covered,
    missingRanges,
    jobs: filled.jobs.map(({ run, state, windowStart }) => ({ windowStart, run, state })),
    sourceOutcomes: sourceOutcomes(request, filled, false),
    slaReport: yield* budget.report,
    coverageVersion: version,
    requestId: request.requestId,
    notes: filled.notes
  }
  if (before.plan.gapMode !== "fail") return result
  const { interval } = request.entry
  const never = bars(timeOf(missingRanges.filter((range) => !isOwed(range))), interval.lengthMs)
  const error = new CoverageMissing({
    expectedBars: barCount(interval, ...request.range) - never,
    missingBars: bars(timeOf(missingRanges), interval.lengthMs) - never,
    missingRanges
  })
  return yield* new NotAvailable({ error, result })
})
