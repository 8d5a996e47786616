/** How is this host, and is it on its way out? */
import { Context, type Effect } from "effect"
import type { HostState } from "../protocol/wire/HostReport.ts"

/** What the parts of a host may know of it as a whole. */
export class HostStatus extends Context.Service<
  HostStatus,
  {
    readonly state: () => HostState
    /** Why it is not serving; empty where it is. */
    readonly reason: () => string
    /** Waits until the host begins to drain: who takes work for it takes no more from then on. */
    readonly draining: Effect.Effect<void>
  }
>()("seamless/runtime/HostStatus") {}
