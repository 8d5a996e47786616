/** How does a reply become bytes, and come back? */
import { Option, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { envelopeFormat, ReplyEnvelope } from "../protocol/wire/Envelope.ts"
import type { Reply } from "../runtime/Work.ts"

const isReply = Schema.is(Schema.toEncoded(ReplyEnvelope))
const decodeReply = Schema.decodeUnknownOption(ReplyEnvelope)
const encodeReply = Schema.encodeSync(ReplyEnvelope)

/** The bytes of a reply. An answer is in its wire form already. */
export const packReply = (reply: Reply): Uint8Array =>
  Codec.pack(
    "undelivered" in reply ? encodeReply({ format: envelopeFormat, ...reply }) : { format: envelopeFormat, ...reply }
  )

/** The reply of bytes; undefined where they are none. */
export const unpackReply = (data: Uint8Array): Reply | undefined => {
  const value = Option.getOrUndefined(Codec.unpack(data))
  if (!isReply(value)) return undefined
  if (value.undelivered !== undefined) {
    const undelivered = Option.flatMap(decodeReply(value), (reply) => Option.fromUndefinedOr(reply.undelivered))
    return Option.getOrUndefined(Option.map(undelivered, (error) => ({ undelivered: error })))
  }
  if (value.accepted !== undefined) return { accepted: value.accepted }
  return value.error === undefined ? { body: value.body } : { error: value.error }
}
