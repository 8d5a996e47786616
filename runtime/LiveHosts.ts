/**
 * Which host is this, and is that other one still alive?
 *
 * What actors may know about where they run: a name to sign leases with, and whether another's name can be taken for
 * dead. Who lives where is the cluster's business.
 */
import { Context, type Effect } from "effect"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"

/** The hosts of the cluster, as far as this one knows. */
export class LiveHosts extends Context.Service<
  LiveHosts,
  {
    /** The incarnation of this host. */
    readonly incarnation: string
    /** Whether the host of that incarnation is certainly gone. */
    readonly isDead: (incarnation: string) => Effect.Effect<boolean, MeshUnavailable>
    /** Whether this host may still write: false when it has lost touch. */
    readonly isValid: Effect.Effect<boolean>
  }
>()("seamless/runtime/LiveHosts") {}
