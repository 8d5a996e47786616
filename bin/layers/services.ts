/**
 * What makes a host of a way to NATS and of sources?
 *
 * Here, and only here, actors and the cluster meet: the product's actors are given to the cluster's actor system, and
 * the clients that actors use are answered by it. What reaches NATS, and where rows come from, is given from outside,
 * so that a simulated host is the same host.
 */
import { Effect, Layer } from "effect"
import * as HistoryAdmin from "../../actors/admin/HistoryAdmin.ts"
import * as BackfillActor from "../../actors/backfill/BackfillActor.ts"
import * as Verifier from "../../actors/backfill/Verifier.ts"
import * as BackfillCoordinator from "../../actors/backfill/BackfillCoordinator.ts"
import * as pagedBackfiller from "../../actors/backfill/pagedBackfiller.ts"
import * as derivedBackfiller from "../../actors/backfill/derivedBackfiller.ts"
import * as JobFollower from "../../actors/backfill/JobFollower.ts"
import { accountActor } from "../../actors/budget/AccountActor.ts"
import { accountsOf } from "../../actors/budget/AccountTerms.ts"
import * as UpstreamClient from "../../actors/budget/UpstreamClient.ts"
import * as BackfillBook from "../../actors/backfills/BackfillBook.ts"
import { namedBackfillActor } from "../../actors/backfills/NamedBackfillActor.ts"
import { coverageActor } from "../../actors/coverage/CoverageActor.ts"
import * as CoverageCache from "../../actors/coverage/CoverageCache.ts"
import { derivedActorType } from "../../actors/derived/DerivedActor.ts"
import * as SeamlessDataProvider from "../../actors/provider/SeamlessDataProvider.ts"
import * as WireService from "../../actors/provider/WireService.ts"
import * as ChunkStore from "../../actors/sources/ChunkStore.ts"
import * as PastRoots from "../../actors/sources/PastRoots.ts"
import * as SeriesCatalog from "../../actors/sources/SeriesCatalog.ts"
import { sweeperActor } from "../../actors/sweeper/SweeperActor.ts"
import * as Sweeping from "../../actors/sweeper/Sweeping.ts"
import * as ClusterAdmin from "../../cluster/ClusterAdmin.ts"
import * as HostSession from "../../cluster/HostSession.ts"
import * as hostStatus from "../../cluster/hostStatus.ts"
import * as liveHosts from "../../cluster/liveHosts.ts"
import { agreed } from "../../cluster/Member.ts"
import * as NatsActorSystem from "../../cluster/NatsActorSystem.ts"
import { type Configuration, defaults } from "../../protocol/Settings.ts"
import { type ActorType, provided } from "../../runtime/Actor.ts"
import * as Switches from "../../runtime/Switches.ts"
import * as ServiceDiscovery from "../../runtime/ServiceDiscovery.ts"
import * as ServiceFigures from "../../runtime/ServiceFigures.ts"
import * as PromisedActors from "./PromisedActors.ts"
import * as PromisedCoverage from "./PromisedCoverage.ts"

/** What a host is, whatever it stands on. */
export interface ServiceOptions {
  readonly configuration: Configuration
  readonly configurationHash: string
  readonly hostId: string
  /** Actors that others wrote, beside the product's own. */
  readonly types: ReadonlyArray<ActorType>
  /** Whose actors the host takes, beside those that have no label. */
  readonly labels: ReadonlyArray<string>
}

/** How long what stood before is kept, and how often it is looked what is not. */
const retentionOf = ({ retention }: Configuration) => ({
  rootsMs: retention?.rootsMs ?? defaults.rootsMs,
  everyMs: retention?.sweepEveryMs ?? defaults.sweepEveryMs
})

const actorSystem = ({ configuration, types }: ServiceOptions) =>
  Layer.unwrap(
    Effect.map(
      Effect.all([
        provided(coverageActor),
        provided(sweeperActor(retentionOf(configuration))),
        Effect.provide(provided(namedBackfillActor), PromisedCoverage.coverage),
        Effect.provide(provided(derivedActorType), Layer.merge(PromisedCoverage.coverage, PromisedActors.actorSystem))
      ]),
      (own) => NatsActorSystem.layer({ types: [...own, accountActor(accountsOf(configuration)), ...types] })
    )
  )

/** A host, given a way to NATS and the sources: it serves from when the layer is built until it is released. */
export const layer = (options: ServiceOptions) => {
  const { configuration, configurationHash, hostId, labels } = options
  const {
    cacheBytes = defaults.cacheBytes,
    maxBars: barsMax = defaults.maxBars,
    maxStreamBars: streamBarsMax = defaults.maxStreamBars
  } = configuration.limits ?? {}
  const host = Layer.mergeAll(liveHosts.layer, hostStatus.layer).pipe(
    Layer.provideMerge(HostSession.layer({ hostId, configurationHash, labels }))
  )
  const stores = Layer.mergeAll(SeriesCatalog.layer(configuration), ChunkStore.layer(cacheBytes))
  const backfillers = derivedBackfiller.layer(configuration).pipe(Layer.provide(pagedBackfiller.layer))
  const services = Layer.mergeAll(
    WireService.layer({ hostId, requestsPerCaller: configuration.limits?.requestsPerCaller }),
    ServiceDiscovery.layer({ hostId }),
    BackfillActor.layer.pipe(Layer.provide(backfillers)),
    ClusterAdmin.layer,
    HistoryAdmin.layer.pipe(
      Layer.provide(Layer.mergeAll(BackfillBook.layer, Verifier.layer.pipe(Layer.provide(backfillers))))
    ),
    PromisedCoverage.kept,
    PromisedActors.kept
  )
  return services.pipe(
    Layer.provide(ServiceFigures.layer),
    Layer.provide(SeamlessDataProvider.layer({ barsMax, streamBarsMax, requests: configuration.requests ?? {} })),
    Layer.provideMerge(
      Layer.mergeAll(CoverageCache.layer, JobFollower.layer, BackfillCoordinator.layer(configuration.retry))
    ),
    Layer.provideMerge(Layer.mergeAll(UpstreamClient.layer(configuration), Sweeping.layer)),
    Layer.provideMerge(actorSystem(options)),
    Layer.provideMerge(Layer.merge(PromisedCoverage.layer, PromisedActors.layer)),
    Layer.provideMerge(PastRoots.layer(retentionOf(configuration).rootsMs)),
    Layer.provideMerge(stores),
    Layer.provideMerge(Switches.layer),
    Layer.provideMerge(host),
    Layer.provideMerge(agreed)
  )
}
