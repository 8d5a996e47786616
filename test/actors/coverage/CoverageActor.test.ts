/** Is a coverage actor woken as long as there are jobs, and no longer? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { coverageActor } from "../../../actors/coverage/CoverageActor.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { makeTimers, Timers } from "../../../runtime/DurableTimer.ts"
import { LiveHosts } from "../../../runtime/LiveHosts.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { wakeMessage } from "../../../runtime/Resident.ts"

const address = { type: "coverage", key: Subject.series("a", "1m") }

const configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "BTC/BUSD" }]
} as const

const hosts = Layer.succeed(LiveHosts, {
  incarnation: "me",
  isDead: () => Effect.succeed(false),
  isValid: Effect.succeed(true)
})

const stores = Layer.mergeAll(SeriesCatalog.layer(configuration), ChunkStore.layer(1024), hosts).pipe(
  Layer.provideMerge(MemoryMesh.layer)
)

const noteOf = (slot: string) =>
  Effect.flatMap(Mesh, (mesh) =>
    mesh.read(Stream.timers.name, keySubject(Stream.timers, `${slot}.${ActorSubject.actorKey(address)}`))
  ).pipe(Effect.map((stored) => Option.isSome(Option.flatMap(stored, ({ value }) => value))))

describe("coverageActor", () => {
  it.effect("a note of the last owner, whose jobs have ended meanwhile, wakes the actor once and never again", () =>
    Effect.gen(function* () {
      const timers = yield* makeTimers
      const before = yield* makeTimers
      yield* before.expect({ slot: "3", slotEpoch: 1, address }, 1000)
      const activation = { address, owner: "me", slot: "3", slotEpoch: 2 }
      const behavior = yield* coverageActor.activate(activation).pipe(Effect.provideService(Timers, timers))
      assert.isTrue(yield* noteOf("3"))

      let woken = 0
      yield* timers.adopt("3", () => void (woken += 1))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(woken, 1)
      const wake = { id: "w", message: wakeMessage, payload: null, cause: "", traceParent: "", ageMs: 0 }
      yield* behavior.handle([{ ...wake, deadlineMs: 60_000, budgetMs: 60_000 }])
      assert.isFalse(yield* noteOf("3"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(woken, 1)
    }).pipe(Effect.provide(stores))
  )
})
