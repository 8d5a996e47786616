/** How does a process of a bench become a host of the product, with nothing to do beside? */
import process from "node:process"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Logger } from "effect"
import type { ChunkStore } from "../../actors/sources/ChunkStore.ts"
import { DataSources } from "../../actors/sources/DataSource.ts"
import * as services from "../../bin/layers/services.ts"
import type { Coverage } from "../../protocol/messages/Coverage.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"

/** What the host keeps, where its server is, and what is stored before it says that it is ready. */
interface Given<E> {
  readonly configuration: Configuration
  readonly servers: string
  readonly store: Effect.Effect<void, E, ChunkStore | Coverage>
}

/** Serves until the process that started this one is gone, which is told when all is stored. */
export const launchHost = <E>({ configuration, servers, store }: Given<E>): void => {
  const options = { configuration, configurationHash: "", hostId: "bench", types: [], labels: [] }
  const ready = Layer.effectDiscard(
    Effect.tap(store, () =>
      Effect.sync(() => {
        process.once("disconnect", () => process.exit())
        process.send?.("ready")
      })
    )
  )
  const host = ready.pipe(
    Layer.provide(services.layer(options)),
    Layer.provide(Layer.succeed(DataSources, new Map())),
    Layer.provide(NatsMesh.layer({ servers, name: "bench host" })),
    Layer.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
  )
  NodeRuntime.runMain(Layer.launch(host))
}
