/**
 * How is a question put to whoever serves, and when is its answer too late?
 *
 * One request, one reply. A host has the budget; the wait here is longer by a margin, so that an answer that left in
 * time is not thrown away on its way. A deadline that the caller names is the end of the wait here: what a host has is
 * less by what its answer may need on the way back.
 */
import { Effect, Option, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { Header, MediaType } from "../protocol/wire/Header.ts"
import type { CallerMesh } from "../runtime/CallerMesh.ts"
import type { Message, RequestOptions } from "../runtime/Mesh.ts"
import { malformed, settle, transportError } from "./failures.ts"
import type { Link } from "./Link.ts"
import type { SeamlessError } from "./SeamlessError.ts"

/** A connection to a cluster, as the verbs use it. */
export interface Session {
  readonly mesh: CallerMesh
  /** Where it goes, for messages. */
  readonly servers: string
  /** Bounds what has no budget of its own. */
  readonly timeoutMs: number
  /** What is known of the connection; without it each question is put once. */
  readonly link?: Link
}

/** One question. */
export interface Question {
  readonly subject: string
  readonly body: object
  readonly accept: string
  /** The time of the answer, or what is left of it, where the caller or the strategy sets one. */
  readonly budgetMs?: number
  /** The deadline that the caller has named, in milliseconds from the call on: nothing keeps him longer. */
  readonly deadlineMs?: number | undefined
  /** Whether hosts are told of it, as they are unless this says otherwise: then they go by their own. */
  readonly tellsBudget?: boolean
  /** After so many milliseconds without an answer it is taken for lost; absent where the budget is hard. */
  readonly againMs?: number
  /** Whether who waits may call it off: the host is told then. */
  readonly isCancellable?: boolean
}

/** How much longer than a host may take its answer is waited for: busy networks and event loops stay below it. */
export const marginMs = 1000

// the way back of an answer: a tenth of the time, though not less than a busy event loop takes, where that is there
const wayBackMsMin = 20
const wayBackMsMax = 100

/** What a host has of a deadline: the rest is for the way back of its answer. */
const hostMsOf = (deadlineMs: number): number =>
  deadlineMs - Math.min(wayBackMsMax, Math.max(deadlineMs / 10, Math.min(wayBackMsMin, deadlineMs / 2)))

/** The time that a host is told of. */
const toldMs = ({ budgetMs, deadlineMs, tellsBudget = true }: Question): number | undefined => {
  if (budgetMs === undefined || !tellsBudget) return undefined
  return deadlineMs === undefined ? budgetMs : hostMsOf(budgetMs)
}

/** Timers take no more, and fire at once where they are given more. */
export const waitMsMax = 2 ** 31 - 1

/** The headers of a question. */
export const headersOf = (question: Question, call: string | undefined): ReadonlyMap<string, string> => {
  const budgetMs = toldMs(question)
  return new Map([
    [Header.contentType, MediaType.json],
    [Header.accept, question.accept],
    ...(budgetMs === undefined ? [] : [[Header.budgetMs, String(Math.ceil(budgetMs))] as const]),
    ...(call === undefined ? [] : [[Header.call, call] as const])
  ])
}

/** How long the answer is waited for. */
export const waitMs = ({ timeoutMs }: Session, { budgetMs }: Question): number =>
  Math.min(waitMsMax, budgetMs === undefined ? timeoutMs : budgetMs + marginMs)

/** How a question is put once. */
export interface PutOptions extends Pick<RequestOptions, "abandonOn"> {
  /** What it is called, where it may be called off. */
  readonly call?: string | undefined
}

/** Puts a question, once. */
export const put = (session: Session, question: Question, { call, ...options }: PutOptions = {}) =>
  session.mesh.request(question.subject, Codec.toJson(question.body), {
    headers: headersOf(question, call),
    timeoutMs: waitMs(session, question),
    ...options
  })

/** The reply to a question that is put once; an error reply is a failure. */
export const ask = (session: Session, question: Question): Effect.Effect<Message, SeamlessError> =>
  put(session, question).pipe(
    Effect.mapError((error) => transportError(session.servers, error)),
    Effect.flatMap(settle)
  )

/** The reading of a JSON answer as `schema` has it; what a newer host tells beyond this build's schema is kept. */
export const decoder = <A>(schema: Schema.Codec<A>, what: string) => {
  const isAnswer = Schema.is(schema)
  const problemOf = Schema.decodeUnknownEffect(schema)
  return (data: Uint8Array): Effect.Effect<A, SeamlessError> => {
    const value = Option.getOrUndefined(Codec.fromJson(data))
    if (isAnswer(value)) return Effect.succeed(value)
    return Effect.mapError(problemOf(value), ({ message }) => malformed(what, message))
  }
}
