/**
 * What must the port to NATS hold, whatever is behind it?
 *
 * The same claims pass on a real server, on the simulated one and in the memory of one process, or what is tried without
 * a server says nothing of what happens with one.
 */
import { layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { claimAnnouncements } from "./meshSuiteAnnouncements.ts"
import { claimConnection } from "./meshSuiteConnection.ts"
import { claimHistory } from "./meshSuiteHistory.ts"
import { claimMessages } from "./meshSuiteMessages.ts"
import { claimNames } from "./meshSuiteNames.ts"
import { claimQueue } from "./meshSuiteQueue.ts"
import { claimRecords } from "./meshSuiteRecords.ts"
import type { Claim, MeshVerbs } from "./meshSuiteTools.ts"

/** A port, whose streams need not be there yet. */
export interface MeshClaims<E> {
  readonly name: string
  readonly implementation: Layer.Layer<Mesh, E>
  /** What can be done to its connection; without it nothing is. */
  readonly verbs?: MeshVerbs
  /** The clock that it runs by, and its claims with it; the real one without it. */
  readonly clock?: Clock.Clock
}

/** Declares the claims about a port, which is made once for all of them. */
export const meshRecordsSuite = <E>({ clock, implementation, name, verbs }: MeshClaims<E>): void => {
  const provisioned = Layer.provideMerge(
    Layer.effectDiscard(Effect.flatMap(Mesh, (mesh) => mesh.provision(Stream.every))),
    implementation
  )
  const timed = clock === undefined ? provisioned : Layer.provideMerge(provisioned, Layer.succeed(Clock.Clock, clock))
  const suite = layer(timed, { excludeTestServices: true, timeout: "60 seconds" })
  suite(`Mesh (${name})`, (it) => {
    const claim: Claim = (title, run) => it.effect(title, () => Effect.orDie(Effect.scoped(run())))
    claimRecords(claim)
    claimHistory(claim)
    claimNames(claim)
    claimMessages(claim)
    claimAnnouncements(claim)
    claimQueue(claim)
    if (verbs !== undefined) claimConnection(claim, verbs)
  })
}
