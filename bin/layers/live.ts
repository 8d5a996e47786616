/**
 * Which layers make a host?
 *
 * Here, and only here, actors and the cluster meet: the coverage actors are given to the cluster's actor system, and
 * the clients that actors use are answered by it.
 */
import { Effect, Layer, Logger } from "effect"
import * as BackfillActor from "../../actors/backfill/BackfillActor.ts"
import * as BackfillCoordinator from "../../actors/backfill/BackfillCoordinator.ts"
import * as JobFollower from "../../actors/backfill/JobFollower.ts"
import { coverageActor } from "../../actors/coverage/CoverageActor.ts"
import * as CoverageCache from "../../actors/coverage/CoverageCache.ts"
import * as SeamlessDataProvider from "../../actors/provider/SeamlessDataProvider.ts"
import * as WireService from "../../actors/provider/WireService.ts"
import * as ChunkStore from "../../actors/sources/ChunkStore.ts"
import * as configuredSources from "../../actors/sources/configuredSources.ts"
import * as SeriesCatalog from "../../actors/sources/SeriesCatalog.ts"
import * as ClusterAdmin from "../../cluster/ClusterAdmin.ts"
import * as HostSession from "../../cluster/HostSession.ts"
import * as hostStatus from "../../cluster/hostStatus.ts"
import * as liveHosts from "../../cluster/liveHosts.ts"
import { agreed } from "../../cluster/Member.ts"
import * as NatsActorSystem from "../../cluster/NatsActorSystem.ts"
import { type Configuration, defaults } from "../../protocol/Settings.ts"
import { type ActorType, provided } from "../../runtime/Actor.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import * as Otlp from "../../runtime/telemetry/Otlp.ts"

/** What a host is made of. */
export interface HostOptions {
  readonly configuration: Configuration
  readonly configurationHash: string
  readonly servers: string
  readonly hostId: string
  /** Actors that others wrote, beside the product's own. */
  readonly types: ReadonlyArray<ActorType>
  /** Whose actors the host takes, beside those that have no label. */
  readonly labels: ReadonlyArray<string>
}

const actorSystem = (types: ReadonlyArray<ActorType>) =>
  Layer.unwrap(
    Effect.map(provided(coverageActor), (coverage) => NatsActorSystem.layer({ types: [coverage, ...types] }))
  )

const telemetry = ({ configuration, hostId }: HostOptions) => {
  const otlpUrl = configuration.telemetry?.otlpUrl
  return otlpUrl === undefined ? Layer.empty : Otlp.layer({ serviceName: "seamless", hostId, otlpUrl })
}

// standard output is for what was asked for: the ready line, and nothing else
const logs = Logger.layer([Logger.withConsoleError(Logger.formatJson)])

/** A whole host: it serves from when the layer is built until it is released. */
export const layer = (options: HostOptions) => {
  const { configuration, configurationHash, hostId, labels, servers, types } = options
  const { cacheBytes = defaults.cacheBytes, maxBars: barsMax = defaults.maxBars } = configuration.limits ?? {}
  const ground = agreed.pipe(Layer.provideMerge(NatsMesh.layer({ servers, name: `seamless ${hostId}` })))
  const host = Layer.mergeAll(liveHosts.layer, hostStatus.layer).pipe(
    Layer.provideMerge(HostSession.layer({ hostId, configurationHash, labels }))
  )
  const stores = Layer.mergeAll(
    SeriesCatalog.layer(configuration),
    configuredSources.layer(configuration.sources),
    ChunkStore.layer(cacheBytes)
  )
  const services = Layer.mergeAll(WireService.layer({ hostId }), BackfillActor.layer, ClusterAdmin.layer)
  return services.pipe(
    Layer.provide(SeamlessDataProvider.layer({ barsMax })),
    Layer.provideMerge(Layer.mergeAll(CoverageCache.layer, JobFollower.layer, BackfillCoordinator.layer)),
    Layer.provideMerge(actorSystem(types)),
    Layer.provideMerge(stores),
    Layer.provideMerge(host),
    Layer.provideMerge(ground),
    Layer.provideMerge(telemetry(options)),
    Layer.provideMerge(logs)
  )
}
