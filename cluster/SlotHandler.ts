/** What does whoever has the actors of a slot do about it? */
import type { Effect } from "effect"
import type { Message } from "../runtime/Mesh.ts"
import type { Tenure } from "../runtime/Tenure.ts"

/** What the owner of slots does with them. */
export interface SlotHandler {
  /** The slot is this host's: called before its first message. */
  readonly onClaimed: (tenure: Tenure) => Effect.Effect<void>
  /** A message of the slot, and for how many milliseconds it waited for the slot's claim; never throws. */
  readonly onMessage: (tenure: Tenure, message: Message, waitedMs: number) => void
  /** No further message comes: finishes what is in the mailboxes, and stops the actors. Ends within a bound. */
  readonly onHandOver: (tenure: Tenure) => Effect.Effect<void>
  /** Someone else owns the slot: stops the actors at once. */
  readonly onLost: (tenure: Tenure) => Effect.Effect<void>
  /** How many actors live here, of whichever slot; absent where it has none at all. */
  readonly residents?: () => number
}
