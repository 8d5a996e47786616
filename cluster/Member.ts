/**
 * How does a program of one's own become a member of a cluster, or a caller of its actors?
 *
 * A member has a session, owns slots, and runs the actors of its types; it takes only actors that carry one of its
 * labels, which are those of its types unless it names others. A caller owns nothing.
 */
import { Effect, Layer } from "effect"
import type { ClusterDisagreement, InvalidLabel, MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import type { ActorType } from "../runtime/Actor.ts"
import { ActorSystem } from "../runtime/ActorSystem.ts"
import { clockMs } from "../runtime/Deadline.ts"
import { Mesh } from "../runtime/Mesh.ts"
import * as NatsMesh from "../runtime/nats/NatsMesh.ts"
import type { HostStatus } from "../runtime/HostStatus.ts"
import { patiently } from "../runtime/patiently.ts"
import { randomId } from "../runtime/randomId.ts"
import type { ResidentLimits } from "../runtime/ResidentLives.ts"
import * as ClusterAdmin from "./ClusterAdmin.ts"
import * as HostSession from "./HostSession.ts"
import * as hostStatus from "./hostStatus.ts"
import type { LocalActors } from "./LocalActors.ts"
import { agreeOnManifest } from "./manifestAgreement.ts"
import * as NatsActorSystem from "./NatsActorSystem.ts"
import * as Router from "./Router.ts"

/** What a member is made of. */
export interface MemberOptions {
  /** Addresses of NATS servers, separated by commas. */
  readonly servers: string
  /** A label for people. */
  readonly hostId: string
  readonly types: ReadonlyArray<ActorType>
  /** The labels of the actors that it takes; those of its types where they are absent. */
  readonly labels?: ReadonlyArray<string>
  readonly limits?: Partial<ResidentLimits>
  /** Of the configuration that all members have; none where it is absent. */
  readonly configurationHash?: string
  /** On how many servers each stream is kept that this member is the first to need; 1 where it is absent. */
  readonly replicas?: number
}

/** Streams first, then the agreement that they are this build's: nothing else starts before. */
export const agreed: Layer.Layer<never, MeshUnavailable | ClusterDisagreement, Mesh> = Layer.effectDiscard(
  Effect.gen(function* () {
    yield* (yield* Mesh).provision(Stream.every)
    yield* patiently(agreeOnManifest)
  })
)

const labelsOf = (types: ReadonlyArray<ActorType>): ReadonlyArray<string> =>
  Array.from(new Set(types.map(({ label = "" }) => label)))

/** A member of the cluster at the servers, from when the layer is built until it is released. */
export const layer = ({
  configurationHash = "",
  hostId,
  labels,
  limits = {},
  replicas = 1,
  servers,
  types
}: MemberOptions): Layer.Layer<
  ActorSystem | LocalActors | HostStatus | HostSession.HostSession | Mesh,
  MeshUnavailable | ClusterDisagreement | InvalidLabel
> => {
  const taken = labels ?? labelsOf(types)
  const session = HostSession.layer({
    hostId,
    configurationHash,
    labels: taken.filter((label) => label !== ""),
    unlabelled: taken.includes("")
  })
  return ClusterAdmin.layer.pipe(
    Layer.provideMerge(NatsActorSystem.layer({ types, limits })),
    Layer.provideMerge(hostStatus.layer),
    Layer.provideMerge(session),
    Layer.provideMerge(agreed),
    Layer.provideMerge(NatsMesh.layer({ servers, name: `seamless ${hostId}`, replicas }))
  )
}

/** A host that is absent for so long is taken for dead: twice the time that its session stands without renewal. */
const absentMsMax = 6000

/** Of these hosts, those that have had no session for long enough. */
const makeDeadOf = Effect.gen(function* () {
  const mesh = yield* Mesh
  const now = yield* clockMs
  let absentSince = new Map<string, number>()
  return Effect.fnUntraced(
    function* (hosts: ReadonlySet<string>) {
      const live = new Set((yield* HostSession.listLive(mesh)).map(({ incarnation }) => incarnation))
      const nowMs = now()
      const absent = Array.from(hosts).filter((host) => !live.has(host))
      absentSince = new Map(absent.map((host) => [host, absentSince.get(host) ?? nowMs]))
      return new Set(absent.filter((host) => nowMs - absentSince.get(host)! >= absentMsMax))
    },
    Effect.orElseSucceed(() => new Set<string>())
  )
})

const makeCaller = Effect.gen(function* () {
  const router = yield* Router.make
  const sender = yield* NatsActorSystem.listeningSender(router, { id: yield* randomId, deadOf: yield* makeDeadOf })
  return ActorSystem.of({ deliver: sender.deliver, tell: sender.tell, tally: sender.tally })
})

/** A caller of a cluster's actors, by any way to NATS. */
export const caller: Layer.Layer<ActorSystem, MeshUnavailable, Mesh> = Layer.effect(ActorSystem, makeCaller)

/** A caller of the actors of the cluster at the servers: it asks and tells, and owns nothing. */
export const callerLayer = (options: {
  readonly servers: string
  readonly name?: string
}): Layer.Layer<ActorSystem | Mesh, MeshUnavailable> =>
  Layer.provideMerge(caller, NatsMesh.layer({ servers: options.servers, name: options.name ?? "seamless caller" }))
