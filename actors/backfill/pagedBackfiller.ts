/**
 * How is a stretch of time refilled by asking a source for pages?
 *
 * Page after page, as Answer.ts says, each conformed as it enters. A request that failed for a passing reason is sent
 * again, after the time that the source asks for or a growing one. Each request goes through the gate, also one that
 * is sent again.
 */
import { Clock, Effect, Layer, Random, Result } from "effect"
import { rulesOf, stampAheadMs } from "../../protocol/frame/ConformanceRules.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { inward } from "../../protocol/history/alignRanges.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { carriedBehind } from "../conformance/carriedBehind.ts"
import type { Carried } from "../conformance/checkQuality.ts"
import { conform, type Conformed, decidingColumn } from "../conformance/conform.ts"
import { flaggedIn, quarantinedIn } from "../conformance/ConformanceReport.ts"
import { keepTypes, type KnownTypes } from "../conformance/keepTypes.ts"
import { mergeFrames, rowsIn } from "../conformance/mergeFrames.ts"
import { type DataSource, DataSources, type Page, type RequestFailed } from "../sources/DataSource.ts"
import { Gate } from "../sources/Gate.ts"
import { leaveBehind } from "../sources/leaveBehind.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import * as Answer from "./Answer.ts"
import { type AutoBackfiller, AutoBackfillers, NoAnswer, type Refill, type Step } from "./AutoBackfiller.ts"
import * as Question from "./Question.ts"

/** Waits between tries of one request, doubled each time. */
const backoffBaseMs = 100
const backoffMaxMs = 5000
/** A source that asks to be left alone for longer is: the job fails, and says until when. */
export const patienceMs = 30_000

const waitMs = (failure: RequestFailed, tries: number, random: number): number =>
  failure.retryAfterMs ?? Math.min(backoffMaxMs, backoffBaseMs * 2 ** tries) * (0.8 + 0.4 * random)

const isHopeless = ({ retryAfterMs, retryable, unsent }: RequestFailed): boolean =>
  unsent !== undefined || !retryable || (retryAfterMs ?? 0) > patienceMs

/** Whose doing it is that there is no answer. */
const tagOf = ({ unsent }: RequestFailed): NoAnswer["tag"] => {
  if (unsent === "switch") return "BackfillOff"
  return unsent === "budget" ? "BudgetUnavailable" : "SourceUnavailable"
}

/**
 * How far a source's clock is ahead. One that stamps bars with their end has the bars of `[start, end)` at the stamps
 * behind `start`, up to and with `end`.
 */
const clockAheadMs = ({ rules }: CatalogEntry, source: string): number => stampAheadMs(rulesOf(rules, source).time)

/** What a page says of time, by the clock of the series: what it has all of, where parts meet, how far it went. */
const timesOf = ({ seams = [], until, whole = [] }: Page, { interval }: CatalogEntry, aheadMs: number) => {
  const ours = ([start, end]: Range): Range => [start - aheadMs, end - aheadMs]
  const bars = RangeSet.make(whole.map(ours))
  return {
    whole: aheadMs === 0 ? bars : inward(bars, interval),
    seams: seams.map(ours),
    until: until === undefined ? undefined : until - aheadMs
  }
}

/** One page, asked for until it comes or the tries are used up; `onRequest` is run after each that was sent. */
const fetchPage = Effect.fnUntraced(function* (
  { entry, gate, onRequest }: Refill,
  source: DataSource,
  request: Answer.Request
) {
  const { attemptsMax, barsPerRequest } = source.capabilities
  const pageEnd = Math.min(request.end, request.start + barsPerRequest * entry.interval.lengthMs)
  const aheadMs = clockAheadMs(entry, source.name)
  const decidedBy = decidingColumn(rulesOf(entry.rules, source.name))
  for (let tries = 0; ; tries++) {
    const page = yield* source
      .page({
        symbol: entry.symbol,
        interval: entry.interval,
        start: request.start + aheadMs,
        end: request.end + aheadMs,
        fields: entry.schema.fields,
        ...(decidedBy !== undefined && { decidedBy })
      })
      .pipe(Effect.provideService(Gate, gate), Effect.result)
    if (Result.isSuccess(page) || page.failure.unsent === undefined) onRequest([request.start, pageEnd])
    if (Result.isSuccess(page)) return { rows: page.success, times: timesOf(page.success, entry, aheadMs) }
    const failure = page.failure
    if (isHopeless(failure) || tries + 1 >= attemptsMax) {
      return yield* new NoAnswer({
        tag: tagOf(failure),
        source: source.name,
        reason: failure.reason,
        retryAfterMs: failure.retryAfterMs ?? 0
      })
    }
    yield* Effect.sleep(waitMs(failure, tries, yield* Random.next))
  }
})

/** What is known of the pages before. */
interface Before {
  readonly carried?: Carried | undefined
  readonly types: KnownTypes
}

