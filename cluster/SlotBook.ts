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
  /** How long each took that was handed over and not told of yet, in milliseconds. */
  batchMs: ReadonlyArray<number>
  counts: SlotCounts
}

/** A host that holds nothing. */
export const empty = (of: Pick<SlotBook, "mesh" | "session" | "handler">): SlotBook => ({
  ...of,
  held: new Map(),
  busy: new Set(),
  batchMs: [],
  counts: { claims: 0, confirms: 0, handovers: 0, handoverMsMax: 0 }
})
