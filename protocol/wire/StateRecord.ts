/**
 * What does a state record say beside the state?
 *
 * Who may write. The coverage bucket is public, and its records have this form: the root is under `state`.
 */
import { Schema } from "effect"

/** A message that took effect, and what was answered: whoever sends it again is answered the same. */
export const Operation = Schema.Struct({
  id: Schema.String,
  /** When it took effect, in epoch milliseconds of the host that did it. */
  at: Schema.Finite,
  /** `{ "body" }` or `{ "error" }`, in the forms of the message. */
  answer: Schema.Unknown
})
export type Operation = typeof Operation.Type

/** A message that the actor wants to get later, whatever happens to its host. */
export const Timer = Schema.Struct({
  /** An actor has one timer of a name. */
  name: Schema.String,
  /** Unlike any other timer's: the id of its message. */
  id: Schema.String,
  /** Not before then, in epoch milliseconds. */
  at: Schema.Finite,
  message: Schema.String,
  payload: Schema.Unknown
})
export type Timer = typeof Timer.Type

/** A state record: who may write, and what is written. */
export const StateRecord = Schema.Struct({
  format: Schema.Literal(1),
  /** The name of the slot by which the activation has the actor; absent in records of version 1. */
  slot: Schema.optionalKey(Schema.String),
  /** Rises each time the slot of the actor changes hands. */
  slotEpoch: Schema.Int,
  /** Rises with each activation. */
  epoch: Schema.Int,
  /** The incarnation of the host that the activation lives on. */
  owner: Schema.String,
  /** Unlike any other write's. */
  nonce: Schema.String,
  /** The version of the state's form; 1 where it is absent. */
  schemaVersion: Schema.optionalKey(Schema.Int),
  /** What took effect lately, oldest first. */
  operations: Schema.optionalKey(Schema.Array(Operation)),
  /** When the newest operation took effect that is no longer listed, in epoch milliseconds. */
  forgottenAt: Schema.optionalKey(Schema.Finite),
  timers: Schema.optionalKey(Schema.Array(Timer)),
  state: Schema.Unknown
})
export type StateRecord = typeof StateRecord.Type
