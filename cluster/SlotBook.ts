/** What does this host hold, and what has it done about it? */
import type { HostCounts } from "../protocol/wire/HostReport.ts"
import type { Mesh } from "../runtime/Mesh.ts"
import type { HeldSlot } from "./HeldSlot.ts"
import type { HostSession } from "./HostSession.ts"
import type { SlotHandler } from "./SlotHandler.ts"

/** How often slots changed hands, and how long it took. */
export type SlotCounts = Pick<HostCounts, "claims" | "confirms" | "handovers" | "handoverMsMax">

/** All that is known of the slots of one host. */
export interface SlotBook {
  readonly mesh: Mesh["Service"]
  readonly session: HostSession["Service"]
  readonly handler: SlotHandler
  /** The slots that are held, by name. */
  readonly held: Map<string, HeldSlot>
  /** The names of those that are being handed over, and no longer held. */
  readonly busy: Set<string>
  /** Those of them whose work is still being finished. */
  readonly retiring: Map<string, HeldSlot>
  /**
   * The latest slot epoch of each slot that this host has had, or has met in a record of the slot's actors. Storage
   * may lose the record of a slot and not those of its actors: then a claim upon what stands would be outbid for ever.
   */
  readonly latestEpochs: Map<string, number>
  /** Is told when a slot that is held has a later epoch than its tenure. */
  readonly onOutbid: () => void
  /** How long each took that was handed over and not told of yet, in milliseconds. */
  batchMs: ReadonlyArray<number>
  counts: SlotCounts
}

/** A host that holds nothing. */
export const empty = (of: Pick<SlotBook, "mesh" | "session" | "handler" | "onOutbid">): SlotBook => ({
  ...of,
  held: new Map(),
  busy: new Set(),
  retiring: new Map(),
  latestEpochs: new Map(),
  batchMs: [],
  counts: { claims: 0, confirms: 0, handovers: 0, handoverMsMax: 0 }
})

/** The latest slot epoch of a slot that is known; 0 where none is. */
export const latestEpoch = ({ latestEpochs }: SlotBook, slot: string): number => latestEpochs.get(slot) ?? 0

/** Notes a slot epoch that was had, or met. */
export const noteEpoch = (book: SlotBook, slot: string, slotEpoch: number): void => {
  book.latestEpochs.set(slot, Math.max(latestEpoch(book, slot), slotEpoch))
}
