/**
 * How fast is an entity of Effect Cluster, asked over the cluster's own sockets?
 *
 * Shards and runners are kept in memory here: they are not on the way of a message.
 */
import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { NodeClusterSocket, NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Option, Ref, References } from "effect"
import { MessageStorage, RunnerAddress, RunnerStorage } from "effect/cluster"
import { hostIsReady } from "../child.ts"
import { Counter } from "./counter.ts"

/** The runner's address is its name in the cluster too, so it has to be known before it listens. */
const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

const counters = Counter.toLayer(
  Effect.gen(function* () {
    const count = yield* Ref.make(0)
    return Counter.of({
      Count: ({ payload }) =>
        Effect.map(
          Ref.updateAndGet(count, (before) => before + 1),
          (count) => ({ count, bytes: payload.text.length })
        )
    })
  })
)

const cluster = (port: number) =>
  NodeClusterSocket.layer({
    storage: "byo",
    shardingConfig: { runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", port)) }
  }).pipe(Layer.provide([RunnerStorage.layerMemory, MessageStorage.layerNoop]))

const port = await freePort()

const ready = Layer.effectDiscard(Effect.sync(() => hostIsReady(String(port))))

// where it listens is no news here
const quiet = Layer.succeed(References.MinimumLogLevel, "Warn")

NodeRuntime.runMain(
  Layer.launch(ready.pipe(Layer.provide(counters), Layer.provide(cluster(port)), Layer.provide(quiet)))
)
