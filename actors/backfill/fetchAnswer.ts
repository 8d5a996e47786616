/**
 * How is a source asked about a stretch of time?
 *
 * Page after page, as Answer.ts says, each conformed as it enters. A request that failed for a passing reason is sent
 * again, after the time that the source asks for or a growing one. Each request goes through the errand's gate, also
 * one that is sent again.
 */
import { Clock, Data, Effect, Random, Result } from "effect"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as FrameModule from "../../protocol/frame/Frame.ts"
import { fieldNames } from "../../protocol/frame/DataSchema.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { CoverageFailure } from "../../protocol/messages/Coverage.ts"
import { conform } from "../conformance/conform.ts"
import type { DataSource, RequestFailed } from "../sources/DataSource.ts"
import { Gate, type WayOut } from "../sources/Gate.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import * as Answer from "./Answer.ts"
import type { Question } from "./Question.ts"

/** Waits between tries of one request, doubled each time. */
const backoffBaseMs = 100
const backoffMaxMs = 5000
/** A source that asks to be left alone for longer is: the job fails, and says until when. */
export const patienceMs = 30_000

/** Whom to ask, and about what. */
export interface Errand {
  readonly source: DataSource
  readonly entry: CatalogEntry
  /** The way out to the source. */
  readonly gate: WayOut
  /** The question, upon what is covered at the time. */
  readonly ask: Effect.Effect<Question, CoverageFailure>
}

/** The source gave no answer that can be used. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{
  /** `BudgetUnavailable`: it was not asked, and has no part in that. */
  readonly tag: "SourceUnavailable" | "RowsRejected" | "BudgetUnavailable"
  readonly source: string
  readonly reason: string
  /** How long the source asks to be left alone, in milliseconds; 0 where it does not. */
  readonly retryAfterMs: number
  /** Whether it was asked at all. */
  readonly wasAsked: boolean
}> {}

/** An answer as far as it has come, and the rows of the page that brought it there. */
export interface Step {
  readonly answer: Answer.Answer
  readonly rows: Frame
}

const waitMs = (failure: RequestFailed, tries: number, random: number): number =>
  failure.retryAfterMs ?? Math.min(backoffMaxMs, backoffBaseMs * 2 ** tries) * (0.8 + 0.4 * random)

const isHopeless = ({ retryAfterMs, retryable, unsent }: RequestFailed): boolean =>
  unsent !== undefined || !retryable || (retryAfterMs ?? 0) > patienceMs

/** One page, asked for until it comes or the tries are used up; `onRequest` is run after each that was sent. */
const fetchPage = Effect.fnUntraced(function* (
  { entry, gate, source }: Errand,
  request: Answer.Request,
  onRequest: () => void
) {
  for (let tries = 0; ; tries++) {
    const page = yield* source
      .page({ symbol: entry.symbol, interval: entry.interval, start: request.start, end: request.end })
      .pipe(Effect.provideService(Gate, gate), Effect.result)
    if (Result.isSuccess(page) || page.failure.unsent === undefined) onRequest()
    if (Result.isSuccess(page)) return page.success
    const failure = page.failure
    if (isHopeless(failure) || tries + 1 >= source.capabilities.attemptsMax) {
      return yield* new NoAnswer({
        tag: failure.unsent === "budget" ? "BudgetUnavailable" : "SourceUnavailable",
        source: source.name,
        reason: failure.reason,
        retryAfterMs: failure.retryAfterMs ?? 0,
        wasAsked: failure.unsent === undefined
      })
    }
    yield* Effect.sleep(waitMs(failure, tries, yield* Random.next))
  }
})

const conformPage = Effect.fnUntraced(function* (errand: Errand, request: Answer.Request, onRequest: () => void) {
  const { entry, source } = errand
  const rows = yield* fetchPage(errand, request, onRequest)
  const conformed = conform(rows, {
    schema: entry.schema,
    interval: entry.interval,
    source: source.name,
    ingestAtMs: yield* Clock.currentTimeMillis,
    // an errand brings rows of several jobs: they are signed where each window is put
    jobId: "",
    flags: RowFlag.backfilled
  })
  if (Result.isSuccess(conformed)) return conformed.success.frame
  return yield* new NoAnswer({
    tag: "RowsRejected",
    source: source.name,
    reason: conformed.failure.message,
    retryAfterMs: 0,
    wasAsked: true
  })
})

/** Asks until the answer is complete, and hands over each step of it; `onRequest` is run after each request. */
export const fetchAnswer = Effect.fnUntraced(function* <E, R>(
  errand: Errand,
  onStep: (step: Step) => Effect.Effect<void, E, R>,
  onRequest: () => void
) {
  const empty = FrameModule.empty(fieldNames(errand.entry.schema))
  let answer = Answer.begin(yield* errand.ask)
  for (let request = Answer.nextRequest(answer); request !== undefined; request = Answer.nextRequest(answer)) {
    if (Answer.isLook(answer, request)) {
      // covered time is not asked for, not even in passing: what others have covered meanwhile needs no look
      answer = Answer.reconsidered(answer, yield* errand.ask)
      request = Answer.nextRequest(answer)
      if (request === undefined) break
    }
    const rows = yield* conformPage(errand, request, onRequest)
    answer = Answer.take(answer, request, Array.from(rows.eventTimeMs))
    const { end, start } = answer.question
    yield* onStep({ answer, rows: request.about === "stretch" ? FrameModule.within(rows, start, end) : empty })
  }
  return answer
})
