/** Which slots should this host claim now? Pure. */
import { manifest } from "../protocol/wire/Manifest.ts"
import { desiredOwner } from "./Placement.ts"

/** Who owns a slot, as its record says. */
export interface SlotRecord {
  readonly slot: number
  /** The incarnation of the owner; empty where the slot was given back. */
  readonly owner: string
  /** Rises with each change of hands. */
  readonly slotEpoch: number
  /** The record's revision: what a claim replaces; 0 where there is no record. */
  readonly revision: number
}

/** What a host knows when it plans. */
export interface ClaimView {
  readonly me: string
  readonly live: ReadonlySet<string>
  readonly records: ReadonlyMap<number, SlotRecord>
  readonly held: ReadonlySet<number>
  /** Whether this host has watched long enough to take an absent session for a dead host. */
  readonly mayBury: boolean
}

const unowned = (slot: number): SlotRecord => ({ slot, owner: "", slotEpoch: 0, revision: 0 })

const isClaimable = ({ live, mayBury, me }: ClaimView, { owner }: SlotRecord): boolean =>
  owner === "" || owner === me || (mayBury && !live.has(owner))

/**
 * The records of the slots to claim: those that nobody owns, whose owner is gone, or that this host owned before it
 * lost touch; and of these the ones for which it is the desired owner among the live.
 */
export const planClaims = (view: ClaimView): ReadonlyArray<SlotRecord> =>
  Array.from({ length: manifest.slotCount }, (_, slot) => view.records.get(slot) ?? unowned(slot)).filter(
    (record) =>
      !view.held.has(record.slot) &&
      isClaimable(view, record) &&
      (record.owner === view.me || desiredOwner(record.slot, view.live) === view.me)
  )
