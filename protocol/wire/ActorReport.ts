/** What is told of one slot, and of one actor? */
import { Schema } from "effect"

/** One slot. */
export const SlotReport = Schema.Struct({
  label: Schema.String,
  slot: Schema.Int,
  /** Incarnation of the owner; empty where nobody owns it. */
  owner: Schema.String,
  /** The owner's label for people; empty where the owner is not alive. */
  hostId: Schema.String,
  slotEpoch: Schema.Int,
  /** The label for people of the host that should own it; empty where there is none. */
  desired: Schema.String
})
export type SlotReport = typeof SlotReport.Type

/** One actor that lives, or that has given up. */
export const ActorReport = Schema.Struct({
  type: Schema.String,
  key: Schema.String,
  /** The name of its slot. */
  slot: Schema.String,
  hostId: Schema.String,
  state: Schema.Literals(["starting", "active", "stopped"]),
  epoch: Schema.Int,
  /** Messages a second, lately. */
  rate: Schema.Finite,
  /** Messages that wait. */
  mailbox: Schema.Int,
  /** Milliseconds from being taken into the mailbox to the answer, lately. */
  p99Ms: Schema.Finite,
  /** Messages of this activation. */
  messages: Schema.Int,
  bytes: Schema.Int
})
export type ActorReport = typeof ActorReport.Type
