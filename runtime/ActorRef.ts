/** How is an actor spoken to whose messages are known? */
import { Effect, Result } from "effect"
import type { Address, Undelivered } from "../protocol/wire/Envelope.ts"
import { MalformedMessage } from "../protocol/wire/Errors.ts"
import type { Answer } from "./Actor.ts"
import { ActorSystem } from "./ActorSystem.ts"
import type { AllForms, FailureOf, MessageCodec, Payloads, ReplyOf } from "./MessageForms.ts"
import type { Action } from "./StepContext.ts"

/** How a message is sent. */
export interface SendOptions {
  /**
   * The same for each try of one thing, however often and by whomever it is tried: it takes effect once, as long as the
   * actor's ledger reaches back. A new one where it is absent.
   */
  readonly operationId?: string
}

/** An actor, by its key. Waits are no longer than the current deadline, and no longer than a minute. */
export interface ActorRef<M extends AllForms> {
  readonly address: Address
  /** Sends a message and waits for its answer. */
  readonly ask: <Name extends keyof M & string>(
    message: Name,
    payload: Payloads<M>[Name],
    options?: SendOptions
  ) => Effect.Effect<ReplyOf<M[Name]>, FailureOf<M[Name]> | Undelivered, ActorSystem>
  /** Sends a message and waits until a host has it in the actor's mailbox. */
  readonly tell: <Name extends keyof M & string>(
    message: Name,
    payload: Payloads<M>[Name],
    options?: SendOptions
  ) => Effect.Effect<void, Undelivered, ActorSystem>
  /** What a step returns to send a message; breaks the step where the payload does not fit its form. */
  readonly send: <Name extends keyof M & string>(message: Name, payload: Payloads<M>[Name]) => Action
}

/** How a type is spoken to. */
export interface Spoken {
  readonly type: string
  readonly label: string
  readonly codecs: ReadonlyMap<string, MessageCodec>
}

const notKnown: Result.Result<unknown, string> = Result.fail("is not known")

const orMalformed = (what: string, coded: Result.Result<unknown, string>): Effect.Effect<unknown, MalformedMessage> =>
  Result.isSuccess(coded)
    ? Effect.succeed(coded.success)
    : Effect.fail(new MalformedMessage({ what, problem: coded.failure }))

/** What an answer says, in the forms of its message. */
const read = (what: string, codec: MessageCodec, answer: Answer): Effect.Effect<unknown, unknown> =>
  "error" in answer
    ? Effect.flatMap(orMalformed(`failure of ${what}`, codec.decodeFailure(answer.error)), Effect.fail)
    : orMalformed(`reply of ${what}`, codec.decodeReply(answer.body))

/** A reference with its forms hidden. */
interface AnyRef {
  readonly address: Address
  readonly ask: (
    message: string,
    payload: unknown,
    options?: SendOptions
  ) => Effect.Effect<unknown, unknown, ActorSystem>
  readonly tell: (
    message: string,
    payload: unknown,
    options?: SendOptions
  ) => Effect.Effect<void, Undelivered, ActorSystem>
  readonly send: (message: string, payload: unknown) => Action
}

/** Gives the actors of a type, by key. The forms are those of the definition, as the types of a reference say. */
export function refsTo<M extends AllForms>(spoken: Spoken): (key: string) => ActorRef<M>
export function refsTo({ codecs, label, type }: Spoken): (key: string) => AnyRef {
  const encode = (message: string, payload: unknown) => codecs.get(message)?.encodePayload(payload) ?? notKnown
  const whatOf = (message: string) => `${type}.${message}`

  const ask = (to: Address, message: string, payload: unknown, options?: SendOptions) =>
    Effect.flatMap(ActorSystem, (system) => {
      const encoded = encode(message, payload)
      const codec = codecs.get(message)
      const what = whatOf(message)
      if (codec === undefined || Result.isFailure(encoded)) return orMalformed(`message ${what}`, encoded)
      return Effect.flatMap(system.deliver({ to, label }, { message, payload: encoded.success }, options), (answer) =>
        read(what, codec, answer)
      )
    })
  const tell = (to: Address, message: string, payload: unknown, options?: SendOptions) =>
    Effect.flatMap(ActorSystem, (system) =>
      Effect.flatMap(orMalformed(`message ${whatOf(message)}`, encode(message, payload)), (encoded) =>
        system.tell({ to, label }, { message, payload: encoded }, options)
      )
    )
  const send = (to: Address, message: string, payload: unknown): Action => {
    const encoded = Result.getOrThrowWith(
      encode(message, payload),
      (problem) => new Error(`message ${whatOf(message)}: ${problem}`)
    )
    return { action: "tell", to, label, body: { message, payload: encoded } }
  }
  return (key) => {
    const to = { type, key }
    return {
      address: to,
      ask: (message, payload, options) => ask(to, message, payload, options),
      tell: (message, payload, options) => tell(to, message, payload, options),
      send: (message, payload) => send(to, message, payload)
    }
  }
}
