/**
 * How are many series read by one question?
 *
 * Each read has an answer of its own, its rows or why there are none, which comes as soon as it is there. What was
 * lost on the way is asked for again, and only that.
 */
import { Effect } from "effect"
import { Header } from "../protocol/wire/Header.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import type { Message } from "../runtime/Mesh.ts"
import { batchTimes } from "./askedTimes.ts"
import * as Exchange from "./Exchange.ts"
import { type HistoryFrame, join } from "./HistoryFrame.ts"
import type { HistoryResult } from "./HistoryResult.ts"
import { arrowWanted, decodeArrow, decodeMeta, metaTextOf } from "./read.ts"
import { invalid, isRecord, sentOf } from "./checkOptions.ts"
import { type ReadOptions, requestBody, type Time } from "./requestBody.ts"
import { SeamlessError } from "./SeamlessError.ts"
import { malformed, settle } from "./failures.ts"
import type { Question, Session } from "./Session.ts"
import * as Tries from "./Tries.ts"
import { withinDeadline } from "./withinDeadline.ts"

/** What may differ between the reads of one question, and what all of them may share. */
type SharedOptions = Omit<ReadOptions, "returnMeta" | "signal">

/**
 * One read of several. Each has the deadline that it names from its turn on, and 30 s at the most. A deadline that the
 * options name is that of all of them together: a read whose turn has not come by then is `DeadlineExceeded`.
 */
export interface OneRead extends SharedOptions {
  readonly nodeId: string
  readonly interval: string
  readonly start: Time
  readonly end: Time
}

/** What holds for all reads that do not say otherwise. */
export type ReadManyOptions = SharedOptions & Pick<ReadOptions, "signal">

/** What one of them was answered. */
export type ReadOutcome = HistoryResult | SeamlessError

/** Messages that may be on their way: several reads are worked on at once. */
const credit = 8

/** What has come of the reads so far, by their places. */
interface Progress {
  readonly tries: Tries.Tries
  readonly outcomes: Array<ReadOutcome | undefined>
  /** Parts of those that are not whole yet. */
  readonly parts: Map<number, Array<HistoryFrame>>
}

const resultOf = Effect.fnUntraced(function* (frames: ReadonlyArray<HistoryFrame>) {
  const df = join(frames)
  return { df, meta: yield* decodeMeta(metaTextOf(df)) }
})

/** The rows of a message about one read; what was there of it before is put before them. */
const addRows = Effect.fnUntraced(function* ({ outcomes, parts, tries }: Progress, place: number, message: Message) {
  const { headers } = message
  const before = parts.get(place) ?? []
  const part = headers.get(Header.part)
  if (part !== undefined && Number(part) !== before.length) {
    return yield* Exchange.lost(tries.question, `part ${before.length} of read ${place} was lost`)
  }
  const frames = [...before, yield* decodeArrow(message.data)]
  if (part !== undefined && headers.get(Header.last) !== "true") {
    parts.set(place, frames)
    return yield* Tries.word(tries)
  }
  parts.delete(place)
  outcomes[place] = yield* resultOf(frames)
  yield* Tries.progress(tries)
})

/** Takes a message in. */
const take = Effect.fnUntraced(function* (progress: Progress, places: ReadonlyArray<number>, message: Message) {
  const place = places[Number(message.headers.get(Header.item) ?? Number.NaN)]
  // what is about no read is about all of them
  if (place === undefined)
    return yield* Effect.andThen(settle(message), Effect.fail(malformed("the answer", "it names no read")))
  yield* Effect.andThen(settle(message), addRows(progress, place, message)).pipe(
    Effect.catchIf(
      (failure) => failure instanceof SeamlessError,
      (failure) => {
        progress.outcomes[place] = failure
        return Tries.progress(progress.tries)
      }
    )
  )
})

/** Asks for the reads at these places, and takes in what comes until the last of it. */
const askFor = Effect.fnUntraced(function* (progress: Progress, question: Question, places: ReadonlyArray<number>) {
  const { tries } = progress
  const { session } = tries
  const exchange = yield* Exchange.open(session, question, { credit, leftMs: yield* Tries.leftMs(tries) })
  for (;;) {
    const message = yield* exchange.next(Tries.silenceMs(tries, tries.budgetMs))
    session.link?.noteServed()
    yield* take(progress, places, message)
    if (message.headers.get(Header.end) === "true") break
    yield* exchange.grant
  }
  if (places.some((place) => progress.outcomes[place] === undefined)) {
    return yield* Exchange.lost(question, "the answer has ended without some of the reads")
  }
}, Effect.scoped)

/** Goes on where the rest may be asked for again. */
const goOn = (tries: Tries.Tries, failure: Exchange.Failure | SeamlessError) =>
  failure instanceof SeamlessError && !Tries.mayGoOn(failure, tries)
    ? Effect.fail(failure)
    : Tries.again(tries, failure)

const requestsOf = (reads: ReadonlyArray<OneRead>) => {
  const given: unknown = reads
  if (!Array.isArray(given)) return Effect.fail(invalid("requests", "is no list of reads"))
  return Effect.forEach(reads, (read, place) => {
    const name = `requests.${place}`
    if (!isRecord(read)) return Effect.fail(invalid(name, "is no read"))
    const { end, interval, nodeId, start, ...more } = read
    return requestBody([nodeId, interval, start, end, more], name)
  })
}

/** The rows of each read and their account, or why there are none; in the order of the reads. */
export const readMany = Effect.fnUntraced(function* (
  session: Session,
  reads: ReadonlyArray<OneRead>,
  options: ReadManyOptions = {}
): Effect.fn.Return<ReadonlyArray<ReadOutcome>, SeamlessError> {
  const shared = { ...(yield* sentOf(options)), returnMeta: true }
  const requests = yield* requestsOf(reads)
  const times = batchTimes(options, reads)
  // time that a host is told of is that of all reads together: the patience for one is not
  const tellsBudget = options.sla?.totalDeadlineMs !== undefined
  const asked = { subject: Subject.service.readMany, accept: arrowWanted, tellsBudget, ...times }
  const question: Question = { ...asked, body: shared }
  const startMs = yield* monotonicMs
  const tries = yield* Tries.make(session, question, times.againMs)
  const outcomes: Progress["outcomes"] = reads.map(() => undefined)
  for (;;) {
    const places = outcomes.flatMap((outcome, place) => (outcome === undefined ? [place] : []))
    if (places.length === 0) return outcomes.filter((outcome) => outcome !== undefined)
    const body = { ...shared, requests: places.map((place) => requests[place]) }
    const progress: Progress = { tries, outcomes, parts: new Map() }
    const leftMs = times.budgetMs - ((yield* monotonicMs) - startMs)
    const rest = { ...question, budgetMs: Math.max(1, leftMs) }
    const put = { ...(tellsBudget ? rest : question), body }
    const asking = askFor(progress, put, places).pipe(Effect.catch((failure) => goOn(tries, failure)))
    const step = yield* Effect.result(withinDeadline(session, rest, asking))
    if (step._tag === "Success") continue
    // that nothing has come at all is no matter of one read
    if (!tries.hasBegun) return yield* Effect.fail(step.failure)
    return outcomes.map((outcome) => outcome ?? step.failure)
  }
})
