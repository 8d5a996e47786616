/** What do actors on this host learn of the others? */
import { Effect, Layer } from "effect"
import { LiveHosts } from "../runtime/LiveHosts.ts"
import { HostSession } from "./HostSession.ts"

/** The cluster's knowledge of its hosts, as actors may have it. */
export const layer: Layer.Layer<LiveHosts, never, HostSession> = Layer.effect(
  LiveHosts,
  Effect.map(HostSession, (session) =>
    LiveHosts.of({
      incarnation: session.incarnation,
      isValid: session.isValid,
      isDead: Effect.fnUntraced(function* (incarnation: string) {
        if (incarnation === session.incarnation || !(yield* session.mayBury)) return false
        // a replica may not have a session yet that its leader acknowledged
        return !(yield* session.isLive(incarnation))
      })
    })
  )
)
