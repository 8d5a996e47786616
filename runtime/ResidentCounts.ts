/** What has a host's residents done so far? */
import { Cause, Option } from "effect"
import type { Ending } from "../protocol/wire/Envelope.ts"
import type { HostCounts } from "../protocol/wire/HostReport.ts"

type Counted = "activations" | "passivations" | "handled" | "rejected" | "expired" | "deadLettered" | "fenced"

/** Counts, and what is held now. */
export interface ResidentFigures {
  readonly counts: Pick<HostCounts, Counted>
  readonly residents: number
  readonly residentBytes: number
  readonly mailboxMessages: number
}

/** The counts of one process's residents. */
export interface ResidentCounts {
  readonly ended: (how: Ending) => void
  readonly activated: () => void
  readonly passivated: () => void
  /** An activation was stopped by something other than its host. */
  readonly stopped: (cause: Cause.Cause<{ readonly _tag: string }>) => void
  readonly counts: () => ResidentFigures["counts"]
}

/** Counts from now on. */
export const make = (): ResidentCounts => {
  const counts: Record<Counted, number> = {
    activations: 0,
    passivations: 0,
    handled: 0,
    rejected: 0,
    expired: 0,
    deadLettered: 0,
    fenced: 0
  }
  return {
    ended: (how) => void (counts[how] += 1),
    activated: () => void (counts.activations += 1),
    passivated: () => void (counts.passivations += 1),
    stopped: (cause) => {
      if (Option.exists(Cause.findErrorOption(cause), ({ _tag }) => _tag === "Fenced")) counts.fenced += 1
    },
    counts: () => ({ ...counts })
  }
}
