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
import type { Found } from "./Found.ts"
import * as historyMeta from "./historyMeta.ts"
import { judgeTime } from "./judgeTime.ts"
import type { Loaded } from "./loadRows.ts"
import { type ColumnTypes, typeNotes } from "./typeNotes.ts"
import { notesOf } from "./unsettledNotes.ts"
import type { ValidRequest } from "./validRequest.ts"
import { type Refusal, refusal, strictFinding } from "./verdict.ts"

const { closedTime, explained, qualitySummary, sourceOutcomes, storeOutcomes } = historyMeta

/** What the rows of an answer come to. */
export interface Told extends Pick<Loaded, "covered" | "contributions" | "fingerprint" | "stores">, ColumnTypes {
  readonly counts: historyMeta.RowCounts
  readonly found: Found
  /** Rows that were made; absent where none were asked for. */
  readonly forwardFilledBars?: number
}

/** What was learnt of an answer, without its rows. */
type Learnt = Pick<Findings<unknown>, "view" | "plan" | "filled" | "storageTimedOut" | "nowMs">

/** The account of an answer, and the first demand that it does not meet. */
interface Account {
  readonly meta: HistoryMeta
  readonly error: Refusal | undefined
}

/** What of the range did not come: what is not covered, and what is covered and was not read in time. */
const missingOf = (
  request: ValidRequest,
  { filled, plan }: Learnt,
  { covered, stores }: Told
): ReadonlyArray<MissingRange.MissingRange> => {
  const why = stores.failure === undefined ? " in time" : `: ${stores.failure.message}`
  const absent = RangeSet.missing(covered, ...request.range)
  const unread = MissingRange.classify(RangeSet.subtract(plan.covered, covered), []).map((range) => ({
    ...range,
    reason: `stored, but not read${why}`
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
    sourceOutcomes: sourceOutcomes(request, filled, storeOutcomes({ stores: told.stores, storageTimedOut })),
    watermarks: view.root.watermarks,
    qualitySummary: quality,
    coverageVersion: view.root.version,
    ...(view.staleMs !== undefined && { staleMs: view.staleMs }),
    fingerprint: told.fingerprint,
    notes: [...forcedNotes(request), ...filled.notes, ...notes, ...typeNotes(request.entry.schema, told)]
  }
})

/** The account of an answer whose rows come to that. */
export const accountOf = Effect.fnUntraced(function* (
  request: ValidRequest,
  learnt: Learnt,
  told: Told,
  budget: Budget.Budget
) {
  const missing = missingOf(request, learnt, told)
  const closed = closedTime(request, learnt.plan.covered)
  const counted = qualitySummary(request, told, missing, closed)
  const flagged = request.strict && request.onStrictViolation === "flag"
  const quality: QualitySummary = {
    ...counted,
    ...(flagged && { strict: strictFinding({ missing, quality: counted, closed }) }),
    ...(told.forwardFilledBars !== undefined && { forwardFilledBars: told.forwardFilledBars })
  }
  const { filled, nowMs, plan, storageTimedOut } = learnt
  const account = yield* metaOf(request, learnt, told, { budget, quality })
  const outcome = { counted: quality, missing, covered: told.covered, closed, filled, nowMs }
  const slaReport = yield* judgeTime(request, outcome, budget)
  const meta: HistoryMeta = { ...account, missingRanges: missing, slaReport }
  yield* Effect.annotateCurrentSpan({
    [Attribute.missingCount]: missing.length,
    [Attribute.gapMode]: learnt.plan.gapMode,
    [Attribute.gapBars]: bars(learnt.plan.gap, request.entry.interval.lengthMs),
    [Attribute.waitMs]: slaReport.elapsedMs,
    [Attribute.timeout]: slaReport.violation !== null
  })
  const unread = { isLate: storageTimedOut, failure: told.stores?.failure }
  const evidence = { quality, missing, closed, filled, gapMode: plan.gapMode, unread }
  return { meta, error: refusal(request, evidence, slaReport.violation) } satisfies Account
})
