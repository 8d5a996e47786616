/**
 * How is a public subject served?
 *
 * Every host serves every subject, in one queue group. A request is handled in a fiber of its own, as a child of the
 * asker's trace; at most so many are under way at once, and one more is refused at once rather than kept waiting.
 */
import { Cause, Effect, FiberSet } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { MailboxFull } from "../protocol/wire/Errors.ts"
import { Header, MediaType } from "../protocol/wire/Header.ts"
import { serviceGroup } from "../protocol/wire/Subject.ts"
import { type Headers, Mesh, type Message } from "./Mesh.ts"
import { withRemoteParent } from "./telemetry/Propagation.ts"

/** Requests under way at once on one host: reads are short, and more would only share the same two cores. */
const requestsMax = 512
const retryAfterMs = 100

/** An answer with its headers. */
export interface Reply {
  readonly data: Uint8Array
  readonly headers: Headers
}

/** Answers one message; what goes wrong is an answer too. */
export type Respond = (message: Message) => Effect.Effect<Reply>

/** An error as an answer. */
export const errorReply = (
  error: { readonly tag: string; readonly message: string },
  code: number,
  body: object
): Reply => ({
  data: Codec.toJson({ error, ...body }),
  headers: new Map([
    [Header.contentType, MediaType.json],
    [Header.error, error.tag],
    [Header.errorCode, String(code)]
  ])
})

const busy = (subject: string): Reply => {
  const { _tag: tag, message } = new MailboxFull({ address: subject, retryAfterMs })
  return errorReply({ tag, message }, 429, {})
}

const broken: Reply = errorReply({ tag: "InternalError", message: "the host failed to answer: see its log" }, 500, {})

/** Serves subjects for as long as the scope lives. */
export const serve = Effect.fnUntraced(function* (subjects: ReadonlyMap<string, Respond>) {
  const mesh = yield* Mesh
  const requests = yield* FiberSet.make<void>()
  const runFork = yield* FiberSet.runtime(requests)<never>()
  let underWay = 0

  const answer = (respond: Respond, message: Message) =>
    respond(message).pipe(
      Effect.catchCause((cause) =>
        Effect.as(Effect.logError("request failed", { subject: message.subject }, Cause.pretty(cause)), broken)
      ),
      Effect.map((reply) => message.respond(reply.data, reply.headers)),
      withRemoteParent(message.headers.get(Header.traceParent)),
      Effect.ensuring(Effect.sync(() => void underWay--))
    )

  yield* Effect.forEach(subjects, ([subject, respond]) =>
    mesh.subscribe(
      subject,
      (message) => {
        if (underWay >= requestsMax) {
          const { data, headers } = busy(subject)
          return message.respond(data, headers)
        }
        underWay++
        runFork(answer(respond, message))
      },
      { group: serviceGroup }
    )
  )
})
