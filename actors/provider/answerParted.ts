/**
 * How is one read answered whose caller takes parts?
 *
 * Whole, where the answer fits into one message, and in parts where it does not: a read that was sent alone, and each
 * of several that were sent together.
 */
import { Effect } from "effect"
import { ResultTooLarge } from "../../protocol/history/Errors.ts"
import type { Credit } from "../../runtime/Credits.ts"
import type { Headers } from "../../runtime/Mesh.ts"
import type { NoPlace } from "../../runtime/Places.ts"
import { errorReply } from "../../runtime/ServiceEndpoint.ts"
import { encodeInTime } from "./encodeReply.ts"
import type { EncodingTurns } from "./EncodingTurns.ts"
import { type AnswerForm, encodeMeta, frameReply } from "./historyReply.ts"
import type { Refused } from "./read.ts"
import type { SeamlessDataProvider } from "./SeamlessDataProvider.ts"
import { sendParts } from "./sendParts.ts"

/** How a host answers any of them. */
export interface PartedTerms {
  readonly readParts: SeamlessDataProvider["Service"]["readParts"]
  readonly turns: EncodingTurns
  readonly form: AnswerForm
  /** The most that a message may have. */
  readonly bytesMax: number
}

/** One read. */
export interface PartedAsk<R> {
  readonly request: unknown
  readonly cursor?: string | undefined
  /** Taken before anything is done for rows that are sure to go by, or before the first part of others. */
  readonly place: Effect.Effect<void, NoPlace>
  /** Opened where there are parts. */
  readonly credit: Effect.Effect<Credit, never, R>
  readonly send: (data: Uint8Array, headers: Headers) => void
}

/** A refusal, or in its place that its account is more than a message has. */
const fitting = (refused: Refused, { bytesMax, form }: PartedTerms): Effect.Effect<never, Refused | ResultTooLarge> => {
  const { error, result } = refused
  const plainForm = form === "messagePack" ? form : "json"
  const bytes = errorReply(error, { meta: encodeMeta(result.meta) }, plainForm).data.length
  return bytes <= bytesMax
    ? Effect.fail(refused)
    : Effect.fail(new ResultTooLarge({ bytes, bytesMax, ofAccount: true }))
}

const answer = Effect.fnUntraced(function* <R>(
  { bytesMax, form, readParts, turns }: PartedTerms,
  { credit, cursor, place, request, send }: PartedAsk<R>
) {
  const { flow, whole } = yield* readParts(request, cursor, place)
  if (whole !== undefined) {
    const reply = yield* encodeInTime(turns, whole, { form, returnMeta: flow.returnMeta })
    if (reply.data.length <= bytesMax) return reply
    yield* place
  }
  return yield* sendParts(flow, {
    credit: yield* credit,
    encode: (df, meta) => turns.take(() => frameReply(df, form, meta)),
    send,
    bytesMax
  })
})

/** Answers one read: gives its only message, or the last of its parts when all others are sent. */
export const answerParted = <R>(terms: PartedTerms, ask: PartedAsk<R>) =>
  Effect.catchTag(answer(terms, ask), "Refused", (refused) => fitting(refused, terms))
