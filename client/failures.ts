/** What does the client make of what goes wrong: on the way, at a host, and in an answer that can't be read? */
import { Effect, Option, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import type { DeadlineExceeded, MeshUnavailable } from "../protocol/wire/Errors.ts"
import { errorCode } from "../protocol/wire/errorCodes.ts"
import { Header } from "../protocol/wire/Header.ts"
import type { Message, NoResponders } from "../runtime/Mesh.ts"
import { AvailabilityResult, RefusedMeta } from "./HistoryResult.ts"
import { SeamlessError } from "./SeamlessError.ts"

/** What the client itself makes of a failure on the way. */
export const transportError = (
  servers: string,
  error: NoResponders | DeadlineExceeded | MeshUnavailable
): SeamlessError => {
  switch (error._tag) {
    case "NoResponders":
      return new SeamlessError({
        tag: "NoHostAnswers",
        code: 503,
        message: `no Seamless host answers at ${servers}`,
        fields: { servers }
      })
    case "DeadlineExceeded":
      return new SeamlessError({
        tag: error._tag,
        code: errorCode(error._tag),
        message: `no answer from ${servers} within ${Math.round(error.budgetMs)} ms`,
        // a host that lives answers in time: the answer was lost
        isRetryable: true,
        fields: { servers, budgetMs: error.budgetMs }
      })
    case "MeshUnavailable":
      return new SeamlessError({
        tag: error._tag,
        code: errorCode(error._tag),
        message: error.message,
        fields: { servers }
      })
  }
}

/** An answer that is not what the protocol says. */
export const malformed = (what: string, problem: string): SeamlessError =>
  new SeamlessError({ tag: "MalformedMessage", code: 500, message: `${what} can't be read: ${problem}` })

const decodeRefusal = Schema.decodeUnknownOption(
  Schema.Struct({
    error: Schema.StructWithRest(Schema.Struct({ tag: Schema.String, message: Schema.String }), [
      Schema.Record(Schema.String, Schema.Unknown)
    ]),
    meta: Schema.optionalKey(Schema.Unknown),
    result: Schema.optionalKey(Schema.Unknown)
  })
)
const decodeMeta = Schema.decodeUnknownOption(RefusedMeta)
const decodeResult = Schema.decodeUnknownOption(AvailabilityResult)

/** The error that an error reply carries; its headers alone where its body tells nothing. */
const refusalOf = ({ data, headers }: Message, headerTag: string): SeamlessError => {
  const code = Number(headers.get(Header.errorCode) ?? 500)
  return Option.match(Option.flatMap(Codec.fromJson(data), decodeRefusal), {
    onNone: () => new SeamlessError({ tag: headerTag, code, message: `the host answered with ${headerTag}` }),
    onSome: ({ error: { message, tag, ...fields }, meta, result }) =>
      // an account that this build can't read takes nothing away from the error
      new SeamlessError({
        tag,
        code,
        message,
        fields,
        meta: Option.getOrUndefined(decodeMeta(meta)),
        result: Option.getOrUndefined(decodeResult(result))
      })
  })
}

/** The reply; an error reply is a failure. */
export const settle = (reply: Message): Effect.Effect<Message, SeamlessError> => {
  const tag = reply.headers.get(Header.error)
  return tag === undefined ? Effect.succeed(reply) : Effect.fail(refusalOf(reply, tag))
}
