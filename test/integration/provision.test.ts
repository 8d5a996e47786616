/** Do streams get as many replicas as asked for, and is that tried until the servers have a leader, or told clearly? */
import { jetstreamManager } from "@nats-io/jetstream"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import { startConnection } from "../support/ClusterHarness.ts"
import * as NatsCluster from "../support/NatsCluster.ts"
import * as NatsServer from "../support/NatsServer.ts"

const provision = (servers: string, replicas?: number) =>
  Effect.flatMap(Mesh, (mesh) => mesh.provision(Stream.every)).pipe(
    Effect.provide(NatsMesh.layer({ servers, name: "provision", ...(replicas === undefined ? {} : { replicas }) }), {
      local: true
    })
  )

/** By stream, how many replicas it has. */
const replicasOf = (servers: string) =>
  Effect.gen(function* () {
    const nc = yield* startConnection(servers)
    const manager = yield* Effect.promise(() => jetstreamManager(nc))
    return yield* Effect.promise(() =>
      Promise.all(Stream.every.map(async ({ name }) => (await manager.streams.info(name)).config.num_replicas))
    )
  }).pipe(Effect.scoped)

const all = (replicas: number) => Stream.every.map(() => replicas)

describe("provision()", () => {
  it.live("provision() gives each stream its replicas, raises those that have fewer, and lowers none", () =>
    Effect.gen(function* () {
      const { url } = yield* NatsCluster.start()
      yield* provision(url)
      assert.deepStrictEqual(yield* replicasOf(url), all(1))
      yield* provision(url, 3)
      assert.deepStrictEqual(yield* replicasOf(url), all(3))
      yield* provision(url)
      assert.deepStrictEqual(yield* replicasOf(url), all(3))
    })
  )

  it.live("provision() waits until the servers have a leader", () =>
    Effect.gen(function* () {
      const { servers, url } = yield* NatsCluster.start()
      yield* servers[0]!.kill
      yield* servers[1]!.kill
      const provisioning = yield* Effect.forkScoped(provision(url, 3))
      yield* Effect.all([servers[0]!.start, servers[1]!.start], { concurrency: 2 })
      yield* Fiber.join(provisioning)
      assert.deepStrictEqual(yield* replicasOf(url), all(3))
    })
  )

  it.live("provision() says in the end that there are too few servers, or no leader", () =>
    Effect.gen(function* () {
      const [whole, broken] = yield* Effect.all([NatsCluster.start(), NatsCluster.start()], { concurrency: 2 })
      yield* broken.servers[0]!.kill
      yield* broken.servers[1]!.kill
      const [tooFew, noLeader] = yield* Effect.all(
        [Effect.flip(provision(whole.url, 5)), Effect.flip(provision(broken.url, 3))],
        { concurrency: 2 }
      )
      assert.strictEqual(tooFew._tag, "MeshUnavailable")
      assert.match(tooFew.message, /set up stream .*too few servers for 5 replicas/)
      assert.match(noLeader.message, /set up stream .*no leader/)
    })
  )

  it.live("provision() says at once that a server that is alone keeps no replicas", () =>
    Effect.gen(function* () {
      const { url } = yield* NatsServer.start()
      const refused = yield* Effect.timeout(Effect.flip(provision(url, 3)), "5 seconds")
      assert.match(refused.message, /replicas > 1 not supported in non-clustered mode/)
    })
  )
})
