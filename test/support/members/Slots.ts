/** Which member has which slot of the test's actors? */
import { Effect } from "effect"
import { listLive } from "../../../cluster/HostSession.ts"
import { desiredHost, slotOf } from "../../../cluster/Placement.ts"
import type { SlotRecord } from "../../../cluster/planClaims.ts"
import { readSlots } from "../../../cluster/SlotRecords.ts"
import type { Address } from "../../../protocol/wire/Envelope.ts"
import type { SessionRecord } from "../../../protocol/wire/HostRecords.ts"
import { manifest } from "../../../protocol/wire/Manifest.ts"
import { slotName } from "../../../protocol/wire/ActorSubject.ts"
import { Mesh } from "../../../runtime/Mesh.ts"

/** What stands, at one moment. */
export interface SlotView {
  /** By the name of the slot. */
  readonly records: ReadonlyMap<string, SlotRecord>
  readonly live: ReadonlyArray<SessionRecord>
}

/** The names of all slots of the test's actors. */
const names = Array.from({ length: manifest.slotCount }, (_, slot) => slotName("actors", slot))

/** Looks at the records and at who lives. */
export const look: Effect.Effect<SlotView, never, Mesh> = Effect.gen(function* () {
  const mesh = yield* Mesh
  const records = yield* readSlots(mesh)
  return { records, live: yield* listLive(mesh) }
}).pipe(Effect.orDie)

/** The label of the member whose incarnation that is; empty where it is nobody's that lives. */
const hostIdOf = ({ live }: SlotView, owner: string): string =>
  live.find(({ incarnation }) => incarnation === owner)?.hostId ?? ""

/** The label of the member that has the slot; empty where nobody has it that lives. */
const holderOf = (view: SlotView, slot: string): string => hostIdOf(view, view.records.get(slot)?.owner ?? "")

/** The label of the member where an actor lives. */
export const homeOf = (view: SlotView, address: Address): string => holderOf(view, slotName("actors", slotOf(address)))

/** Whether these members live and no others, and each slot has the one that it should have. */
export const isSpread =
  (hostIds: ReadonlyArray<string>) =>
  (view: SlotView): boolean => {
    const { live, records } = view
    const there = live.map(({ hostId }) => hostId)
    return (
      there.toSorted().join() === hostIds.toSorted().join() &&
      names.every((slot) => records.get(slot)?.owner === desiredHost(slot, live)?.incarnation)
    )
  }

/** How many slots each member has, by its label. */
export const countByHost = (view: SlotView): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const slot of names) {
    const hostId = holderOf(view, slot)
    counts.set(hostId, (counts.get(hostId) ?? 0) + 1)
  }
  return counts
}

/** The slots that a member has. */
export const heldBy = (view: SlotView, hostId: string): ReadonlyArray<string> =>
  names.filter((slot) => holderOf(view, slot) === hostId)

/** The slots whose owner or epoch is not what it was. */
export const changed = (before: SlotView, after: SlotView): ReadonlyArray<string> =>
  names.filter((slot) => {
    const [was, is] = [before.records.get(slot), after.records.get(slot)]
    return was?.owner !== is?.owner || was?.slotEpoch !== is?.slotEpoch
  })
