/** How fast is asking an entity of Effect Cluster, from a process that is no runner itself? */
import { NodeClusterSocket, NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { MachineId, MessageStorage, Runner, RunnerAddress, RunnerStorage } from "effect/cluster"
import { clientIsReady, startedWith } from "../child.ts"
import { effectLane } from "../takeSample.ts"
import { Counter } from "./counter.ts"

const address = RunnerAddress.make("127.0.0.1", Number(startedWith().rest[0]))

/** The cluster as this client knows it: one runner, which it was told of. It registers nothing and holds no shard. */
const oneRunner = Layer.succeed(RunnerStorage.RunnerStorage)({
  getRunners: Effect.succeed([[Runner.make({ address, groups: ["default"], weight: 1 }), true]]),
  register: () => Effect.succeed(MachineId.make(1)),
  unregister: () => Effect.void,
  setRunnerHealth: () => Effect.void,
  acquire: () => Effect.succeed([]),
  refresh: () => Effect.succeed([]),
  release: () => Effect.void,
  releaseAll: () => Effect.void
})

const cluster = NodeClusterSocket.layer({ storage: "byo", clientOnly: true }).pipe(
  Layer.provide([oneRunner, MessageStorage.layerNoop])
)

const program = Effect.gen(function* () {
  const clientOf = yield* Counter.client
  const known = new Map<string, ReturnType<typeof clientOf>>()
  const entity = (key: string) => {
    const client = known.get(key) ?? clientOf(key)
    known.set(key, client)
    return client
  }
  const lane = yield* effectLane((key, question) => entity(key).Count(question))
  yield* Effect.promise(() => clientIsReady(lane))
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.provide(program, cluster))
