/** Is a host taken for dead only when it is? */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as HostSession from "../../cluster/HostSession.ts"
import * as liveHosts from "../../cluster/liveHosts.ts"
import { LiveHosts } from "../../runtime/LiveHosts.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"

const sessionOf = (hostId: string) => HostSession.layer({ hostId, configurationHash: "" })

it.effect("isDead() and goneOf() ask the leader, since a replica may not know of a session yet", () =>
  Effect.gen(function* () {
    const mesh = yield* Effect.provide(Effect.service(Mesh), MemoryMesh.layer)
    const behind = Mesh.of({
      ...mesh,
      readMany: () => Effect.succeed([]),
      // nor is anything announced to it
      subscribe: () => Effect.void
    })
    const context = yield* Layer.build(
      Layer.provide(Layer.provideMerge(liveHosts.layer, sessionOf("a")), Layer.succeed(Mesh, behind))
    )
    const isDead = (incarnation: string) =>
      Effect.gen(function* () {
        const dead = yield* LiveHosts.use((hosts) => hosts.isDead(incarnation))
        const gone = yield* liveHosts.goneOf(yield* HostSession.HostSession)(new Set([incarnation]))
        assert.deepStrictEqual(Array.from(gone), dead ? [incarnation] : [])
        return dead
      }).pipe(Effect.provide(context))
    const other = yield* Effect.scoped(
      Effect.gen(function* () {
        const session = yield* Layer.build(Layer.provide(sessionOf("b"), Layer.succeed(Mesh, mesh)))
        const { incarnation } = yield* Effect.provide(Effect.service(HostSession.HostSession), session)
        yield* TestClock.adjust("10 seconds")
        assert.isFalse(yield* isDead(incarnation))
        return incarnation
      })
    )
    yield* TestClock.adjust("10 seconds")
    assert.isTrue(yield* isDead(other))
  }).pipe(Effect.scoped)
)
