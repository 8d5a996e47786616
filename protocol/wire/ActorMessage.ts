/**
 * How is a message to an actor declared, so that asker and actor can't disagree about it?
 *
 * A definition names the message and gives the forms of what is sent, what is answered, and how it can fail.
 */
import type { Schema } from "effect"

/** A form that values of `A` have on the wire; plain data only. */
export type Wire<A> = Schema.Codec<A, unknown>

/** One message that actors of a type understand. */
export interface ActorMessage<Payload, Success, Failure> {
  readonly actor: string
  /** The label of the hosts that have the actors of the type; empty for all hosts without labels of their own. */
  readonly label?: string
  readonly name: string
  readonly payload: Wire<Payload>
  readonly success: Wire<Success>
  readonly failure: Wire<Failure>
}

/** Declares a message. */
export const define = <Payload, Success, Failure>(
  message: ActorMessage<Payload, Success, Failure>
): ActorMessage<Payload, Success, Failure> => message

/** The body of the envelope that carries a message. */
export interface MessageBody {
  readonly message: string
  readonly payload: unknown
}
