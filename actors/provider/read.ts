/**
 * How is one history request answered, in one piece?
 *
 * What is covered, the rows, and the account of them. Whatever hangs underneath, the answer leaves within its
 * deadline, and says what it lacks.
 */
import { Data, Effect, Option } from "effect"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { HistoryResult, RefusedMeta } from "../../protocol/history/HistoryResult.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import { durationMs } from "../../protocol/history/RangeMeasure.ts"
import type { CoverageFailure, CoverageView } from "../../protocol/messages/Coverage.ts"
import type { UnknownPoint } from "../../protocol/history/UnknownPoint.ts"
import type { Undelivered } from "../../protocol/wire/Envelope.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import { forwardFill } from "../conformance/forwardFill.ts"
import * as Budget from "./Budget.ts"
import { findCovered } from "./findCovered.ts"
import { find, findAt } from "./findHistory.ts"
import { accountOf } from "./historyAccount.ts"
import { foundIn } from "./Found.ts"
import { countRows } from "./historyMeta.ts"
import { type Loaded, loadRows, rowsAtHand } from "./loadRows.ts"
import type { ValidRequest } from "./validRequest.ts"
import type { Refusal } from "./verdict.ts"

/** A refusal, with what was refused and its account. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly error: Refusal
  readonly result: { readonly df: Frame; readonly meta: RefusedMeta }
}> {}

/** Why a read gives no answer. */
export type ReadFailure = Refused | CoverageFailure | UnknownPoint | Undelivered

const load = Effect.fnUntraced(function* (request: ValidRequest, view: CoverageView, budget: Budget.Budget) {
  const { maxWaitStorageMs } = request.sla
  const atHand = maxWaitStorageMs === 0 ? rowsAtHand(request, view, yield* ChunkStore) : undefined
  if (atHand !== undefined) {
    budget.noted("storage", { budgetMs: 0, waitedMs: 0, timedOut: false })
    return { loaded: atHand, storageTimedOut: false, isUnread: false, loadedMs: durationMs(atHand.covered) }
  }
  const rows = yield* budget.phase("storage", maxWaitStorageMs)(loadRows(request, view))
  // what is in memory by then waits for nothing
  const loaded = Option.isSome(rows) ? rows.value : yield* loadRows(request, view, "memory")
  const storageTimedOut = Option.isNone(rows)
  const isUnread = storageTimedOut || loaded.stores.failure !== undefined
  return { loaded, storageTimedOut, isUnread, loadedMs: durationMs(loaded.covered) }
})

/** Says in the trace what is read. */
export const describe = ({ entry, range, requestId, strategy, strict }: ValidRequest) =>
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
const asWanted = ({ entry, fill, range }: ValidRequest, { covered, frame }: Loaded) => {
  if (fill === "none") return { df: frame }
  const closed = Calendar.closedBars(entry.calendar, entry.interval, range)
  const filled = forwardFill(frame, covered, { interval: entry.interval, fields: entry.schema.fields, closed })
  return { df: filled.frame, forwardFilledBars: filled.filledCount }
}

const answer = Effect.fnUntraced(function* (request: ValidRequest) {
  yield* describe(request)
  const budget = yield* Budget.start(request.sla)
  const { asOf } = request
  const findings =
    (yield* findCovered(request, budget, load)) ??
    (yield* asOf === undefined ? find(request, budget, load) : findAt(request, budget, load, asOf))
  const { loaded } = findings
  const { df, ...made } = asWanted(request, loaded)
  const found = foundIn(loaded.findings, request.entry.interval.lengthMs)
  const told = { ...loaded, ...made, found, counts: countRows(loaded.frame), columns: loaded.frame.columns }
  const { error, meta } = yield* accountOf(request, findings, told, budget)
  const result: HistoryResult = { df, meta }
  return error === undefined ? result : yield* new Refused({ error, result })
})

// where it was asked from is the same for all, and costs as much as finding the rows
const traced = Effect.withSpan(Span.historyRead, {}, { captureStackTrace: false })

/** Answers one history request. Two waits at most: what is covered, then the rows. */
export const read = (request: ValidRequest) => traced(answer(request))
