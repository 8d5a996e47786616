/**
 * How are reads answered whose callers take parts?
 *
 * Whole, where the answer fits into one message. One in parts holds memory for as long as its reader takes: so many are
 * under way at most, and one more is refused at once.
 */
import { Effect } from "effect"
import { MailboxFull } from "../../protocol/wire/Errors.ts"
import type { Credits } from "../../runtime/Credits.ts"
import { headroomBytes, Mesh, type Message } from "../../runtime/Mesh.ts"
import { encodeInTime } from "./encodeReply.ts"
import type { EncodingTurns } from "./EncodingTurns.ts"
import { type AnswerForm, frameReply } from "./historyReply.ts"
import type { PartsWanted } from "./partsWanted.ts"
import { bodyOf } from "./requestForms.ts"
import { SeamlessDataProvider } from "./SeamlessDataProvider.ts"
import { sendParts } from "./sendParts.ts"

/** Answers in parts under way at once on one host: each holds a few parts of half a megabyte. */
const partedMax = 64
const retryAfterMs = 1000

/** Answers reads in parts, for as long as the scope lives; what it gives is the last part, or the whole. */
export const make = Effect.fnUntraced(function* (turns: EncodingTurns, credits: Credits) {
  const provider = yield* SeamlessDataProvider
  const mesh = yield* Mesh
  let underWay = 0

  return Effect.fnUntraced(function* (message: Message, form: AnswerForm, wanted: PartsWanted) {
    const bytesMax = mesh.payloadBytesMax() - headroomBytes
    const { flow, whole } = yield* provider.readParts(yield* bodyOf(message), wanted.cursor)
    if (whole !== undefined) {
      const reply = yield* encodeInTime(turns, whole, { form, returnMeta: flow.returnMeta })
      if (reply.data.length <= bytesMax) return reply
    }
    if (underWay >= partedMax) return yield* new MailboxFull({ address: message.subject, retryAfterMs })
    underWay += 1
    return yield* Effect.gen(function* () {
      const credit = yield* credits.open(wanted.credit)
      return yield* sendParts(flow, {
        credit,
        encode: (df, meta) => turns.take(() => frameReply(df, form, meta)),
        send: message.respond,
        bytesMax
      })
    }).pipe(Effect.scoped, Effect.ensuring(Effect.sync(() => void underWay--)))
  })
})
