/** What do hosts write about themselves, and about the slots they own? */
import { Schema } from "effect"

/** The version of the protocol between hosts. */
export const protocolVersion = 1

/** What a host says of itself; its key is the incarnation. */
export const SessionRecord = Schema.Struct({
  incarnation: Schema.String,
  /** A label for people. */
  hostId: Schema.String,
  configurationHash: Schema.String,
  protocolVersion: Schema.Int,
  /** Epoch milliseconds. */
  startedAt: Schema.Finite
})
export type SessionRecord = typeof SessionRecord.Type

/** Who owns a slot; the key is the slot's number. */
export const SlotValue = Schema.Struct({
  /** The incarnation of the owner; empty where the slot was given back. */
  owner: Schema.String,
  /** Rises with each change of hands. */
  slotEpoch: Schema.Int
})
export type SlotValue = typeof SlotValue.Type
