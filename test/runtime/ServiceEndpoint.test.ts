/** Does a host that drains take no more, and finish what it took? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { HostStatus } from "../../runtime/HostStatus.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { type Reply, serve, type ServeOptions } from "../../runtime/ServiceEndpoint.ts"

const reply: Reply = { data: new Uint8Array(0), headers: new Map() }

/** A host that answers on `a` when it may, served in a scope of its own. */
const setUp = Effect.fnUntraced(function* (options: ServeOptions = {}) {
  const drains = yield* Deferred.make<void>()
  const mayAnswer = yield* Deferred.make<void>()
  const scope = yield* Scope.make()
  const respond = () => Effect.as(Deferred.await(mayAnswer), reply)
  yield* serve(new Map([["a", respond]]), options).pipe(
    Scope.provide(scope),
    Effect.provideService(HostStatus, {
      state: () => "serving",
      reason: () => "",
      draining: Deferred.await(drains)
    })
  )
  const mesh = yield* Mesh
  return {
    ask: Effect.exit(mesh.request("a", new Uint8Array(0), { timeoutMs: 60_000 })),
    answer: Deferred.succeed(mayAnswer, undefined),
    drain: Deferred.succeed(drains, undefined),
    close: Scope.close(scope, Exit.void)
  }
})

const yieldAll = Effect.repeat(Effect.yieldNow, { times: 20 })

describe("serve", () => {
  it.effect("serve() takes nothing more when the host drains, and answers what it took", () =>
    Effect.gen(function* () {
      const { answer, ask, drain } = yield* setUp()
      const taken = yield* Effect.forkChild(ask)
      yield* yieldAll
      yield* drain
      yield* yieldAll
      assert.isTrue(Exit.isFailure(yield* ask))
      yield* answer
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(taken)))
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("serve() goes on where it is asked to serve while the host drains", () =>
    Effect.gen(function* () {
      const { answer, ask, drain } = yield* setUp({ isServedDraining: true })
      yield* drain
      yield* yieldAll
      yield* answer
      assert.isTrue(Exit.isSuccess(yield* ask))
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("serve() finishes what is under way before its scope has ended", () =>
    Effect.gen(function* () {
      const { answer, ask, close } = yield* setUp()
      const taken = yield* Effect.forkChild(ask)
      yield* yieldAll
      const closed = yield* Effect.forkChild(close)
      yield* yieldAll
      assert.isUndefined(closed.pollUnsafe())
      yield* answer
      yield* Fiber.join(closed)
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(taken)))
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("serve() waits for what is under way no longer than five seconds", () =>
    Effect.gen(function* () {
      const { ask, close } = yield* setUp()
      yield* Effect.forkChild(ask)
      yield* yieldAll
      const closed = yield* Effect.forkChild(close)
      yield* yieldAll
      yield* TestClock.adjust("4900 millis")
      assert.isUndefined(closed.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(closed)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
