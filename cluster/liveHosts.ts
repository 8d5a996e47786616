/** What do actors on this host learn of the others? */
import { Effect, Layer } from "effect"
import { LiveHosts } from "../runtime/LiveHosts.ts"
import { HostSession } from "./HostSession.ts"

/** Whether a host is certainly gone. */
const isGone = Effect.fnUntraced(function* (session: HostSession["Service"], incarnation: string) {
  if (incarnation === session.incarnation || !(yield* session.mayBury)) return false
  // a replica may not have a session yet that its leader acknowledged
  return !(yield* session.isLive(incarnation))
})

/** Of these hosts, those that are certainly gone; none where that can't be told. */
export const goneOf = (session: HostSession["Service"]) => (hosts: ReadonlySet<string>) =>
  Effect.filter(hosts, (host) => isGone(session, host)).pipe(
    Effect.map((gone): ReadonlySet<string> => new Set(gone)),
    Effect.orElseSucceed(() => new Set<string>())
  )

/** The cluster's knowledge of its hosts, as actors may have it. */
export const layer: Layer.Layer<LiveHosts, never, HostSession> = Layer.effect(
  LiveHosts,
  Effect.map(HostSession, (session) =>
    LiveHosts.of({
      incarnation: session.incarnation,
      isValid: session.isValid,
      isDead: (incarnation) => isGone(session, incarnation)
    })
  )
)
