/** What has this host to tell of its own actors and slots, and what can be done to them from outside? */
import { Context, type Effect } from "effect"
import type { ActorReport } from "../protocol/wire/ActorReport.ts"
import type { Address } from "../protocol/wire/Envelope.ts"
import type { HostReport } from "../protocol/wire/HostReport.ts"
import type { DrainFigures } from "./Drain.ts"

/** The part of a host's report that only the host knows. */
export type OwnReport = Pick<
  HostReport,
  "state" | "residents" | "residentBytes" | "mailboxMessages" | "counts" | "tally" | "violations" | "switches"
>

/** The actors and slots of this host. */
export class LocalActors extends Context.Service<
  LocalActors,
  {
    readonly report: () => OwnReport
    /** Every actor that lives here, or has given up here. */
    readonly actors: () => ReadonlyArray<ActorReport>
    /** Gives all slots to the other hosts and takes no more. */
    readonly drain: Effect.Effect<DrainFigures>
    /** Stops an actor that lives here, or has given up here, and says whether it did; its next message starts it. */
    readonly release: (address: Address) => Effect.Effect<boolean>
  }
>()("seamless/cluster/LocalActors") {}
