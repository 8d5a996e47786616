/** How is this host, and is it on its way out? */
import { Effect, Layer } from "effect"
import type { HostState } from "../protocol/wire/HostReport.ts"
import { HostStatus } from "../runtime/HostStatus.ts"
import { HostSession } from "./HostSession.ts"
import * as SlotStanding from "./SlotStanding.ts"

/** How the host is, and why it is not serving: empty where it is. */
type Verdict = readonly [state: HostState, reason: string]

/** What the verdict rests on. */
interface Signs {
  readonly isValid: boolean
  readonly silentMs: number
  readonly unconfirmed: number
  readonly isDraining: boolean
  readonly isDrained: boolean
}

/** How the host is. Pure. */
export const judge = ({ isDrained, isDraining, isValid, silentMs, unconfirmed }: Signs): Verdict => {
  if (!isValid) return ["suspended", `no renewal answered for ${(silentMs / 1000).toFixed(1)} s`]
  if (isDrained) return ["drained", "its slots were given to the other hosts"]
  if (isDraining) return ["draining", "it gives its slots to the other hosts"]
  if (unconfirmed > 0) return ["suspended", `slots not confirmed yet: ${unconfirmed}`]
  return ["serving", ""]
}

const statusLayer = Layer.effect(
  HostStatus,
  Effect.gen(function* () {
    const session = yield* HostSession
    const slots = yield* SlotStanding.SlotStanding
    const verdict = (): Verdict => {
      const { isDrained, unconfirmed } = slots.now()
      return judge({
        isValid: session.isValidNow(),
        silentMs: session.silentMs(),
        unconfirmed: unconfirmed(),
        isDraining: session.record().draining === true,
        isDrained: isDrained()
      })
    }
    return HostStatus.of({ state: () => verdict()[0], reason: () => verdict()[1], draining: session.draining })
  })
)

/** The status of this host, and where whoever claims its slots says how it stands with them. */
export const layer: Layer.Layer<HostStatus | SlotStanding.SlotStanding, never, HostSession> = Layer.provideMerge(
  statusLayer,
  SlotStanding.layer
)
