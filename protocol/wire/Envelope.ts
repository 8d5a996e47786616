/**
 * What travels between an asker and an actor?
 *
 * A request says whom it is for, which message it is, what is left of the asker's time, and carries a body; a reply
 * is a body or a tagged error. Trace context travels in the headers.
 */
import { Schema } from "effect"
import { ActorUnavailable, DeadlineExceeded, MailboxFull } from "./Errors.ts"

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
  /** Unlike any other message's. */
  id: Schema.String,
  /** What led to it: a request id or another message's id. */
  cause: Schema.String,
  /** What is left of the asker's time when it was sent, in milliseconds. */
  budgetMs: Schema.Finite,
  body: Schema.Unknown
})
export type Envelope = typeof Envelope.Type

/** Why a message did not reach its actor. */
const Undelivered = Schema.Union([MailboxFull, ActorUnavailable, DeadlineExceeded])

/** A host's answer: the actor's body or error, each in its encoded form, or why there is none. */
export const ReplyEnvelope = Schema.Struct({
  format: Schema.Literal(envelopeFormat),
  body: Schema.optionalKey(Schema.Unknown),
  error: Schema.optionalKey(Schema.Unknown),
  undelivered: Schema.optionalKey(Undelivered)
})
export type ReplyEnvelope = typeof ReplyEnvelope.Type