const conformPage = Effect.fnUntraced(function* (
  refill: Refill,
  source: DataSource,
  request: Answer.Request,
  { carried, types }: Before
) {
  const { entry, stretch } = refill
  const isOfStretch = request.about === "stretch"
  const { rows, times } = yield* fetchPage(refill, source, request)
  const conformed = conform(rows, {
    schema: entry.schema,
    rules: entry.rules,
    interval: entry.interval,
    source: source.name,
    ingestAtMs: yield* Clock.currentTimeMillis,
    // an errand brings rows of several jobs: they are signed where each window is put
    jobId: "",
    flags: RowFlag.backfilled | (source.capabilities.rowFlags ?? 0),
    closedIn: (range) => Calendar.closedBars(entry.calendar, entry.interval, range),
    // of bars beside the stretch nothing is taken but that they are there: a look is about such bars alone
    asked: [request.start, isOfStretch ? stretch[1] : request.start],
    ...(isOfStretch ? { carried } : { quality: { rules: [], problems: [] } })
  })
  const page = Result.flatMap(conformed, (each) =>
    Result.map(isOfStretch ? keepTypes(each.frame, entry.schema, types) : Result.succeed(types), (types) => ({
      ...each,
      ...times,
      types
    }))
  )
  if (Result.isSuccess(page)) return page.success
  return yield* new NoAnswer({
    tag: "RowsRejected",
    source: source.name,
    reason: page.failure.message,
    retryAfterMs: 0
  })
})

/** The question about the stretch, upon what is known now. */
const askAbout = ({ entry, known, stretch }: Refill, { capabilities }: DataSource) =>
  Effect.map(known, (now) =>
    Question.about(stretch, {
      intervalMs: entry.interval.lengthMs,
      maxEmptyBars: capabilities.maxEmptyBars,
      barsPerRequest: capabilities.barsPerRequest,
      closedIn: (range) => Calendar.closedBars(entry.calendar, entry.interval, range),
      ...now
    })
  )

/** The rows that are not in `time`. */
const without = (rows: Frame.Frame, time: RangeSet.RangeSet): Frame.Frame => {
  const parts = rowsIn(rows, RangeSet.missing(time, -Infinity, Infinity))
  return mergeFrames([Frame.slice(rows, 0, 0), ...parts])
}

/** Rows of a page that are within the stretch and may be stored; what is to be told of them, and of the others. */
const sift = ({ frame, report: { findings }, steps }: Conformed, [start, end]: Range) => {
  const within = RangeSet.of(start, end)
  const aside = MissingRange.clipTo(quarantinedIn(findings), within)
  const rows = Frame.within(frame, start, end)
  return {
    rows: aside.length === 0 ? rows : without(rows, MissingRange.timeOf(aside)),
    findings: Findings.intersect(Findings.unionAll([flaggedIn(findings), steps]), within),
    exceptions: aside
  }
}

/** What rules know of the rows right before the stretch. */
const carriedInto = Effect.fnUntraced(function* ({ before, entry }: Refill) {
  const rows = yield* before ?? Effect.succeed(Frame.empty(entry.schema))
  return Frame.length(rows) === 0 ? undefined : carriedBehind(rows, entry)
})

/** Asks the source until the answer is complete, and hands over each step of it. */
const fetchAnswer = Effect.fnUntraced(function* <E, R>(
  source: DataSource,
  refill: Refill,
  onStep: (step: Step) => Effect.Effect<void, E, R>
) {
  const empty = Frame.empty(refill.entry.schema)
  const ask = askAbout(refill, source)
  let answer = Answer.begin(yield* ask)
  let before: Before = { types: new Map(), carried: yield* carriedInto(refill) }
  let keptOut = RangeSet.empty
  for (let request = Answer.nextRequest(answer); request !== undefined; request = Answer.nextRequest(answer)) {
    if (Answer.isLook(answer, request)) {
      // covered time is not asked for, not even in passing: what others have covered meanwhile needs no look
      answer = Answer.reconsidered(answer, yield* ask)
      request = Answer.nextRequest(answer)
      if (request === undefined) break
    }
    const isOfStretch = request.about === "stretch"
    const page = yield* conformPage(refill, source, request, before)
    // what is proven once stays so
    const lost = RangeSet.subtract(page.lost, Answer.proven(answer))
    // a bar that is kept out is a bar nevertheless: where nothing was traded it proves as well as any other
    answer = Answer.take(Answer.overSeams(answer, page.seams), request, Array.from(page.bars), page.whole)
    if (page.until !== undefined) answer = Answer.upTo(answer, request, page.until, page.whole)
    const { end, start } = answer.question
    if (isOfStretch) before = page
    const sifted = isOfStretch ? sift(page, [start, end]) : { rows: empty, findings: Findings.none, exceptions: [] }
    keptOut = RangeSet.unionAll([keptOut, lost, MissingRange.timeOf(sifted.exceptions)])
    yield* onStep({
      ...sifted,
      proven: RangeSet.subtract(Answer.proven(answer), keptOut),
      answered: Answer.answered(answer)
    })
  }
})

/** Whoever refills by asking a source for pages. */
export const pagedBackfiller = (source: DataSource): AutoBackfiller => ({
  name: source.name,
  capabilities: source.capabilities,
  refill: (refill, onStep) => fetchAnswer(source, refill, onStep)
})

/** Every source of this host is asked for pages. */
export const layer: Layer.Layer<AutoBackfillers, never, DataSources> = Layer.effect(
  AutoBackfillers,
  Effect.map(
    DataSources,
    (sources) => new Map(Array.from(sources, ([name, source]) => [name, pagedBackfiller(leaveBehind(source))]))
  )
)
