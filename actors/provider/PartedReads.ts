/**
 * How are reads answered whose callers take parts?
 *
 * Whole, where the answer fits into one message. One in parts holds memory for as long as its reader takes: a few
 * parts of half a megabyte, or all rows of a range that one message may have, some 5 MB with 50,000 bars. So many are
 * under way at most, of one caller no more than half of them, and one more is refused at once. What is sure to be in
 * parts has its place before anything is done for it; where only its size tells, it has been read by then.
 */
import { Effect, Scope } from "effect"
import { limits } from "../../protocol/wire/Limits.ts"
import type { Credits } from "../../runtime/Credits.ts"
import { headroomBytes, Mesh, type Message } from "../../runtime/Mesh.ts"
import { makePlaces } from "../../runtime/Places.ts"
import { answerParted } from "./answerParted.ts"
import type { EncodingTurns } from "./EncodingTurns.ts"
import type { AnswerForm } from "./historyReply.ts"
import type { PartsWanted } from "./partsWanted.ts"
import { bodyOf } from "./requestForms.ts"
import { SeamlessDataProvider } from "./SeamlessDataProvider.ts"

/** Who is refused comes back when an answer has ended: in parts they take seconds. */
const retryAfterMs = 1000

/** Answers reads in parts, for as long as the scope lives; what it gives is the last part, or the whole. */
export const make = Effect.fnUntraced(function* (turns: EncodingTurns, credits: Credits) {
  const provider = yield* SeamlessDataProvider
  const mesh = yield* Mesh
  const places = makePlaces({
    limit: "answersInParts",
    most: limits.answersInParts,
    perCaller: limits.answersInPartsPerCaller,
    retryAfterMs
  })

  return Effect.fnUntraced(function* (message: Message, form: AnswerForm, wanted: PartsWanted) {
    const terms = { readParts: provider.readParts, turns, form, bytesMax: mesh.payloadBytesMax() - headroomBytes }
    return yield* answerParted(terms, {
      request: yield* bodyOf(message),
      cursor: wanted.cursor,
      place: Scope.provide(places.hold(message), yield* Effect.scope),
      credit: credits.open(wanted.credit),
      send: message.respond
    })
  }, Effect.scoped)
})
