/**
 * How are many reads answered whose caller takes parts?
 *
 * Each read has a message of its own, or parts of its own, as soon as it is answered, and every message says which read
 * it is about. All of them share what the reader grants, so that it is never sent more than it takes.
 */
import { Data, Effect, Semaphore } from "effect"
import { Header } from "../../protocol/wire/Header.ts"
import { limits } from "../../protocol/wire/Limits.ts"
import type { Credit } from "../../runtime/Credits.ts"
import { Deadline, monotonicMs } from "../../runtime/Deadline.ts"
import type { Message } from "../../runtime/Mesh.ts"
import { errorReply, orBroken, type Reply, silence, type Tagged } from "../../runtime/ServiceEndpoint.ts"
import { encodeInTime } from "./encodeReply.ts"
import type { EncodingTurns } from "./EncodingTurns.ts"
import { type AnswerForm, encodeMeta, frameReply } from "./historyReply.ts"
import type { SeamlessDataProvider } from "./SeamlessDataProvider.ts"
import { sendParts } from "./sendParts.ts"

/** The reader takes nothing any more. */
class ReaderGone extends Data.TaggedError("ReaderGone") {}

/** How the reads of a batch are answered. */
interface PartedBatch {
  readonly message: Message
  readonly form: AnswerForm
  readonly reads: ReadonlyArray<unknown>
  /** How long each of them may take until its first message, and each of its parts. */
  readonly waitMs: number
  readonly readParts: SeamlessDataProvider["Service"]["readParts"]
  readonly turns: EncodingTurns
  readonly bytesMax: number
}

/** What the reader grants, for whoever wants to send: one after another, as they come. */
const inTurn = ({ subject, take }: Credit): Credit => ({ subject, take: Semaphore.makeUnsafe(1).withPermits(1)(take) })

/** Answers one read: gives its only message, or the last of its parts when all others are sent. */
const answer = Effect.fnUntraced(function* (batch: PartedBatch, credit: Credit, item: number) {
  const { bytesMax, form, message, turns } = batch
  const { flow, whole } = yield* batch.readParts(batch.reads[item])
  if (whole !== undefined) {
    const reply = yield* encodeInTime(turns, whole, { form, returnMeta: flow.returnMeta })
    if (reply.data.length <= bytesMax) return reply
  }
  return yield* sendParts(flow, {
    credit,
    encode: (df, meta) => turns.take(() => frameReply(df, form, meta)),
    send: (data, headers) => message.respond(data, new Map([...headers, [Header.item, String(item)]])),
    bytesMax
  })
})

/** Answers all of them; gives the very last message, or silence where the reader is gone. */
export const sendMany = Effect.fnUntraced(
  function* (batch: PartedBatch, given: Credit) {
    const { form, message, reads, waitMs } = batch
    const credit = inTurn(given)
    const plainForm = form === "messagePack" ? form : "json"
    const refused = (error: Tagged, more: object = {}) => Effect.succeed(errorReply(error, more, plainForm))
    let [answered, end] = [0, silence]

    const one = Effect.fnUntraced(function* (_: unknown, item: number) {
      // whoever else has something to do comes first
      yield* Effect.yieldNow
      const deadline = (yield* monotonicMs) + waitMs
      const reply: Reply = yield* answer(batch, credit, item).pipe(
        Effect.catchTag("Refused", ({ error, result }) => refused(error, { meta: encodeMeta(result.meta) })),
        Effect.catch((error) => refused(error)),
        orBroken(message.subject, (error) => errorReply(error, {}, plainForm)),
        Effect.provideService(Deadline, deadline)
      )
      if (reply === silence) return yield* new ReaderGone()
      // the last of several parts has been granted already
      if (!reply.headers.has(Header.part) && !(yield* credit.take)) return yield* new ReaderGone()
      answered += 1
      const isEnd = answered === reads.length
      const about: ReadonlyArray<readonly [string, string]> = [
        [Header.flow, credit.subject],
        [Header.item, String(item)],
        ...(isEnd ? [[Header.end, "true"] as const] : [])
      ]
      const headers = new Map([...reply.headers, ...about])
      if (isEnd) end = { data: reply.data, headers }
      else message.respond(reply.data, headers)
    })

    yield* Effect.forEach(reads, one, { concurrency: limits.partedReadsAtOnce, discard: true })
    return end
  },
  Effect.catchTag("ReaderGone", () => Effect.succeed(silence))
)
