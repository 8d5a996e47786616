/** How fast does a host of the product answer? One with the bench's series in its storage, and nothing to do beside. */
import process from "node:process"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Logger } from "effect"
import { DataSources } from "../../actors/sources/DataSource.ts"
import * as services from "../../bin/layers/services.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import { configurationOf, store } from "./story.ts"

const [servers = "", cacheBytes = ""] = process.argv.slice(2)

const options = {
  configuration: configurationOf(Number(cacheBytes)),
  configurationHash: "",
  hostId: "bench",
  types: [],
  labels: []
}

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
