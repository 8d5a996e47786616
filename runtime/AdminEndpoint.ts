/**
 * How is an operator answered?
 *
 * On `seamless.v1.admin.<who>.<verb>`, in JSON, by any host, also by one that drains. Who asks is in the subject, which
 * a server lets one operator alone publish on; what changes something is in the log with it.
 */
import { Effect, Option } from "effect"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import { AnswerTooLarge } from "../protocol/wire/AdminErrors.ts"
import type { DeadlineExceeded } from "../protocol/wire/Errors.ts"
import * as Token from "../protocol/wire/Token.ts"
import { type RequestForm, requestReader } from "./adminRequest.ts"
import { enforce, withBudget } from "./Deadline.ts"
import { headroomBytes, type Mesh, type Message } from "./Mesh.ts"
import {
  errorReply,
  jsonReply,
  type Reply,
  type Respond,
  serve as serveSubjects,
  type Tagged
} from "./ServiceEndpoint.ts"

/** How long a verb may take that says nothing else, in milliseconds. */
const withinMsDefault = 12_000

/** How a verb is answered. */
export interface VerbOptions {
  /** Whether something is not as before when it is done; false unless told otherwise. */
  readonly isChanging?: boolean
  /** How long it may take; 12 seconds unless told otherwise. */
  readonly withinMs?: number
}

/** The operator, from the token of the subject that only this operator may publish on. */
const whoAsks = ({ subject }: Message): string => {
  const token = subject.split(".").at(-2) ?? ""
  return Option.getOrElse(Token.decode(token), () => token)
}

/** An answer that the server would not carry is an error that says so. */
const fitting =
  (mesh: Mesh["Service"]) =>
  (reply: Reply): Reply => {
    const bytes = reply.data.length
    const bytesMax = mesh.payloadBytesMax() - headroomBytes / 2
    return bytes <= bytesMax ? reply : errorReply(new AnswerTooLarge({ bytes, bytesMax }))
  }

/** Makes what answers a verb: reads the request, performs it, and gives its answer or its error. */
export const responder =
  (mesh: Mesh["Service"]) =>
  <Request, Answer, E extends Tagged>(
    verb: string,
    form: RequestForm<Request>,
    perform: (request: Request, who: string) => Effect.Effect<Answer, E>,
    { isChanging = false, withinMs = withinMsDefault }: VerbOptions = {}
  ): Respond => {
    const read = requestReader(verb, form)
    const log = isChanging ? Effect.logInfo : Effect.logDebug
    return (message) =>
      Effect.gen(function* () {
        const asked = yield* read(message.data)
        const who = whoAsks(message)
        yield* log("operator asks", { verb, who, request: asked })
        return jsonReply(yield* perform(asked, who))
      }).pipe(
        enforce(verb),
        withBudget(withinMs),
        Effect.catch((error: Tagged | DeadlineExceeded) => Effect.succeed(errorReply(error))),
        Effect.map(fitting(mesh))
      )
  }

/** Answers verbs, by their names, until the scope ends. */
export const serve = (verbs: Readonly<Record<string, Respond>>) =>
  serveSubjects(new Map(Object.entries(verbs).map(([verb, each]) => [ActorSubject.admin("*", verb), each])), {
    isServedDraining: true
  })
