/**
 * What travels between an asker and an actor?
 *
 * A request says whom it is for, which message it is, what is left of the asker's time, and carries a body; a reply
 * is a body or a tagged error. A message that is told is answered as soon as it is in the mailbox; how it ended is
 * told later, to whom it names. Trace context travels in the headers.
 */
import { Schema } from "effect"
import {
  ActorStopped,
  ActorUnavailable,
  DeadlineExceeded,
  MailboxFull,
  MalformedMessage,
  MessageDeadLettered,
  OutcomeUnknown
} from "./Errors.ts"

/** The version of the envelope's form. */
export const envelopeFormat = 1

/** Whom a message is for: the actor's type and its key. */
export const Address = Schema.Struct({ type: Schema.String, key: Schema.String })
export type Address = typeof Address.Type

/** The address as people write it. */
export const addressText = (address: Address): string => `${address.type}/${address.key}`

/** A message to an actor. */
export const Envelope = Schema.Struct({
  format: Schema.Literal(envelopeFormat),
  to: Address,
  /** Unlike any other message's, and the same each time that the message is sent: an actor does it once. */
  id: Schema.String,
  /** What led to it: a request id or another message's id. */
  cause: Schema.String,
  /** What is left of the asker's time when it was sent, in milliseconds. */
  budgetMs: Schema.Finite,
  /** How long ago it was first sent, in milliseconds; absent where it is sent for the first time. */
  ageMs: Schema.optionalKey(Schema.Finite),
  /** Of a message that is told: the sender, who hears how it ended. */
  settle: Schema.optionalKey(Schema.String),
  body: Schema.Unknown
})
export type Envelope = typeof Envelope.Type

/** Why a message was not answered by its actor. */
export const Undelivered = Schema.Union([
  MailboxFull,
  ActorUnavailable,
  DeadlineExceeded,
  ActorStopped,
  MessageDeadLettered,
  OutcomeUnknown,
  MalformedMessage
])
export type Undelivered = typeof Undelivered.Type

/** A host's answer: the actor's body or error, each in its encoded form, or why there is none. */
export const ReplyEnvelope = Schema.Struct({
  format: Schema.Literal(envelopeFormat),
  body: Schema.optionalKey(Schema.Unknown),
  error: Schema.optionalKey(Schema.Unknown),
  undelivered: Schema.optionalKey(Undelivered),
  /** Of a message that is told: the incarnation of the host that has it in a mailbox now. */
  accepted: Schema.optionalKey(Schema.String)
})
export type ReplyEnvelope = typeof ReplyEnvelope.Type

/** How a message that was told has ended. */
export const Ending = Schema.Literals(["handled", "rejected", "expired", "deadLettered"])
export type Ending = typeof Ending.Type

/** Tells the senders of messages how they ended. */
export const Settled = Schema.Struct({
  format: Schema.Literal(envelopeFormat),
  id: Schema.String,
  /** `moved`: it has not ended, and is in a mailbox of the host `accepted` now. */
  how: Schema.Union([Ending, Schema.Literal("moved")]),
  accepted: Schema.optionalKey(Schema.String)
})
export type Settled = typeof Settled.Type
