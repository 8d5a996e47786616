/**
 * How is a history request answered whose rows nobody holds all at once?
 *
 * What is covered is found and filled as for any read, and is one version from then on. Its rows go by batch by batch,
 * and what they come to is added up: the account at the end is that of the same read in one piece. What can be judged
 * before the first row is judged then.
 */
import { Effect, Option } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import type { HistoryMeta, HistoryResult } from "../../protocol/history/HistoryResult.ts"
import { bars, bounds } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Coverage, CoverageFailure, CoverageView } from "../../protocol/messages/Coverage.ts"
import { monotonicMs } from "../../runtime/Deadline.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import type { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { loadWindows } from "../sources/storedWindows.ts"
import * as AccountSoFar from "./AccountSoFar.ts"
import * as Budget from "./Budget.ts"
import * as EarlierWindows from "./EarlierWindows.ts"
import { find, findAt, type Load } from "./findHistory.ts"
import { accountOf, type Told } from "./historyAccount.ts"
import { joinWindows } from "./loadRows.ts"
import * as OnwardFill from "./OnwardFill.ts"
import * as ReadCursor from "./ReadCursor.ts"
import { refusedUnread } from "./refusedUnread.ts"
import { describe } from "./read.ts"
import * as RowBatches from "./RowBatches.ts"
import type { Priced, Tally } from "./Tally.ts"
import type { ValidRequest } from "./validRequest.ts"
import type { Refusal } from "./verdict.ts"

/** What the rows rest on as they go by. */
type Services = ChunkStore | Coverage | SeriesCatalog

/** An answer as it goes by: its rows, and its account when they have. */
export interface RowFlow<Needs = Services> {
  /** The rows that follow, perhaps none of them in a time without; none where all have gone by. */
  readonly next: Effect.Effect<Option.Option<Frame.Frame>, CoverageFailure, Needs>
  /** The account of all rows, and the first demand that they do not meet; asked when they have gone by. */
  readonly account: Effect.Effect<{ readonly meta: HistoryMeta; readonly error: Refusal | undefined }, never, Needs>
  /** The account by what is known before the end; absent where there is no more to know than at the end. */
  readonly soFar?: AccountSoFar.KnownSoFar
  readonly returnMeta: boolean
  /** How long each wait for a part may be, in milliseconds; infinite without a deadline. */
  readonly waitMs: number
  /** What is left of it for the first part. */
  readonly firstWaitMs: Effect.Effect<number>
  /** The time before which all rows have been given. */
  readonly goneByMs: () => number
  /** Where an answer goes on whose rows before that time have come; the times of an answer ascend. */
  readonly cursorAt: (fromMs: number) => string
  /** The length of a bar. */
  readonly barMs: number
  /** No rows, in the columns of the schema. */
  readonly empty: Frame.Frame
  /** Whether it goes on from a cursor. */
  readonly isResumed: boolean
}

/** Loads nothing: that is done when the rows are wanted. */
const loadLater: Load<undefined> = () => Effect.succeed({ loaded: undefined, storageTimedOut: false })

/** What an answer would come to with a row in each bar that is covered: what is refused then is refused in any case. */
const atBest = ({ entry: { interval, schema } }: ValidRequest, covered: RangeSet.RangeSet): Told => ({
  covered,
  contributions: new Map(),
  found: {},
  fingerprint: "",
  stores: { chunks: { wanted: 0, fromCache: 0, fromStorage: 0 }, failure: undefined, storageAsked: false },
  counts: { rows: bars(covered, interval.lengthMs), outOfOrderCount: 0, duplicateCount: 0 },
  columns: schema.fields
})

/** An answer that is there already, as it goes by. */
export const ofResult = (request: ValidRequest, { df, meta }: HistoryResult): RowFlow<never> => {
  const { elapsedMs, totalDeadlineMs } = meta.slaReport
  let isGone = false
  return {
    next: Effect.sync(() => {
      if (isGone) return Option.none()
      isGone = true
      return Option.some(df)
    }),
    account: Effect.succeed({ meta, error: undefined }),
    soFar: { meta: () => meta, rangesGiven: () => 0 },
    returnMeta: request.returnMeta,
    waitMs: totalDeadlineMs ?? Infinity,
    firstWaitMs: Effect.succeed(totalDeadlineMs === null ? Infinity : Math.max(0, totalDeadlineMs - elapsedMs)),
    goneByMs: () => request.range[isGone ? 1 : 0],
    cursorAt: (fromMs) => ReadCursor.encode(request, { fromMs, version: meta.coverageVersion }),
    barMs: request.entry.interval.lengthMs,
    empty: Frame.slice(df, 0, 0),
    isResumed: false
  }
}

/** The row whose price is carried on into the rows behind a cursor. */
const carriedRow = Effect.fnUntraced(function* (request: ValidRequest, view: CoverageView, priced: Priced) {
  const { lengthMs } = request.entry.interval
  const time = RangeSet.of(priced.atMs, priced.atMs + lengthMs)
  const { windows } = yield* loadWindows({ ...request, once: true }, view, time)
  const { frame } = joinWindows(request.entry, windows)
  return Frame.length(frame) === 1 ? { ...priced, row: frame } : undefined
})

