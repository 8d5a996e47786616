/**
 * How is one read answered whose caller takes parts?
 *
 * Whole, where the answer fits into one message, and in parts where it does not: a read that was sent alone, and each
 * of several that were sent together.
 */
import { Effect } from "effect"
import type { Credit } from "../../runtime/Credits.ts"
import type { Headers } from "../../runtime/Mesh.ts"
import type { NoPlace } from "../../runtime/Places.ts"
import { encodeInTime } from "./encodeReply.ts"
import type { EncodingTurns } from "./EncodingTurns.ts"
import { type AnswerForm, frameReply } from "./historyReply.ts"
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

/** Answers one read: gives its only message, or the last of its parts when all others are sent. */
export const answerParted = Effect.fnUntraced(function* <R>(
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
