/** Does a session stand as long as its host is in touch, and say who may run beside whom? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Scope } from "effect"
import * as HostSession from "../../cluster/HostSession.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import { Mesh, type MeshShape } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import { sessionOf } from "../cluster/slots.ts"
import * as NatsServer from "../support/NatsServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"

/** A host that only has a session. */
const startSession = Effect.fnUntraced(function* (
  servers: string,
  options: Partial<HostSession.HostOptions> & { readonly hostId: string }
) {
  const layer = HostSession.layer({ configurationHash: "", ...options }).pipe(
    Layer.provide(NatsMesh.layer({ servers, name: options.hostId }))
  )
  const context = yield* Layer.buildWithScope(Layer.fresh(layer), yield* Effect.scope)
  return yield* Effect.provide(HostSession.HostSession, context)
})

const withServer = <A, E>(
  test: (server: NatsServer.NatsServer, mesh: MeshShape) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* NatsServer.start()
    const onlooker = Effect.gen(function* () {
      const mesh = yield* Mesh
      yield* mesh.provision([Stream.sessions])
      yield* test(server, mesh)
    })
    yield* Effect.provide(onlooker, NatsMesh.layer({ servers: server.url, name: "onlooker" }))
  }).pipe(Effect.orDie)

const writeSession = (mesh: MeshShape, record: ReturnType<typeof sessionOf>) =>
  mesh.write(keySubject(Stream.sessions, record.incarnation), Codec.toJson(record))

describe("HostSession", () => {
  it.live("HostSession refuses to start beside another configuration, where both have one", () =>
    withServer(({ url }) =>
      Effect.gen(function* () {
        yield* startSession(url, { hostId: "a", configurationHash: "one" })
        yield* startSession(url, { hostId: "b", configurationHash: "one" })
        yield* startSession(url, { hostId: "c" })
        const refused = yield* Effect.flip(startSession(url, { hostId: "d", configurationHash: "two" }))
        assert.strictEqual(refused._tag, "ClusterDisagreement")
        assert.match(refused.message, /^this host's configuration is two, but the cluster runs with one \(host [ab]\)/)
      })
    )
  )

  it.live("HostSession starts beside the versions before and after its own, and beside no others", () =>
    withServer(({ url }, mesh) =>
      Effect.gen(function* () {
        yield* writeSession(mesh, sessionOf("before", { protocolVersion: 1 }))
        yield* writeSession(mesh, sessionOf("after", { protocolVersion: 3 }))
        const session = yield* startSession(url, { hostId: "a" })
        const live = (yield* session.live).map(({ incarnation }) => incarnation)
        assert.deepStrictEqual(new Set(live), new Set([session.incarnation, "before", "after"]))
        yield* writeSession(mesh, sessionOf("ancient", { protocolVersion: 0 }))
        const refused = yield* Effect.flip(startSession(url, { hostId: "b" }))
        assert.match(
          refused.message,
          /^this host's protocol version is 2, but the cluster runs with 0 \(host ancient\)/
        )
      })
    )
  )

  it.live("HostSession stands on a connection with a second of latency, and is gone when its host leaves", () =>
    withServer((server, mesh) =>
      Effect.gen(function* () {
        const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: server.port })
        const scope = yield* Scope.fork(yield* Effect.scope)
        const session = yield* Scope.provide(startSession(proxy.url, { hostId: "slow" }), scope)
        yield* proxy.delay(450)
        let isAlwaysValid = true
        const watch = Effect.sync(() => {
          isAlwaysValid &&= session.isValidNow()
          return session.silentMs() > 1500
        })
        // as old as a session gets with that latency; five such ages are more than one time to live
        for (let times = 0; times < 5; times++) {
          yield* untilTrue("a renewal is due", watch)
          yield* untilTrue(
            "it is answered",
            Effect.sync(() => session.silentMs() < 1200)
          )
        }
        assert.isTrue(isAlwaysValid)
        assert.strictEqual(session.stretch(), 1)
        yield* proxy.delay(0)
        yield* Scope.close(scope, Exit.void)
        const found = yield* mesh.readMany(Stream.sessions.name, [Stream.sessions.subjects])
        assert.deepStrictEqual(
          found.map(({ value }) => value._tag),
          ["None"]
        )
      })
    )
  )

  it.live("HostSession survives acknowledgements that are lost, and knows when it lapsed", () =>
    withServer((server, mesh) =>
      Effect.gen(function* () {
        const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: server.port })
        const session = yield* startSession(proxy.url, { hostId: "deaf" })
        const restored: Array<number> = []
        yield* session.onRestored(() => restored.push(session.stretch()))
        // the server takes the renewal; its answer is lost with the connection
        yield* proxy.cutOneWay("toClient")
        yield* untilTrue(
          "a renewal is not answered",
          Effect.sync(() => session.silentMs() > 1500)
        )
        yield* proxy.restore("reset")
        yield* untilTrue(
          "it is renewed again",
          Effect.sync(() => session.silentMs() < 900)
        )
        assert.deepStrictEqual([session.stretch(), restored.length], [1, 0])

        yield* proxy.cut
        yield* untilTrue(
          "it lapses",
          Effect.map(session.isValid, (isValid) => !isValid)
        )
        const stored = mesh.read(Stream.sessions.name, keySubject(Stream.sessions, session.incarnation))
        yield* untilTrue(
          "the server has ended it",
          Effect.map(
            stored,
            Option.exists(({ value }) => Option.isNone(value))
          )
        )
        yield* proxy.restore("reset")
        yield* untilTrue("it is valid again", session.isValid)
        assert.deepStrictEqual(restored, [2])
        assert.isFalse(yield* session.mayBury)
        assert.isFalse(yield* session.mayMove)
        yield* untilTrue("it may bury again", session.mayBury)
      })
    )
  )

  it.live("HostSession tells the others that it drains, and keeps on telling", () =>
    withServer(({ url }) =>
      Effect.gen(function* () {
        const session = yield* startSession(url, { hostId: "a", labels: ["tick"], unlabelled: false })
        const other = yield* startSession(url, { hostId: "b" })
        const seen = Effect.map(other.live, (live) => live.find(({ hostId }) => hostId === "a"))
        assert.deepStrictEqual(yield* seen, session.record())
        yield* session.setDraining
        yield* session.draining
        assert.strictEqual((yield* seen)?.draining, true)
        yield* untilTrue(
          "it is renewed",
          Effect.sync(() => session.silentMs() > 900)
        )
        yield* untilTrue(
          "it is renewed",
          Effect.sync(() => session.silentMs() < 100)
        )
        assert.deepStrictEqual(yield* seen, { ...session.record(), draining: true })
      })
    )
  )
})
