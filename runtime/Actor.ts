/**
 * What is an actor's behaviour?
 *
 * A type of actors has a name and a way to start an activation; an activation gives a behaviour, and the runtime feeds
 * it messages, one lot at a time. Everything an activation holds is released with its scope. Types whose state is
 * saved, and whose messages are steps, are made by `defineActor`.
 */
import { type Duration, Effect, Option, type Schedule, Schema, type Scope } from "effect"
import type { ActorMessage } from "../protocol/wire/ActorMessage.ts"
import { type Address, addressText, type Undelivered } from "../protocol/wire/Envelope.ts"
import { Fenced, MalformedMessage, MeshUnavailable } from "../protocol/wire/Errors.ts"
import type { Timer } from "../protocol/wire/StateRecord.ts"
import { withBudget } from "./Deadline.ts"
import type { Timers } from "./DurableTimer.ts"
import * as Invariants from "./Invariants.ts"
import type { Mesh } from "./Mesh.ts"
import type { Outbox } from "./Outbox.ts"
import { withRemoteParent } from "./telemetry/Propagation.ts"

/** One life of an actor on one host. */
export interface Activation {
  readonly address: Address
  /** The incarnation of the host. */
  readonly owner: string
  /** The name of the slot that the actor belongs to. */
  readonly slot: string
  readonly slotEpoch: number
}

/** What stops an activation: the next message starts another, perhaps on another host. */
export type Stopped = Fenced | MeshUnavailable | MalformedMessage

/** An answer in wire form: success or a failure that the message declares. */
export type Answer = { readonly body: unknown } | { readonly error: unknown }

/** A message in an actor's hands. */
export interface Incoming {
  /** The same each time that the message is sent. */
  readonly id: string
  readonly message: string
  readonly payload: unknown
  /** What led to it. */
  readonly cause: string
  /** The W3C trace context of its sender; empty where there is none. */
  readonly traceParent: string
  /** How long ago it was first sent, in milliseconds; 0 where it was not sent before. */
  readonly ageMs: number
  /** When its asker stops to wait, in milliseconds of the monotonic clock. */
  readonly deadlineMs: number
  readonly budgetMs: number
  /** A message that the actor sent itself, by a timer: one whose timer is gone by now has no effect. */
  readonly own?: boolean
}

/** What became of one message. */
export type Result =
  | Answer
  | { readonly undelivered: Undelivered }
  /** The actor failed upon it: nothing of it took effect. */
  | { readonly failed: { readonly reason: string; readonly trace: string } }
  /** It was woken, and these of its own messages are due. */
  | { readonly due: ReadonlyArray<Pick<Timer, "id" | "message" | "payload">> }

/** What one activation does. */
export interface Behavior {
  readonly epoch: number
  /** Messages that it takes at once. */
  readonly batchMax: number
  /** Handles messages in their order, and gives what became of each. */
  readonly handle: (batch: ReadonlyArray<Incoming>) => Effect.Effect<ReadonlyArray<Result>, Stopped>
  /** Answers at once, from what was last saved, a message that only reads; undefined for any other. */
  readonly peek?: (message: Incoming) => Result | undefined
  /** What it holds in memory, about. */
  readonly bytes?: () => number
}

/** What every activation is given by the system that it lives in. */
export type ActorServices = Mesh | Timers | Outbox

/** A type of actors. */
export interface ActorType<R = ActorServices> {
  readonly name: string
  /** The label of the hosts that have its actors; empty for the hosts that take actors without label. */
  readonly label?: string
  readonly activate: (activation: Activation) => Effect.Effect<Behavior, Stopped, R | Scope.Scope>
  /** Messages that wait for one actor at most. */
  readonly mailboxMax?: number
  /** An actor that got no message for so long goes to sleep. */
  readonly passivateAfter?: Duration.Duration
  /** How often, and how soon, an activation that failed is started again before the actor is left alone for a while. */
  readonly restart?: Schedule.Schedule<unknown>
}

/** The type with the services that its activations need beside those that every one is given. */
export function provided<R>(type: ActorType<R>): Effect.Effect<ActorType, never, Exclude<R, ActorServices>>
export function provided(type: ActorType<unknown>): Effect.Effect<ActorType<unknown>, never, unknown> {
  return Effect.map(Effect.context(), (services) => ({
    ...type,
    activate: (activation) => Effect.provide(type.activate(activation), services)
  }))
}

/** How one message is handled, with its forms hidden. */
export interface MessageHandler {
  readonly name: string
  readonly handle: (payload: unknown) => Effect.Effect<Answer, Stopped>
}

const isStopped = (failure: unknown): failure is Stopped =>
  failure instanceof Fenced || failure instanceof MeshUnavailable || failure instanceof MalformedMessage

/** Handles a declared message; its failures go to the asker, what stops the activation does not. */
export const on = <Payload, Success, Failure>(
  message: ActorMessage<Payload, Success, Failure>,
  handle: (payload: Payload) => Effect.Effect<Success, Failure | Stopped>
): MessageHandler => {
  const decode = Schema.decodeUnknownEffect(message.payload)
  const encodeSuccess = Schema.encodeUnknownEffect(message.success)
  const encodeFailure = Schema.encodeUnknownOption(message.failure)
  /** A failure that the message declares is an answer; any other stops the activation. */
  const declared = (failure: Failure | Stopped): Effect.Effect<Answer, Stopped> =>
    isStopped(failure)
      ? Effect.fail(failure)
      : Option.match(encodeFailure(failure), {
          onNone: () => Effect.die(failure),
          onSome: (error) => Effect.succeed({ error })
        })
  return {
    name: message.name,
    handle: Effect.fnUntraced(function* (encoded: unknown) {
      const payload = yield* Effect.mapError(
        decode(encoded),
        (error) => new MalformedMessage({ what: `message ${message.actor}.${message.name}`, problem: error.message })
      )
      return yield* handle(payload).pipe(
        Effect.flatMap((success) => Effect.orDie(encodeSuccess(success))),
        Effect.map((body): Answer => ({ body })),
        Effect.catch((failure) => declared(failure))
      )
    })
  }
}

/** A behaviour of effects, without an epoch of its own: these messages, one by one. */
export const handler = (address: Address, messages: ReadonlyArray<MessageHandler>): Behavior => {
  const byName = new Map(messages.map((message) => [message.name, message]))
  const handleOne = ({ budgetMs, id, message, payload, traceParent }: Incoming): Effect.Effect<Result, Stopped> => {
    const known = byName.get(message)
    const handled =
      known === undefined
        ? Effect.fail(new MalformedMessage({ what: `message to ${address.type}`, problem: `${message} is not known` }))
        : known.handle(payload)
    const inTime = Invariants.check("startedInTime", budgetMs > 0, () => ({
      actor: addressText(address),
      message,
      id,
      budgetMs
    }))
    return Effect.andThen(inTime, handled).pipe(
      withBudget(budgetMs),
      withRemoteParent(traceParent),
      // what can't be read says nothing about the actor: it goes on
      Effect.catchTag("MalformedMessage", (error) => Effect.succeed({ undelivered: error }))
    )
  }
  return { epoch: 0, batchMax: 1, handle: (batch) => Effect.forEach(batch, handleOne) }
}
