/**
 * How are many reads answered whose caller takes parts?
 *
 * Each read has a message of its own, or parts of its own, as soon as it is answered, and every message says which read
 * it is about. All of them share what the reader grants, so that it is never sent more than it takes.
 */
import { Data, Effect, Semaphore } from "effect"
import { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { Header } from "../../protocol/wire/Header.ts"
import { limits } from "../../protocol/wire/Limits.ts"
import type { Credit } from "../../runtime/Credits.ts"
import { remainingMs, withBudget } from "../../runtime/Deadline.ts"
import type { Headers, Message } from "../../runtime/Mesh.ts"
import { errorReply, orBroken, type Reply, silence, type Tagged } from "../../runtime/ServiceEndpoint.ts"
import { answerParted, type PartedTerms } from "./answerParted.ts"
import { encodeMeta } from "./historyReply.ts"

/** The reader takes nothing any more. */
class ReaderGone extends Data.TaggedError("ReaderGone") {}

/** How the reads of a batch are answered. */
interface PartedBatch extends PartedTerms {
  readonly message: Message
  readonly reads: ReadonlyArray<unknown>
  /** How long after the request the last of them may have its turn; infinite where the caller named no time. */
  readonly namedMs: number
  /** How long each may take from its turn until its first message. */
  readonly eachMs: number
}

/** What a read is told whose turn comes when the time of all of them is over. */
export const noTurn = (budgetMs: number) => new DeadlineExceeded({ waitingFor: "the turn of this read", budgetMs })

/** What the reader grants, for whoever wants to send: one after another, as they come. */
const inTurn = ({ subject, take }: Credit): Credit => ({ subject, take: Semaphore.makeUnsafe(1).withPermits(1)(take) })

/** Answers all of them; gives the very last message, or silence where the reader is gone. */
export const sendMany = Effect.fnUntraced(
  function* (batch: PartedBatch, given: Credit) {
    const { eachMs, form, message, namedMs, reads } = batch
    const credit = inTurn(given)
    const plainForm = form === "messagePack" ? form : "json"
    const refused = (error: Tagged, more: object = {}) => Effect.succeed(errorReply(error, more, plainForm))
    let [answered, end] = [0, silence]

    const one = Effect.fnUntraced(function* (_: unknown, item: number) {
      // whoever else has something to do comes first
      yield* Effect.yieldNow
      const ask = {
        request: reads[item],
        place: Effect.void,
        credit: Effect.succeed(credit),
        send: (data: Uint8Array, about: Headers) =>
          message.respond(data, new Map([...about, [Header.item, String(item)]]))
      }
      const isLate = (yield* remainingMs) <= 0
      const answer = isLate ? Effect.fail(noTurn(namedMs)) : answerParted(batch, ask)
      const reply: Reply = yield* answer.pipe(
        Effect.catchTag("Refused", ({ error, result }) => refused(error, { meta: encodeMeta(result.meta) })),
        Effect.catch((error) => refused(error)),
        orBroken(message.subject, (error) => errorReply(error, {}, plainForm)),
        withBudget(eachMs)
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