/** The rows of an answer as they go by, and what they come to. */
const flowing = (
  request: ValidRequest,
  view: CoverageView,
  cursor: ReadCursor.ReadCursor | undefined,
  size: RowBatches.BatchSize | undefined
) => {
  const [start, end] = request.range
  const { tally, fromMs = start } = cursor ?? {}
  const covered = RangeSet.clip(view.covered, start, end)
  const countedMs = tally?.untilMs ?? start
  const priced = tally?.priced
  const batches = RowBatches.make(request, view, RangeSet.clip(covered, countedMs, end), size)
  const earlier = EarlierWindows.make(request, view, RangeSet.clip(covered, start, countedMs), size)
  const soFar = AccountSoFar.make(request, tally)
  const empty = Frame.empty(request.entry.schema)
  let filling: ReturnType<typeof OnwardFill.make> | undefined
  /** What rows came to behind each batch whose rows have not all been sent, and behind the last whose rows have. */
  let tallies: ReadonlyArray<Tally> = tally === undefined ? [] : [tally]
  let goneByMs = fromMs

  // read when the first rows are, so that it has its time within that of their part
  const fillOf = Effect.gen(function* () {
    filling ??= OnwardFill.make(request, priced && (yield* carriedRow(request, view, priced)))
    return filling
  })
  const rowsOf = (batch: RowBatches.Batch, fill: ReturnType<typeof OnwardFill.make>): Frame.Frame => {
    soFar.add(batch)
    const { filledCount, frame, priced: goingOn } = fill(batch)
    soFar.addMade(filledCount)
    const untilMs = Option.match(bounds(batch.covered), { onNone: () => start, onSome: (time) => time.end })
    tallies = [...tallies, { ...soFar.sum(), untilMs, priced: goingOn }]
    goneByMs = Math.max(goneByMs, untilMs)
    return Frame.within(frame, fromMs, end)
  }
  // behind the rows, as nobody waits for it but the account
  const nextEarlier = Effect.map(earlier, (some) =>
    Option.map(some, (contents) => {
      soFar.addEarlier(contents)
      return empty
    })
  )
  return {
    next: Effect.flatMap(batches, (batch) =>
      Option.isNone(batch) ? nextEarlier : Effect.map(fillOf, (fill) => Option.some(rowsOf(batch.value, fill)))
    ),
    told: () => soFar.told(covered),
    contributed: soFar,
    goneByMs: () => goneByMs,
    cursorAt: (timeMs: number) => {
      const sent = tallies.findLastIndex(({ untilMs }) => untilMs <= timeMs)
      tallies = tallies.slice(Math.max(0, sent))
      return ReadCursor.encode(request, {
        fromMs: timeMs,
        version: view.root.version,
        ...(sent >= 0 && { tally: tallies[0]! })
      })
    }
  }
}

/** Finds what is covered, fills the gap, and has the rows go by; from a cursor on, where there is one. */
export const readParts = Effect.fn(Span.historyRead)(function* (
  request: ValidRequest,
  cursor?: ReadCursor.ReadCursor,
  batchSize?: RowBatches.BatchSize
) {
  yield* describe(request)
  const budget = yield* Budget.start(request.sla)
  const point = cursor === undefined ? request.asOf : { version: cursor.version }
  const findings = yield* point === undefined
    ? find(request, budget, loadLater)
    : findAt(request, budget, loadLater, point)
  const covered = RangeSet.clip(findings.view.covered, ...request.range)
  const empty = Frame.empty(request.entry.schema)
  const early = yield* accountOf(request, findings, atBest(request, covered), budget)
  if (early.error !== undefined) return yield* refusedUnread(early.error, early.meta, empty)
  const { spanId, traceId } = early.meta
  // what the first part had to be there by is long over when the last one is made
  const atEnd = { ...budget, remainingMs: Effect.succeed(budget.totalMs) }
  const { contributed, cursorAt, goneByMs, next, told } = flowing(request, findings.view, cursor, batchSize)
  /** What is stored and wanted is waited for within the time of each part: it has no budget of its own. */
  const nextCounted = Effect.flatMap(monotonicMs, (fromMs) =>
    Effect.onExit(next, () => Effect.map(monotonicMs, (nowMs) => budget.waited("storage", nowMs - fromMs)))
  )
  const flow: RowFlow = {
    next: nextCounted,
    account: Effect.suspend(() => accountOf(request, findings, told(), atEnd)).pipe(
      Effect.map(({ error, meta }) => ({ error, meta: { ...meta, traceId, spanId } }))
    ),
    soFar: {
      meta: () => ({ ...early.meta, sourceContributions: Object.fromEntries(contributed.contributions()) }),
      rangesGiven: contributed.rangesGiven
    },
    returnMeta: request.returnMeta,
    waitMs: budget.totalMs,
    firstWaitMs: budget.remainingMs,
    goneByMs,
    cursorAt,
    barMs: request.entry.interval.lengthMs,
    empty,
    isResumed: cursor !== undefined
  }
  return flow
})
