/** Does a host that drains take no more, finish what it took, and keep one caller out of the others' way? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { unpackPlain } from "../../protocol/wire/unpackPlain.ts"
import * as CallSubject from "../../protocol/wire/CallSubject.ts"
import { Header } from "../../protocol/wire/Header.ts"
import { HostStatus } from "../../runtime/HostStatus.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh, type Message } from "../../runtime/Mesh.ts"
import { type Reply, serve, type ServeOptions } from "../../runtime/ServiceEndpoint.ts"
import * as ServiceFigures from "../../runtime/ServiceFigures.ts"

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
    askAs: (caller: string, accept = "application/json") =>
      mesh.request("a", new Uint8Array(0), {
        headers: new Map([
          [Header.caller, caller],
          [Header.accept, accept]
        ]),
        timeoutMs: 60_000
      }),
    askNamed: (call: string) =>
      Effect.exit(mesh.request("a", new Uint8Array(0), { timeoutMs: 60_000, headers: new Map([[Header.call, call]]) })),
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
      const { askAs, close } = yield* setUp()
      const left = yield* Effect.forkChild(askAs("alice"))
      yield* yieldAll
      const closed = yield* Effect.forkChild(close)
      yield* yieldAll
      yield* TestClock.adjust("4900 millis")
      assert.isUndefined(closed.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(closed)
      // who is left behind need not wait for the end of its time to ask another host
      assert.strictEqual((yield* Fiber.join(left)).headers.get(Header.error), "ActorUnavailable")
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("serve() refuses a caller that has as many requests under way as it may, and nobody else", () =>
    Effect.gen(function* () {
      const { answer, askAs } = yield* setUp({ requestsPerCaller: 2 })
      const first = yield* Effect.forkChild(askAs("alice"))
      const second = yield* Effect.forkChild(askAs(" alice "))
      yield* yieldAll
      const refused = yield* askAs("alice")
      assert.strictEqual(refused.headers.get(Header.error), "TooManyRequests")
      assert.strictEqual(refused.headers.get(Header.errorCode), "429")
      const { error } = JSON.parse(new TextDecoder().decode(refused.data))
      assert.deepInclude(error, { caller: "alice", requestsMax: 2, retryAfterMs: 100 })
      const packed = yield* askAs("alice", "application/msgpack")
      assert.deepStrictEqual(unpackPlain(packed.data), Option.some({ error }))
      const other = yield* Effect.forkChild(askAs("bob"))
      yield* yieldAll
      yield* answer
      for (const fiber of [first, second, other]) {
        assert.isFalse((yield* Fiber.join(fiber)).headers.has(Header.error))
      }
      assert.isFalse((yield* askAs("alice")).headers.has(Header.error))
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("serve() counts what it answered and what it refused, by subject", () =>
    Effect.gen(function* () {
      const { answer, askAs } = yield* setUp({ requestsPerCaller: 1 })
      const first = yield* Effect.forkChild(askAs("alice"))
      yield* yieldAll
      yield* TestClock.adjust("20 millis")
      yield* askAs("alice")
      yield* answer
      yield* Fiber.join(first)
      const { of } = yield* ServiceFigures.ServiceFigures
      const figures = { requests: 2, errors: 1, lastError: "429:TooManyRequests", processingNanos: 20_000_000 }
      assert.deepStrictEqual(of("a"), figures)
      assert.strictEqual(of("b").requests, 0)
    }).pipe(Effect.scoped, Effect.provide([MemoryMesh.layer, ServiceFigures.layer]))
  )

  it.effect("serve() ends a request without a word when its caller calls it off, and no other", () =>
    Effect.gen(function* () {
      const { answer, askNamed, close } = yield* setUp()
      const mesh = yield* Mesh
      const [off, other, unnamed] = yield* Effect.forEach(["one.*", "two", ""], (call) =>
        Effect.forkChild(askNamed(call))
      )
      yield* yieldAll
      yield* mesh.publish(CallSubject.cancel("one.*"), new Uint8Array(0))
      yield* yieldAll
      yield* answer
      for (const fiber of [other!, unnamed!]) assert.isTrue(Exit.isSuccess(yield* Fiber.join(fiber)))
      // the host has nothing to finish
      yield* close
      assert.isUndefined(off!.pollUnsafe())
      yield* Fiber.interrupt(off!)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect(
    "serve() does nothing for a question whose answer would go to a subject of the servers' or the protocol's",
    () =>
      Effect.gen(function* () {
        const mesh = yield* Mesh
        let ask: (message: Message) => void = () => undefined
        const heard: Array<string> = []
        const listening: typeof mesh.subscribe = (subject, handler) =>
          Effect.sync(() => {
            if (subject === "a") ask = handler
          })
        const respond = ({ replyTo }: Message) => Effect.sync(() => (heard.push(replyTo), reply))
        yield* serve(new Map([["a", respond]])).pipe(
          Effect.provideService(HostStatus, { state: () => "serving", reason: () => "", draining: Effect.never }),
          Effect.provideService(Mesh, { ...mesh, subscribe: listening })
        )
        const answered = ["_INBOX.a.1", "_R_.b", "mine.seamless.v1", "seamlessly.1", ""]
        const passedOver = [
          "$KV.seamless-coverage.a",
          "$JS.ACK.x",
          "$SYS.y",
          "seamless.v1.slot.3",
          "seamless.v9.x",
          "$"
        ]
        for (const replyTo of [...passedOver, ...answered]) {
          ask({ subject: "a", data: new Uint8Array(0), headers: new Map(), replyTo, respond: () => undefined })
        }
        yield* yieldAll
        assert.deepStrictEqual(heard, answered)
      }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("serve() ends a request that named itself as a wildcard when that name is called off, and no other", () =>
    Effect.gen(function* () {
      const { answer, askNamed } = yield* setUp()
      const mesh = yield* Mesh
      const [all, other] = yield* Effect.forEach(["*", "two"], (call) => Effect.forkChild(askNamed(call)))
      yield* yieldAll
      yield* mesh.publish(CallSubject.cancel("*"), new Uint8Array(0))
      yield* yieldAll
      yield* answer
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(other!)))
      assert.isUndefined(all!.pollUnsafe())
      yield* Fiber.interrupt(all!)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
