/**
 * How is one history request answered?
 *
 * Two waits: what is covered, then the rows, with the filling of the gap beside them. Whatever hangs underneath, the
 * answer leaves within its deadline, and says what it lacks.
 */
import { Clock, Data, Effect, Option, Tracer } from "effect"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import type { HistoryMeta, HistoryResult } from "../../protocol/history/HistoryResult.ts"
import type { QualitySummary } from "../../protocol/history/QualitySummary.ts"
import type { AsOf } from "../../protocol/history/AsOf.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { durationMs } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { Coverage, type CoverageFailure, type CoverageView } from "../../protocol/messages/Coverage.ts"
import type { UnknownPoint } from "../../protocol/history/UnknownPoint.ts"
import { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { forwardFill } from "../conformance/forwardFill.ts"
import { PastRoots } from "../sources/PastRoots.ts"
import * as Budget from "./Budget.ts"
import { fillGap, type Filled, detachGap, untouched } from "./fillGap.ts"
import { closedTime, explained, qualitySummary, sourceOutcomes } from "./historyMeta.ts"
import { judgeTime } from "./judgeTime.ts"
import { type Loaded, loadRows } from "./loadRows.ts"
import { notesOf } from "./unsettledNotes.ts"
import { typeNotes } from "./typeNotes.ts"
import { planRead, type ReadPlan } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"
import { refusal, type Refusal, strictFinding } from "./verdict.ts"

/** A refusal, with the answer that was refused and its account. */
class Refused extends Data.TaggedError("Refused")<{ readonly error: Refusal; readonly result: HistoryResult }> {}

/** Why a read gives no answer. */
export type ReadFailure = Refused | CoverageFailure | UnknownPoint | DeadlineExceeded

/** Everything that was learnt for one answer. */
interface Findings {
  readonly view: CoverageView
  readonly plan: ReadPlan
  readonly loaded: Loaded
  readonly filled: Filled
  readonly storageTimedOut: boolean
  /** The time of the plan, in epoch milliseconds. */
  readonly nowMs: number
}

/** Whether stored rows could not be read, in time or at all. */
const isUnread = ({ loaded, storageTimedOut }: Pick<Findings, "loaded" | "storageTimedOut">): boolean =>
  storageTimedOut || loaded.stores.failure !== undefined

const about = (plan: ReadPlan, request: ValidRequest, budget: Budget.Budget) => {
  if (plan.gapMode === "wait") return fillGap(request, plan.gap, budget)
  if (plan.gapMode === "queue") return detachGap(request, plan.gap, budget)
  return Effect.succeed(untouched)
}

const load = Effect.fnUntraced(function* (request: ValidRequest, view: CoverageView, budget: Budget.Budget) {
  const rows = yield* budget.phase("storage", request.sla.maxWaitStorageMs)(loadRows(request, view))
  if (Option.isSome(rows)) return { loaded: rows.value, storageTimedOut: false }
  // what is in memory by then waits for nothing
  return { loaded: yield* loadRows(request, view, "memory"), storageTimedOut: true }
})

/** What is covered now, within the budget: the first of the two waits. */
const viewOf = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget.Budget, minVersion: number) {
  const coverage = yield* Coverage
  const read = coverage.of(request.entry.series, { minVersion: Math.max(request.minVersion, minVersion) })
  return yield* budget.phase("coverage")(read)
})

/** The findings with what the filling of the gap has brought, as far as it can be read in time. */
const newer = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget.Budget, found: Findings) {
  const { filled, plan, view: before } = found
  const minVersion = Math.max(filled.version, ...filled.jobs.map(({ coverageVersion }) => coverageVersion))
  const view = Option.getOrElse(yield* viewOf(request, budget, minVersion), () => before)
  if (view.root.version === before.root.version) return found
  const again = yield* load(request, view, budget)
  // rows that were there before are an answer, should those that came since hide them
  if (durationMs(again.loaded.covered) < durationMs(found.loaded.covered) && isUnread(again)) return found
  const nowMs = yield* Clock.currentTimeMillis
  const planned = { ...planRead(request, view, nowMs), gapMode: plan.gapMode }
  return { view, plan: planned, filled, nowMs, ...again } satisfies Findings
})

const noCoverage = ({ totalMs }: Budget.Budget) => new DeadlineExceeded({ waitingFor: "coverage", budgetMs: totalMs })

/** What stood at a point of the past: what is missing of it stays so. */
const findPast = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget.Budget, asOf: AsOf) {
  const roots = yield* PastRoots
  const past = yield* budget.phase("coverage")(roots.at(request.entry, asOf))
  if (Option.isNone(past)) return yield* noCoverage(budget)
  const view = past.value
  const plan = planRead(request, view, view.atMs)
  const { committedAt, version } = view.root
  const notes = [`as of version ${version} of ${isoTime(committedAt)}: nothing is fetched for the past`]
  const filled = { ...untouched, notes }
  return { view, plan, filled, nowMs: view.atMs, ...(yield* load(request, view, budget)) } satisfies Findings
})

