/** Which slots should this host claim, confirm, hand over or let go of now? Pure. */
import type { SessionRecord, SlotValue } from "../protocol/wire/HostRecords.ts"
import { manifest } from "../protocol/wire/Manifest.ts"
import { slotName } from "../protocol/wire/ActorSubject.ts"
import { desiredHost, takes } from "./Placement.ts"

/** Slots that are being handed over at once: few enough for each to be with its new owner in a blink. */
export const handoversMax = 16

/** The first version whose hosts are told at once of a slot that is free; earlier ones look twice a second. */
const hearsSince = 2

/** Who owns a slot, as its record says. */
export interface SlotRecord extends SlotValue {
  /** The name of the slot. */
  readonly slot: string
  /** The record's revision: what a claim replaces; 0 where there is no record. */
  readonly revision: number
}

/** A slot that this host holds. */
interface Holding {
  /** The record as this host wrote it last. */
  readonly record: SlotRecord
  /** Whether it was written since this host last lost touch. */
  readonly isConfirmed: boolean
  /** Whether nothing can be saved by it any more: storage lost its record, or has a later slot epoch. */
  readonly isVoid: boolean
}

/** What a host knows when it plans. */
export interface ClaimView {
  readonly me: SessionRecord
  /** The hosts whose sessions stand, this one among them. */
  readonly live: ReadonlyArray<SessionRecord>
  /** What stands, by the name of the slot; perhaps old. */
  readonly records: ReadonlyMap<string, SlotRecord>
  readonly held: ReadonlyMap<string, Holding>
  /** The slots that are being handed over. */
  readonly busy: ReadonlySet<string>
  /** Whether this host has watched long enough to take an absent session for a dead host. */
  readonly mayBury: boolean
  /** Whether this host has been in touch for long enough to hand anything over. */
  readonly mayMove: boolean
  /** Incarnations of the hosts that have been there for more than a moment. */
  readonly acquainted: ReadonlySet<string>
}

/** A slot that another host should have. */
export interface Move {
  /** The record that giving it back replaces. */
  readonly record: SlotRecord
  /** Whether someone is told at once that it is free, and claims it. */
  readonly isAwaited: boolean
}

/** What to do, each with the record that it replaces. */
export interface ClaimPlan {
  /** To be owned from now on, with a higher slot epoch. */
  readonly claims: ReadonlyArray<SlotRecord>
  /** Held since before touch was lost: to be written again as they are. */
  readonly confirms: ReadonlyArray<SlotRecord>
  /** To be handed over; as many at most as may be under way. */
  readonly moves: ReadonlyArray<Move>
  /** Held, and someone else's by now or void: what is void may be claimed at the next look. */
  readonly lost: ReadonlyArray<string>
}

const unowned = (slot: string): SlotRecord => ({ slot, owner: "", slotEpoch: 0, revision: 0 })

const numbers = Array.from({ length: manifest.slotCount }, (_, slot) => slot)

/** The names of all the slots that a host may own. */
export const slotsFor = (host: SessionRecord): ReadonlyArray<string> =>
  [...new Set(["", ...(host.labels ?? [])])]
    .filter((label) => takes(host, label))
    .flatMap((label) => numbers.map((slot) => slotName(label, slot)))

/** What stands for a slot that is held: a record that is older than the own write was read from a replica behind. */
const standingOf = (view: ClaimView, { record }: Holding): SlotRecord => {
  const read = view.records.get(record.slot)
  return read === undefined || read.revision < record.revision ? record : read
}

// the epoch rises with each change of hands: the same one is the same tenure, whatever the revision
const isStillMine = (view: ClaimView, holding: Holding): boolean => {
  if (holding.isVoid) return false
  const standing = standingOf(view, holding)
  return standing.owner === view.me.incarnation && standing.slotEpoch === holding.record.slotEpoch
}

/** Where a slot of this host should go; undefined where it stays. */
const destination = (view: ClaimView, slot: string): Pick<Move, "isAwaited"> | undefined => {
  const host = desiredHost(slot, view.live)
  const isAwaited = host !== undefined && host.protocolVersion >= hearsSince
  if (view.me.draining === true) return { isAwaited }
  if (host === undefined || host.incarnation === view.me.incarnation || !view.mayMove) return undefined
  return view.acquainted.has(host.incarnation) ? { isAwaited } : undefined
}

const isFree = ({ live, mayBury }: ClaimView, { owner }: SlotRecord): boolean =>
  owner === "" || (mayBury && !live.some(({ incarnation }) => incarnation === owner))

const planHeld = (view: ClaimView): Omit<ClaimPlan, "claims"> => {
  const all = Array.from(view.held.values())
  const mine = all.filter((holding) => isStillMine(view, holding))
  return {
    lost: all.filter((holding) => !isStillMine(view, holding)).map(({ record }) => record.slot),
    confirms: mine.filter(({ isConfirmed }) => !isConfirmed).map((holding) => standingOf(view, holding)),
    moves: mine
      .filter(({ isConfirmed }) => isConfirmed)
      .flatMap((holding) => {
        const to = destination(view, holding.record.slot)
        return to === undefined ? [] : [{ record: standingOf(view, holding), ...to }]
      })
  }
}

/** Records that say that a slot is this host's, though it does not hold it: a write that came through unnoticed. */
const planStray = (view: ClaimView): Pick<ClaimPlan, "claims" | "moves"> => {
  const stray = Array.from(view.records.values()).filter(
    ({ owner, slot }) => owner === view.me.incarnation && !view.held.has(slot) && !view.busy.has(slot)
  )
  return {
    claims: stray.filter(({ slot }) => destination(view, slot) === undefined),
    moves: stray.flatMap((record) => {
      const to = destination(view, record.slot)
      return to === undefined ? [] : [{ record, ...to }]
    })
  }
}

/** Of slots that were given back, those that this host should claim. */
export const planFreed = (
  { busy, held, live, me }: Pick<ClaimView, "me" | "live" | "busy"> & { readonly held: { has(slot: string): boolean } },
  freed: ReadonlyArray<SlotRecord>
): ReadonlyArray<SlotRecord> =>
  me.draining === true
    ? []
    : freed.filter(
        ({ slot }) => !held.has(slot) && !busy.has(slot) && desiredHost(slot, live)?.incarnation === me.incarnation
      )

const planFree = (view: ClaimView): ReadonlyArray<SlotRecord> =>
  planFreed(
    view,
    slotsFor(view.me)
      .map((slot) => view.records.get(slot) ?? unowned(slot))
      .filter((record) => record.owner !== view.me.incarnation && isFree(view, record))
  )

/**
 * The slots to claim: those that nobody owns or whose owner is gone, where this host is the one that should have them.
 * Of those that it holds: which to confirm after it had lost touch, which to hand over, and which are lost.
 */
export const planClaims = (view: ClaimView): ClaimPlan => {
  const { confirms, lost, moves } = planHeld(view)
  const stray = planStray(view)
  return {
    claims: [...planFree(view), ...stray.claims],
    confirms,
    moves: [...stray.moves, ...moves].slice(0, Math.max(0, handoversMax - view.busy.size)),
    lost
  }
}
