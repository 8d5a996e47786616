/** Does a host tell of what did not hold that must always hold? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import * as HostSession from "../../cluster/HostSession.ts"
import * as hostStatus from "../../cluster/hostStatus.ts"
import { LocalActors } from "../../cluster/LocalActors.ts"
import * as NatsActorSystem from "../../cluster/NatsActorSystem.ts"
import * as Invariants from "../../runtime/Invariants.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"

const options = { hostId: "a", configurationHash: "", labels: [] }

const host = NatsActorSystem.layer({ types: [] }).pipe(
  Layer.provide(Layer.provideMerge(hostStatus.layer, HostSession.layer(options))),
  Layer.provide(MemoryMesh.layer)
)

describe("report()", () => {
  it.live("report() of a host for which all held says nothing of it, and of another how often what did not", () =>
    Effect.gen(function* () {
      const violations = Invariants.make()
      yield* Effect.gen(function* () {
        const { report } = yield* LocalActors
        assert.notProperty(report(), "violations")
        const violated = Invariants.check("storageKept", false, () => ({}))
        yield* Effect.andThen(violated, violated)
        assert.deepStrictEqual(report().violations, { storageKept: 2 })
      }).pipe(Effect.provide(host), Effect.provideService(Invariants.Invariants, violations))
      // what it held it has given away at its end
      assert.deepStrictEqual(violations.counts(), { storageKept: 2 })
    }).pipe(Effect.provide(Logger.layer([])))
  )
})
