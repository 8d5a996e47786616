/**
 * How is a subject served, and how does a host stop serving it?
 *
 * Every host serves the public subjects, in one queue group. A request is handled in a fiber of its own, as a child of
 * the asker's trace; at most so many are under way at once, of all callers and of each, and one more is refused at
 * once rather than kept waiting. One that its caller has named ends when the caller calls it off. A host that drains
 * takes no more of them, and whatever ends it, those under way are finished.
 */
import { Cause, Effect, Exit, FiberSet, Scope } from "effect"
import * as BodyForm from "../protocol/wire/BodyForm.ts"
import { ActorUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import { limits } from "../protocol/wire/Limits.ts"
import { mayAnswer } from "../protocol/wire/ReplySubject.ts"
import { serviceGroup } from "../protocol/wire/Subject.ts"
import { errorCode } from "../protocol/wire/errorCodes.ts"
import * as Calls from "./Calls.ts"
import { clockMs, withBudget } from "./Deadline.ts"
import { HostStatus } from "./HostStatus.ts"
import { type Headers, Mesh, type Message } from "./Mesh.ts"
import { makePlaces } from "./Places.ts"
import { ServiceFigures } from "./ServiceFigures.ts"
import { withBaggage } from "./telemetry/Baggage.ts"
import { withRemoteParent } from "./telemetry/Propagation.ts"

const retryAfterMs = 100

/** An answer with its headers. */
export interface Reply {
  readonly data: Uint8Array
  readonly headers: Headers
}

/** A value as an answer; in JSON unless another form is wanted. */
export const valueReply = (value: unknown, form: BodyForm.BodyForm = "json"): Reply => ({
  data: BodyForm.encodeBody(form, value),
  headers: new Map([[Header.contentType, BodyForm.mediaTypeOf(form)]])
})

/** A value in JSON as an answer. */
export const jsonReply = (value: unknown): Reply => valueReply(value)

/** The form of an error reply: the one that was asked for, where errors have it. */
const errorForm = ({ headers }: Pick<Message, "headers">): BodyForm.BodyForm =>
  BodyForm.answerForm(headers.get(Header.accept)) ?? "json"

/** No answer: whoever asked has had it all, or waits for it no longer. */
export const silence: Reply = { data: new Uint8Array(0), headers: new Map() }

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
export const errorReply = (error: Tagged, more: object = {}, form: BodyForm.BodyForm = "json"): Reply => ({
  data: BodyForm.encodeBody(form, {
    error: { tag: error._tag, message: error.message, ...fieldsOf(error) },
    ...more
  }),
  headers: new Map([
    [Header.contentType, BodyForm.mediaTypeOf(form)],
    [Header.error, error._tag],
    [Header.errorCode, String(errorCode(error._tag))]
  ])
})

const broken: Tagged = { _tag: "InternalError", message: "the host failed to answer: see its log" }

/** What is answered in the place of an answer that broke; why it did is in the log. */
export const orBroken =
  (subject: string, reply: (error: Tagged) => Reply) =>
  <R>(answer: Effect.Effect<Reply, never, R>): Effect.Effect<Reply, never, R> =>
    Effect.catchCause(answer, (cause) =>
      Effect.as(Effect.logError("request failed", { subject }, Cause.pretty(cause)), reply(broken))
    )

/** An error as the answer to a message, in the form that was asked for. */
export const refusalReply = (message: Message, error: Tagged, more: object = {}): Reply =>
  errorReply(error, more, errorForm(message))

/** What the asker says is left of its time, in milliseconds; without a word of it, all there is. */
export const budgetOf = ({ headers }: Pick<Message, "headers">): number => {
  const text = headers.get(Header.budgetMs)?.trim() ?? ""
  const budgetMs = text === "" ? Infinity : Number(text)
  return Number.isNaN(budgetMs) ? Infinity : Math.max(0, budgetMs)
}

/** How subjects are served. */
export interface ServeOptions {
  /** Whether all hosts serve them, and one of those answers; true unless told otherwise. */
  readonly isShared?: boolean
  /** Whether they are served while the host drains, too; false unless told otherwise. */
  readonly isServedDraining?: boolean
  /** How many requests of one caller may be under way; as many as there may be at all unless told otherwise. */
  readonly requestsPerCaller?: number
}

/** Waits until nothing is under way, for so long at most; what is left then is told so, and ends with its scope. */
const finish = (requests: FiberSet.FiberSet<void>, given: { up: boolean }): Effect.Effect<void> =>
  FiberSet.awaitEmpty(requests).pipe(
    Effect.interruptible,
    Effect.timeoutOption(limits.finishMs),
    Effect.andThen(Effect.sync(() => void (given.up = true)))
  )

/** Whoever is left without an answer, or in the midst of one, goes on with another host at once. */
const leftBehind = (subject: string) =>
  new ActorUnavailable({ address: subject, reason: "the host has stopped: ask again" })

/** Serves subjects until the scope ends, or until the host drains. */
export const serve = Effect.fnUntraced(function* (
  subjects: ReadonlyMap<string, Respond>,
  { isServedDraining = false, isShared = true, requestsPerCaller = limits.requests }: ServeOptions = {}
) {
  const mesh = yield* Mesh
  const status = yield* HostStatus
  const calls = yield* Calls.make
  const requests = yield* FiberSet.make<void>()
  const runFork = yield* FiberSet.runtime(requests)()
  const given = { up: false }
  yield* Effect.addFinalizer(() => finish(requests, given))
  // ends before the requests do: nothing new comes while those are finished
  const taking = yield* Scope.fork(yield* Effect.scope)
  const places = makePlaces({ limit: "requests", most: limits.requests, perCaller: requestsPerCaller, retryAfterMs })
  const figures = yield* ServiceFigures
  const now = yield* clockMs

  const send = (subject: string, message: Message, reply: Reply, sinceMs: number): void => {
    if (reply !== silence) message.respond(reply.data, reply.headers)
    figures.note(subject, reply.headers, now() - sinceMs)
  }

  const answer = (subject: string, respond: Respond, message: Message, sinceMs: number) =>
    respond(message).pipe(
      orBroken(message.subject, (error) => refusalReply(message, error)),
      // who has called it off wants to hear nothing
      Effect.onInterrupt(() =>
        Effect.sync(() => {
          if (given.up) send(subject, message, refusalReply(message, leftBehind(subject)), sinceMs)
        })
      ),
      Effect.map((reply) => send(subject, message, reply, sinceMs)),
      withBudget(budgetOf(message)),
      withRemoteParent(message.headers.get(Header.traceParent)),
      withBaggage(message.headers.get(Header.baggage))
    )

  yield* Effect.forEach(subjects, ([subject, respond]) =>
    mesh.subscribe(
      subject,
      (message) => {
        // who can't be answered is not worked for either
        if (!mayAnswer(message.replyTo)) return
        const sinceMs = now()
        const place = places.take(message)
        if (typeof place === "object") return send(subject, message, refusalReply(message, place), sinceMs)
        const fiber = runFork(Effect.ensuring(answer(subject, respond, message, sinceMs), Effect.sync(place)))
        calls.add(message.headers.get(Header.call), fiber)
      },
      isShared ? { group: serviceGroup } : {}
    )
  ).pipe(Scope.provide(taking))
  if (isServedDraining) return
  yield* status.draining.pipe(Effect.andThen(Scope.close(taking, Exit.void)), Effect.forkScoped)
})
