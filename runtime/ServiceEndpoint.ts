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
import { errorCode } from "../protocol/wire/errorCodes.ts"
import { withBudget } from "./Deadline.ts"
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

/** A tagged error, with whatever fields it has. */
export interface Tagged {
  readonly _tag: string
  readonly message: string
}

// what every error has, and no reader needs
const inherited = new Set(["_tag", "name", "message", "cause", "stack"])

const fieldsOf = (error: Tagged): object =>
  Object.fromEntries(Object.entries(error).filter(([name]) => !inherited.has(name)))

/** An error as an answer: its tag, message and fields under `error`, and beside it what `more` holds. */
export const errorReply = (error: Tagged, more: object = {}): Reply => ({
  data: Codec.toJson({ error: { tag: error._tag, message: error.message, ...fieldsOf(error) }, ...more }),
  headers: new Map([
    [Header.contentType, MediaType.json],
    [Header.error, error._tag],
    [Header.errorCode, String(errorCode(error._tag))]
  ])
})

const broken: Reply = errorReply({ _tag: "InternalError", message: "the host failed to answer: see its log" })

/** What is left of the asker's time; without a word of it, all there is. */
const budgetOf = ({ headers }: Message): number => {
  const text = headers.get(Header.budgetMs)?.trim() ?? ""
  const budgetMs = text === "" ? Infinity : Number(text)
  return Number.isNaN(budgetMs) ? Infinity : Math.max(0, budgetMs)
}

/** Serves subjects for as long as the scope lives. */
export const serve = Effect.fnUntraced(function* (subjects: ReadonlyMap<string, Respond>) {
  const mesh = yield* Mesh
  const requests = yield* FiberSet.make<void>()
  const runFork = yield* FiberSet.runtime(requests)()
  let underWay = 0

  const answer = (respond: Respond, message: Message) =>
    respond(message).pipe(
      Effect.catchCause((cause) =>
        Effect.as(Effect.logError("request failed", { subject: message.subject }, Cause.pretty(cause)), broken)
      ),
      Effect.map((reply) => message.respond(reply.data, reply.headers)),
      withBudget(budgetOf(message)),
      withRemoteParent(message.headers.get(Header.traceParent)),
      Effect.ensuring(Effect.sync(() => void underWay--))
    )

  yield* Effect.forEach(subjects, ([subject, respond]) =>
    mesh.subscribe(
      subject,
      (message) => {
        if (underWay >= requestsMax) {
          const { data, headers } = errorReply(new MailboxFull({ address: subject, retryAfterMs }))
          return message.respond(data, headers)
        }
        underWay++
        runFork(answer(respond, message))
      },
      { group: serviceGroup }
    )
  )
})
