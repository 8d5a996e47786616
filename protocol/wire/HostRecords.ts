/** What do hosts write about themselves, and about the slots they own? */
import { Schema } from "effect"

/** The version of the protocol between hosts. Hosts of this version and of the one before get along. */
export const protocolVersion = 2
/** The oldest version that a host may run beside. */
export const protocolVersionMin = protocolVersion - 1

/** What a host says of itself; its key is the incarnation. */
export const SessionRecord = Schema.Struct({
  incarnation: Schema.String,
  /** A label for people. */
  hostId: Schema.String,
  /** Of the configuration of all members; empty for a host that has none. */
  configurationHash: Schema.String,
  protocolVersion: Schema.Int,
  /** Whose actors it takes, beside those that have no label. Absent in version 1. */
  labels: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Whether it takes actors that have no label; it does where this is absent. */
  unlabelled: Schema.optionalKey(Schema.Boolean),
  /** It gives its slots to the others, and takes none. */
  draining: Schema.optionalKey(Schema.Boolean),
  /** Epoch milliseconds. */
  startedAt: Schema.Finite
})
export type SessionRecord = typeof SessionRecord.Type

/** Who owns a slot; the key is the slot's number, behind its label and a dot where the slot has one. */
export const SlotValue = Schema.Struct({
  /** The incarnation of the owner; empty where the slot was given back. */
  owner: Schema.String,
  /** Rises with each change of hands. */
  slotEpoch: Schema.Int
})
export type SlotValue = typeof SlotValue.Type