const find = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget.Budget) {
  const first = yield* viewOf(request, budget, 0)
  if (Option.isNone(first)) return yield* noCoverage(budget)
  const before = first.value
  const nowMs = yield* Clock.currentTimeMillis
  const plan = planRead(request, before, nowMs)
  const [stored, filled] = yield* Effect.all([load(request, before, budget), about(plan, request, budget)], {
    concurrency: 2
  })
  // what was there before the gap was filled is an answer too, should the time not suffice for what came since
  const found: Findings = { view: before, plan, filled, nowMs, ...stored }
  if (filled.jobs.length === 0 && filled.version <= before.root.version) return found
  return yield* newer(request, budget, found).pipe(
    Effect.catch(({ message }) => {
      const notes = [...filled.notes, `what came meanwhile could not be read: ${message}`]
      return Effect.succeed({ ...found, filled: { ...filled, notes } })
    })
  )
})

const unreadInTime = "stored, but not read in time"

/** What of the range did not come: what is not covered, and what is covered and was not read in time. */
const missingOf = (
  request: ValidRequest,
  { filled, loaded, plan }: Findings
): ReadonlyArray<MissingRange.MissingRange> => {
  const absent = RangeSet.missing(loaded.covered, ...request.range)
  const unread = MissingRange.classify(RangeSet.subtract(plan.covered, loaded.covered), []).map((range) => ({
    ...range,
    reason: loaded.stores.failure ? `stored, but not read: ${loaded.stores.failure.message}` : unreadInTime
  }))
  return MissingRange.classify(absent, [...explained(plan.missing, filled, request.entry.grid), ...unread])
}

const metaOf = Effect.fnUntraced(function* (
  request: ValidRequest,
  findings: Findings,
  quality: QualitySummary,
  budget: Budget.Budget
) {
  const { filled, loaded, view } = findings
  const span = yield* Effect.serviceOption(Tracer.ParentSpan)
  const notes = yield* notesOf(request, view, loaded, yield* budget.remainingMs)
  return {
    strategy: request.strategy,
    strict: request.strict,
    requestId: request.requestId,
    traceId: Option.match(span, { onNone: () => "", onSome: ({ traceId }) => traceId }),
    spanId: Option.match(span, { onNone: () => "", onSome: ({ spanId }) => spanId }),
    coverageRanges: loaded.covered,
    sourceContributions: Object.fromEntries(loaded.contributions),
    sourceOutcomes: sourceOutcomes(request, filled, {
      stores: loaded.stores,
      storageTimedOut: findings.storageTimedOut
    }),
    watermarks: view.root.watermarks,
    qualitySummary: quality,
    coverageVersion: view.root.version,
    fingerprint: loaded.fingerprint,
    notes: [...filled.notes, ...notes, ...typeNotes(request.entry.schema, loaded.frame)]
  }
})

const describe = ({ entry, range, requestId, strategy, strict }: ValidRequest) =>
  Effect.annotateCurrentSpan({
    [Attribute.requestId]: requestId,
    [Attribute.nodeId]: entry.series.nodeId,
    [Attribute.interval]: entry.series.interval,
    [Attribute.start]: range[0],
    [Attribute.end]: range[1],
    [Attribute.strategy]: strategy,
    [Attribute.strict]: strict
  })

/** The rows as the request wants them. What was found in them, and their fingerprint, is of those that are stored. */
const asWanted = ({ entry, fill, range }: ValidRequest, { covered, frame }: Loaded, quality: QualitySummary) => {
  if (fill === "none") return { df: frame, quality }
  const closed = Calendar.closedBars(entry.calendar, entry.interval, range)
  const filled = forwardFill(frame, covered, { interval: entry.interval, fields: entry.schema.fields, closed })
  return { df: filled.frame, quality: { ...quality, forwardFilledBars: filled.filledCount } }
}

/** Answers one history request. Two waits: what is covered, then the rows. */
export const read = Effect.fn(Span.historyRead)(function* (request: ValidRequest) {
  yield* describe(request)
  const budget = yield* Budget.start(request.sla)
  const { asOf } = request
  const findings = yield* asOf === undefined ? find(request, budget) : findPast(request, budget, asOf)
  const missing = missingOf(request, findings)
  const closed = closedTime(request, findings.plan.covered)
  const counted = qualitySummary(request, findings.loaded, missing, closed)
  const flagged = request.strict && request.onStrictViolation === "flag"
  const found = flagged ? { ...counted, strict: strictFinding({ missing, quality: counted, closed }) } : counted
  const { df, quality } = asWanted(request, findings.loaded, found)
  const account = yield* metaOf(request, findings, quality, budget)
  const { filled, loaded, nowMs } = findings
  const outcome = { counted: quality, missing, covered: loaded.covered, closed, filled, nowMs }
  const slaReport = yield* judgeTime(request, outcome, budget)
  const meta: HistoryMeta = { ...account, missingRanges: missing, slaReport }
  yield* Effect.annotateCurrentSpan({
    [Attribute.missingCount]: missing.length,
    [Attribute.waitMs]: slaReport.elapsedMs,
    [Attribute.timeout]: slaReport.violation !== null
  })
  const result: HistoryResult = { df, meta }
  const error = refusal(
    request,
    {
      quality,
      missing,
      closed,
      filled,
      gapMode: findings.plan.gapMode,
      unread: { isLate: findings.storageTimedOut, failure: loaded.stores.failure }
    },
    slaReport.violation
  )
  return error === undefined ? result : yield* new Refused({ error, result })
})
