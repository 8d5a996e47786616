/** What is kept of a message upon which an actor failed? */
import { Schema } from "effect"
import { Address } from "./Envelope.ts"
import type { StreamSpec } from "./StreamSpec.ts"
import * as Subject from "./Subject.ts"

/** A message that an actor could not handle, with all that is needed to see why, and to send it again. */
export const DeadLetter = Schema.Struct({
  format: Schema.Literal(1),
  /** The message's id: replaying it has the same, so it takes effect once at most. */
  id: Schema.String,
  to: Address,
  label: Schema.String,
  message: Schema.String,
  payload: Schema.Unknown,
  cause: Schema.String,
  /** What the actor failed with. */
  reason: Schema.String,
  /** Where in the code, as far as it is known. */
  trace: Schema.String,
  traceParent: Schema.String,
  /** The label of the host that it happened on. */
  hostId: Schema.String,
  /** The epoch of the activation. */
  epoch: Schema.Int,
  /** Epoch milliseconds. */
  at: Schema.Finite
})
export type DeadLetter = typeof DeadLetter.Type

/** Where they are kept. */
export const deadLetters: StreamSpec = { name: "seamless-dead", subjects: Subject.all("dead"), kind: "letters" }
