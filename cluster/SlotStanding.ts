/** How is this host with its slots, as a whole? */
import { Context, Layer } from "effect"

/** What there is to know of the slots without looking at each. */
export interface Standing {
  /** Slots that are held and were not confirmed since touch was lost: nothing is handled for them. */
  readonly unconfirmed: () => number
  /** Whether all slots were given to the others, for good. */
  readonly isDrained: () => boolean
}

/** Where whoever claims slots says how it stands with them. */
export class SlotStanding extends Context.Service<
  SlotStanding,
  {
    readonly now: () => Standing
    readonly tell: (standing: Standing) => void
  }
>()("seamless/cluster/SlotStanding") {}

const noSlots: Standing = { unconfirmed: () => 0, isDrained: () => false }

/** A host that has claimed nothing yet. */
export const layer: Layer.Layer<SlotStanding> = Layer.sync(SlotStanding, () => {
  let standing = noSlots
  return SlotStanding.of({
    now: () => standing,
    tell: (next) => {
      standing = next
    }
  })
})
