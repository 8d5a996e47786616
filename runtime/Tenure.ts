/**
 * By what right does this host handle messages of an actor?
 *
 * By owning the actor's slot, since a slot epoch, and as long as it is in touch. The right is checked before each
 * message; that it has ended is learnt in the end from a save that fails.
 */
import { Effect } from "effect"

/** A host's ownership of one slot, from its claim until it is lost or handed over. */
export interface Tenure {
  /** The name of the slot. */
  readonly slot: string
  readonly slotEpoch: number
  /** Whether messages may be handled now. */
  readonly isValid: () => boolean
  /** Waits until they may; for ever where the slot is lost meanwhile. */
  readonly untilValid: Effect.Effect<void>
  /** Whether the slot was lost or handed over. */
  readonly hasEnded: () => boolean
  /** Tells that a record of one of the slot's actors bears this slot epoch, which is later than the tenure's. */
  readonly onOutbid: (slotEpoch: number) => void
}

/** The tenure of a process that has nobody beside it. */
export const unshared: Tenure = {
  slot: "0",
  slotEpoch: 1,
  isValid: () => true,
  untilValid: Effect.void,
  hasEnded: () => false,
  onOutbid: () => undefined
}
