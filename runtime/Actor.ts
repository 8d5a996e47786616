/**
 * What is an actor's behaviour?
 *
 * A type of actors has a name and a way to start an activation; an activation gives a handler, and the runtime feeds it
 * one message at a time. Everything an activation holds is released with its scope.
 */
import { Effect, Option, Schema, type Scope } from "effect"
import type { ActorMessage, MessageBody } from "../protocol/wire/ActorMessage.ts"
import type { Address } from "../protocol/wire/Envelope.ts"
import { ActorUnavailable, Fenced, MalformedMessage, MeshUnavailable } from "../protocol/wire/Errors.ts"

/** One life of an actor on one host. */
export interface Activation {
  readonly address: Address
  /** The incarnation of the host. */
  readonly owner: string
  readonly slotEpoch: number
}

/** What stops an activation: the next message starts another, perhaps on another host. */
export type Stopped = Fenced | MeshUnavailable | MalformedMessage

/** An answer in wire form: success or a failure that the message declares. */
export type Answer = { readonly body: unknown } | { readonly error: unknown }

/** Handles one message's body. */
export type Handler = (body: MessageBody) => Effect.Effect<Answer, Stopped>

/** A type of actors. */
export interface ActorType<R = never> {
  readonly name: string
  readonly activate: (activation: Activation) => Effect.Effect<Handler, Stopped, R | Scope.Scope>
}

/** The type with the services that its activations need. */
export const provided = <R>(type: ActorType<R>): Effect.Effect<ActorType, never, R> =>
  Effect.map(Effect.context<R>(), (services) => ({
    name: type.name,
    activate: (activation) => Effect.provide(type.activate(activation), services) as ReturnType<ActorType["activate"]>
  }))

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

/** A handler that knows these messages. */
export const handler = (address: Address, messages: ReadonlyArray<MessageHandler>): Handler => {
  const byName = new Map(messages.map((message) => [message.name, message]))
  return ({ message, payload }) =>
    byName.get(message)?.handle(payload) ??
    Effect.fail(new MalformedMessage({ what: `message to ${address.type}`, problem: `${message} is not known` }))
}

/** The error of an asker whose message met no activation that could take it. */
export const stoppedError = (address: string, reason: Stopped): ActorUnavailable =>
  new ActorUnavailable({ address, reason: reason.message })
