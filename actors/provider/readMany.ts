/**
 * How are many reads in one request answered?
 *
 * Each by itself, with its own rows or its own error, as if it had been sent alone. A bounded number of them is worked
 * on at once, and between any two everybody else has a turn, so that a batch keeps nobody waiting; and so many batches
 * at once, one more being refused. Time that the caller names is that of all of them together: what has not begun by
 * then is told so. A caller who takes parts has each read in messages of its own.
 */
import { Effect, Predicate, Schema } from "effect"
import { InvalidRequest, ResultTooLarge } from "../../protocol/history/Errors.ts"
import { ReadManyRequest, readsMax } from "../../protocol/history/ReadManyRequest.ts"
import { type BodyForm, mediaTypeOf } from "../../protocol/wire/BodyForm.ts"
import { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { errorCode } from "../../protocol/wire/errorCodes.ts"
import { Header } from "../../protocol/wire/Header.ts"
import { limits } from "../../protocol/wire/Limits.ts"
import { TooManyReads } from "../../protocol/wire/LimitErrors.ts"
import { joined, listHead, pack, Packed } from "../../protocol/wire/PlainPack.ts"
import { service } from "../../protocol/wire/Subject.ts"
import type { Credits } from "../../runtime/Credits.ts"
import { remainingMs, withBudget } from "../../runtime/Deadline.ts"
import type { Message } from "../../runtime/Mesh.ts"
import { makePlaces } from "../../runtime/Places.ts"
import {
  budgetOf,
  errorReply,
  orBroken,
  refusalReply,
  type Reply,
  type Respond,
  type Tagged
} from "../../runtime/ServiceEndpoint.ts"
import { encodeInTime } from "./encodeReply.ts"
import type { EncodingTurns } from "./EncodingTurns.ts"
import { encodeMeta } from "./historyReply.ts"
import { type PartsWanted, partsWanted } from "./partsWanted.ts"
import { noTurn, sendMany } from "./readManyParts.ts"
import { acceptOf, bodyOf, plainAcceptOf } from "./requestForms.ts"
import type { SeamlessDataProvider } from "./SeamlessDataProvider.ts"
import { invalid } from "./validRequest.ts"

/** One that is refused comes back when another has ended: batches take longer than reads. */
const retryAfterMs = 500

/** What reads have where the caller names no time: all of them in one message, and each where they go out in parts. */
const unnamedBudgetMs = 30_000

/** What a batch stands on. */
interface ReadManyOptions {
  readonly provider: SeamlessDataProvider["Service"]
  readonly turns: EncodingTurns
  readonly credits: Credits
  /** What one message may have. */
  readonly bytesMax: () => number
}

const decode = Schema.decodeUnknownEffect(ReadManyRequest, { onExcessProperty: "error" })

/** A read with the fields that hold for all; what is no read at all is refused as it is, by itself. */
const withShared = (request: unknown, shared: object): unknown =>
  Predicate.isObject(request) && !Array.isArray(request) ? { ...shared, ...request } : request

/** The reads of a request; how long all of them have, infinite where nobody named it; and how long each has. */
const readsOf = Effect.fnUntraced(function* (message: Message) {
  const { requests, ...shared } = yield* Effect.mapError(decode(yield* bodyOf(message, limits.batchBytes)), invalid)
  if (requests.length > readsMax) return yield* new TooManyReads({ reads: requests.length, readsMax })
  const { totalDeadlineMs } = shared.sla ?? {}
  const namedMs = Math.min(budgetOf(message), totalDeadlineMs ?? Infinity)
  if (namedMs === 0) return yield* new DeadlineExceeded({ waitingFor: "the answer to these reads", budgetMs: 0 })
  const reads = requests.map((request) => withShared(request, shared))
  return { reads, namedMs, eachMs: totalDeadlineMs ?? unnamedBudgetMs }
})

const refused = (error: Tagged, form: BodyForm, more: object = {}): Reply =>
  errorReply(error, { code: errorCode(error._tag), ...more }, form)

/** One read as it would be answered alone; why it was not is an answer too. */
const answer = ({ provider, turns }: ReadManyOptions, request: unknown, form: BodyForm): Effect.Effect<Reply> =>
  provider.read(request).pipe(
    Effect.flatMap(({ result, returnMeta }) => encodeInTime(turns, result, { form, returnMeta })),
    Effect.catchTag("Refused", ({ error, result }) =>
      Effect.succeed(refused(error, form, { meta: encodeMeta(result.meta) }))
    ),
    Effect.catch((error) => Effect.succeed(refused(error, form))),
    orBroken(service.readMany, (error) => refused(error, form))
  )

const textEncoder = new TextEncoder()

/** The bodies of single answers as one. */
const together = (form: BodyForm, bodies: ReadonlyArray<Uint8Array>): Reply => {
  const headers = new Map([[Header.contentType, mediaTypeOf(form)]])
  if (form === "messagePack") {
    return { data: pack({ results: new Packed(listHead(bodies.length), ...bodies) }), headers }
  }
  const [comma, begin, end] = [",", '{"results":[', "]}"].map((text) => textEncoder.encode(text))
  const parts = bodies.flatMap((body, index) => (index === 0 ? [body] : [comma!, body]))
  return { data: joined([begin!, ...parts, end!]), headers }
}

/** Answers a batch in one message. */
const answerAll = Effect.fnUntraced(function* (options: ReadManyOptions, message: Message) {
  const form = yield* plainAcceptOf(message)
  const { eachMs, namedMs, reads } = yield* readsOf(message)
  const budgetMs = Math.min(namedMs, eachMs)
  const bytesMax = options.bytesMax()
  let bytes = 0
  const one = Effect.fnUntraced(function* (request: unknown) {
    // whoever else has something to do comes first
    yield* Effect.yieldNow
    const isLate = (yield* remainingMs) <= 0
    const { data } = isLate ? refused(noTurn(budgetMs), form) : yield* answer(options, request, form)
    bytes += data.length + 1
    if (bytes > bytesMax) return yield* new ResultTooLarge({ bytes, bytesMax })
    return data
  })
  const bodies = yield* Effect.forEach(reads, one, { concurrency: limits.readsAtOnce }).pipe(withBudget(budgetMs))
  return together(form, bodies)
})

/** Answers a batch in messages of its reads. */
const answerEach = Effect.fnUntraced(function* (options: ReadManyOptions, message: Message, wanted: PartsWanted) {
  if (wanted.cursor !== undefined) {
    const problem = `is of one read: send that alone, on ${service.read}`
    return yield* new InvalidRequest({ field: Header.cursor, problem })
  }
  const { credits, provider, turns } = options
  const form = yield* acceptOf(message)
  const times = yield* readsOf(message)
  const batch = { ...times, message, form, turns, readParts: provider.readParts, bytesMax: options.bytesMax() }
  return yield* sendMany(batch, yield* credits.open(wanted.credit)).pipe(withBudget(times.namedMs))
}, Effect.scoped)

/** What answers several reads in one request. */
export const makeReadMany = (options: ReadManyOptions): Respond => {
  const places = makePlaces({
    limit: "batches",
    most: limits.batches,
    perCaller: limits.batchesPerCaller,
    retryAfterMs
  })
  return (message) =>
    places.hold(message).pipe(
      Effect.andThen(partsWanted(message)),
      Effect.flatMap((wanted) =>
        wanted === undefined ? answerAll(options, message) : answerEach(options, message, wanted)
      ),
      Effect.scoped,
      Effect.catch((error) => Effect.succeed(refusalReply(message, error)))
    )
}
