/** Is the port over a simulated server like the one over a real one, near and far? */
import { Effect, Layer } from "effect"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as SimulatedMesh from "../../../runtime/simulated/SimulatedMesh.ts"
import * as SimulatedServer from "../../../runtime/simulated/SimulatedServer.ts"
import { meshRecordsSuite } from "../../suites/meshRecordsSuite.ts"
import { seededNumbers } from "../../support/seededOrder.ts"
import { idleClock } from "./idleClock.ts"
import * as SwitchedLink from "./SwitchedLink.ts"

const claimAt = (name: string, distance: SwitchedLink.Distance): void => {
  const clock = idleClock()
  const random = seededNumbers(2)
  const server = SimulatedServer.make({
    nowMs: () => clock.currentTimeMillisUnsafe(),
    schedule: SwitchedLink.alarmsOf(clock),
    expiryLagMs: () => random() * 250,
    pick: (count) => Math.floor(random() * count)
  })
  const linkOf = (client: string) => SwitchedLink.make({ ...distance, clock, onLost: () => server.disconnect(client) })
  const link = linkOf("claims")
  let others = 0
  meshRecordsSuite({
    name,
    clock,
    implementation: Layer.effect(
      Mesh,
      Effect.sync(() => Mesh.of(SimulatedMesh.make(server, link, "claims")))
    ),
    verbs: {
      lose: Effect.sync(link.lose),
      back: Effect.sync(link.back),
      restart: Effect.sync(link.lose).pipe(Effect.andThen(Effect.sleep(500)), Effect.andThen(Effect.sync(link.back))),
      other: Effect.acquireRelease(
        Effect.sync(() => {
          const client = `other ${++others}`
          return { client, mesh: SimulatedMesh.make(server, linkOf(client), client) }
        }),
        ({ client }) => Effect.sync(() => server.forget(client))
      ).pipe(Effect.map(({ mesh }) => mesh))
    }
  })
}

claimAt("simulated, near", { delayMsMax: 0, lagMsMax: 0 })
claimAt("simulated, far", { delayMsMax: 20, lagMsMax: 50 })
