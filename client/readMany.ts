/**
 * How are many series read by one question?
 *
 * Each read has an answer of its own, its rows or why there are none, which comes as soon as it is there. What was
 * lost on the way is asked for again, and only that.
 */
import { Duration, Effect, Latch, Option } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { Header } from "../protocol/wire/Header.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import type { Message } from "../runtime/Mesh.ts"
import { randomId } from "../runtime/randomId.ts"
import { callOff, untilStanding } from "./askPatiently.ts"
import { type HistoryFrame, join } from "./HistoryFrame.ts"
import type { HistoryResult } from "./HistoryResult.ts"
import { arrowWanted, decodeArrow, decodeMeta, metaTextOf } from "./read.ts"
import { budgetOf, type ReadOptions, requestBody, sentOf, type Time } from "./requestBody.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { headersOf, malformed, type Question, type Session, settle, transportError, waitMs } from "./Session.ts"

/** What may differ between the reads of one question, and what all of them may share. */
type SharedOptions = Omit<ReadOptions, "returnMeta" | "signal">

/** One read of several. */
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
/** Times that the rest is asked for without one more answer. */
const triesMax = 5
const pauseMs = 200

// the tag of what is no answer of a host
const lost = "MalformedMessage"

const oneMore = new TextEncoder().encode("1")

/** What has come of the reads so far, by their places. */
interface Progress {
  readonly outcomes: Array<ReadOutcome | undefined>
  /** Parts of those that are not whole yet. */
  readonly parts: Map<number, Array<HistoryFrame>>
}

/** The rows of a message about one read; what was there of it before is put before them. */
const addRows = Effect.fnUntraced(function* ({ outcomes, parts }: Progress, place: number, message: Message) {
  const { headers } = message
  const before = parts.get(place) ?? []
  const part = headers.get(Header.part)
  if (part !== undefined && Number(part) !== before.length) {
    return yield* Effect.fail(malformed("the answer", `part ${before.length} of read ${place} was lost`))
  }
  const frames = [...before, yield* decodeArrow(message.data)]
  if (part !== undefined && headers.get(Header.last) !== "true") return void parts.set(place, frames)
  parts.delete(place)
  const df = join(frames)
  outcomes[place] = { df, meta: yield* decodeMeta(metaTextOf(df)) }
})

/** Takes a message in; whether it was the very last. */
const take = Effect.fnUntraced(function* (progress: Progress, places: ReadonlyArray<number>, message: Message) {
  const item = message.headers.get(Header.item)
  const place = places[Number(item ?? Number.NaN)]
  const reply = Effect.result(settle(message))
  // what is about no read is about all of them
  if (place === undefined)
    return yield* Effect.andThen(settle(message), Effect.fail(malformed("the answer", "it names no read")))
  const settled = yield* reply
  if (settled._tag === "Failure") progress.outcomes[place] = settled.failure
  else yield* addRows(progress, place, message)
  return message.headers.get(Header.end) === "true"
})

/** Asks for the reads at these places, and takes in what comes until the last of it. */
const askFor = Effect.fnUntraced(function* (
  session: Session,
  question: Question,
  progress: Progress,
  places: ReadonlyArray<number>
) {
  const { link, mesh, servers } = session
  const inbox: Array<Message> = []
  const changed = Latch.makeUnsafe(false)
  let isLost = false
  const call = yield* randomId
  const withServers = Effect.mapError((error: Parameters<typeof transportError>[1]) => transportError(servers, error))
  const patienceMs = waitMs(session, question)
  if (link !== undefined) yield* withServers(untilStanding(link, question, patienceMs))
  const takeBack = link?.onBack(() => {
    isLost = true
    changed.openUnsafe()
  })
  yield* Effect.addFinalizer(() => Effect.sync(() => takeBack?.()))
  const onAnswer = (message: Message): void => {
    inbox.push(message)
    changed.openUnsafe()
  }
  const headers = new Map([...headersOf(question, call), [Header.credit, String(credit)]])
  let isWhole = false
  yield* Effect.addFinalizer(() => (isWhole ? Effect.void : callOff(session, call)))
  yield* withServers(
    mesh.requestMany(question.subject, Codec.toJson(question.body), { headers, timeoutMs: patienceMs, onAnswer })
  )
  while (!isWhole) {
    const message = inbox.shift()
    if (message !== undefined) {
      isWhole = yield* take(progress, places, message)
      const flow = message.headers.get(Header.flow)
      if (!isWhole && flow !== undefined) yield* Effect.ignore(mesh.publish(flow, oneMore))
      continue
    }
    changed.closeUnsafe()
    const came = isLost ? Option.none() : yield* Effect.timeoutOption(changed.await, Duration.millis(patienceMs))
    if (Option.isNone(came) || (isLost && inbox.length === 0)) {
      return yield* Effect.fail(malformed("the answer", "the rest of it did not come"))
    }
  }
}, Effect.scoped)

/** The rows of each read and their account, or why there are none; in the order of the reads. */
export const readMany = Effect.fnUntraced(function* (
  session: Session,
  reads: ReadonlyArray<OneRead>,
  options: ReadManyOptions = {}
): Effect.fn.Return<ReadonlyArray<ReadOutcome>, SeamlessError> {
  const requests = yield* Effect.forEach(reads, ({ end, interval, nodeId, start, ...more }) =>
    requestBody([nodeId, interval, start, end, more])
  )
  const progress: Progress = { outcomes: reads.map(() => undefined), parts: new Map() }
  let left: ReadonlyArray<number> = reads.map((_, place) => place)
  for (let tries = 0; left.length > 0; tries++) {
    const places = left
    progress.parts.clear()
    const body = { ...sentOf(options), returnMeta: true, requests: places.map((place) => requests[place]) }
    const question = { subject: Subject.service.readMany, body, accept: arrowWanted, budgetMs: budgetOf(options) }
    const asked = yield* Effect.result(askFor(session, question, progress, places))
    left = places.filter((place) => progress.outcomes[place] === undefined)
    if (left.length < places.length) tries = 0
    if (asked._tag === "Success") continue
    const { failure } = asked
    // that nothing has come at all is no matter of one read
    if (left.length === reads.length && failure.tag !== lost) return yield* Effect.fail(failure)
    if (tries >= triesMax) return progress.outcomes.map((outcome) => outcome ?? failure)
    yield* Effect.sleep(Duration.millis(pauseMs))
  }
  return progress.outcomes.filter((outcome) => outcome !== undefined)
})
