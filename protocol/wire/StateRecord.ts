/**
 * What does a state record say beside the state?
 *
 * Who may write. The coverage bucket is public, and its records have this form: the root is under `state`.
 */
import { Schema } from "effect"

/** A state record: who may write, and what is written. */
export const StateRecord = Schema.Struct({
  format: Schema.Literal(1),
  /** Rises each time the slot of the actor changes hands. */
  slotEpoch: Schema.Int,
  /** Rises with each activation. */
  epoch: Schema.Int,
  /** The incarnation of the host that the activation lives on. */
  owner: Schema.String,
  /** Unlike any other write's. */
  nonce: Schema.String,
  state: Schema.Unknown
})
export type StateRecord = typeof StateRecord.Type
