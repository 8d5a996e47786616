/**
 * What is said of an answer beside its rows, and is it good enough for what was demanded?
 *
 * Of the rows it needs only what they come to, so it is the same whether they were loaded at once or batch by batch.
 */
import { Effect, Option, Tracer } from "effect"
import { Attribute } from "../../protocol/Telemetry.ts"
import type { HistoryMeta } from "../../protocol/history/HistoryResult.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import type { QualitySummary } from "../../protocol/history/QualitySummary.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type * as Budget from "./Budget.ts"
import { forcedNotes } from "./failFast.ts"
import type { Findings } from "./findHistory.ts"
import { closedTime, explained, qualitySummary, type RowCounts, sourceOutcomes } from "./historyMeta.ts"
import type { Loaded } from "./loadRows.ts"
import { type ColumnTypes, typeNotes } from "./typeNotes.ts"
import { notesOf } from "./unsettledNotes.ts"
import type { ValidRequest } from "./validRequest.ts"
import { coverageShare, type Refusal, refusal, strictFinding } from "./verdict.ts"

/** What the rows of an answer come to. */
export interface Told extends Pick<Loaded, "covered" | "contributions" | "findings" | "fingerprint">, ColumnTypes {
  readonly counts: RowCounts
  /** Rows that were made; absent where none were asked for. */
  readonly forwardFilledBars?: number
}

/** What was learnt of an answer, without its rows. */
type Learnt = Pick<Findings<unknown>, "view" | "plan" | "filled" | "storageTimedOut">

/** The account of an answer, and the first demand that it does not meet. */
interface Account {
  readonly meta: HistoryMeta
  readonly error: Refusal | undefined
}

/** What of the range did not come: what is not covered, and what is covered and was not read in time. */
const missingOf = (
  request: ValidRequest,
  { filled, plan }: Learnt,
  covered: RangeSet.RangeSet
): ReadonlyArray<MissingRange.MissingRange> => {
  const absent = RangeSet.missing(covered, ...request.range)
  const unread = MissingRange.classify(RangeSet.subtract(plan.covered, covered), []).map((range) => ({
    ...range,
    reason: "stored, but not read in time"
  }))
  return MissingRange.classify(absent, [...explained(plan.missing, filled, request.entry.grid), ...unread])
}

const metaOf = Effect.fnUntraced(function* (
  request: ValidRequest,
  { filled, storageTimedOut, view }: Learnt,
  told: Told,
  { budget, quality }: { readonly budget: Budget.Budget; readonly quality: QualitySummary }
) {
  const span = yield* Effect.serviceOption(Tracer.ParentSpan)
  const notes = yield* notesOf(request, view, told, yield* budget.remainingMs)
  return {
    strategy: request.strategy,
    strict: request.strict,
    requestId: request.requestId,
    traceId: Option.match(span, { onNone: () => "", onSome: ({ traceId }) => traceId }),
    spanId: Option.match(span, { onNone: () => "", onSome: ({ spanId }) => spanId }),
    coverageRanges: told.covered,
    sourceContributions: Object.fromEntries(told.contributions),
    sourceOutcomes: sourceOutcomes(request, filled, storageTimedOut),
    watermarks: view.root.watermarks,
    qualitySummary: quality,
    coverageVersion: view.root.version,
    ...(view.staleMs !== undefined && { staleMs: view.staleMs }),
    fingerprint: told.fingerprint,
    notes: [...forcedNotes(request), ...filled.notes, ...notes, ...typeNotes(request.entry.schema, told)]
  }
})

/** Notes where fewer bars came than the policy demands. */
const demandCoverage = Effect.fnUntraced(function* (
  { sla }: ValidRequest,
  quality: QualitySummary,
  budget: Budget.Budget
) {
  if (coverageShare(quality) >= (sla.minCoverage ?? 0)) return
  const { elapsedMs, totalDeadlineMs } = yield* budget.report
  budget.violated({ phase: "minCoverage", budgetMs: totalDeadlineMs ?? 0, waitedMs: elapsedMs, retryAfterMs: null })
})

/** The account of an answer whose rows come to that. */
export const accountOf = Effect.fnUntraced(function* (
  request: ValidRequest,
  learnt: Learnt,
  told: Told,
  budget: Budget.Budget
) {
  const missing = missingOf(request, learnt, told.covered)
  const closed = closedTime(request, learnt.plan.covered)
  const counted = qualitySummary(request, told, missing, closed)
  const flagged = request.strict && request.onStrictViolation === "flag"
  const quality: QualitySummary = {
    ...counted,
    ...(flagged && { strict: strictFinding({ missing, quality: counted, closed }) }),
    ...(told.forwardFilledBars !== undefined && { forwardFilledBars: told.forwardFilledBars })
  }
  yield* demandCoverage(request, quality, budget)
  const slaReport = yield* budget.report
  const meta: HistoryMeta = {
    ...(yield* metaOf(request, learnt, told, { budget, quality })),
    missingRanges: missing,
    slaReport
  }
  yield* Effect.annotateCurrentSpan({
    [Attribute.missingCount]: missing.length,
    [Attribute.gapMode]: learnt.plan.gapMode,
    [Attribute.gapBars]: bars(learnt.plan.gap, request.entry.interval.lengthMs),
    [Attribute.waitMs]: slaReport.elapsedMs,
    [Attribute.timeout]: slaReport.violation !== null
  })
  const evidence = { quality, missing, closed, filled: learnt.filled, gapMode: learnt.plan.gapMode }
  return { meta, error: refusal(request, evidence, slaReport.violation) } satisfies Account
})
