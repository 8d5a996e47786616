/**
 * How does a test get hosts of which only the slots matter?
 *
 * Each is a session, its claims and its status over a connection of its own, in the test's process. What it would do
 * with the actors of a slot is only noted.
 */
import { Effect, Exit, Layer, Random, Scope } from "effect"
import * as HostSession from "../../cluster/HostSession.ts"
import * as hostStatus from "../../cluster/hostStatus.ts"
import { claimSlots } from "../../cluster/SlotClaim.ts"
import type { SlotHandler } from "../../cluster/SlotHandler.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { HostStatus } from "../../runtime/HostStatus.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import type { Tenure } from "../../runtime/Tenure.ts"

/** Where a host connects to, and what it takes. */
interface SlotHostOptions extends Partial<HostSession.HostOptions> {
  /** An address, or a port that stands. */
  readonly servers: string | Layer.Layer<Mesh>
  readonly hostId: string
  /** Decides its incarnation, so that the same slots are its own in each run. */
  readonly seed?: string
}

/** The tenures of a host, and what became of those that ended. */
const makeNotes = (hostId: string) => {
  const tenures = new Map<string, Tenure>()
  const ended = { handedOver: 0, lost: 0 }
  const end = (how: "handedOver" | "lost") => (tenure: Tenure) =>
    Effect.sync(() => {
      ended[how] += 1
      if (tenures.get(tenure.slot) === tenure) tenures.delete(tenure.slot)
    })
  const handler: SlotHandler = {
    onClaimed: (tenure) => Effect.sync(() => void tenures.set(tenure.slot, tenure)),
    // a tenure that is not valid lets its messages wait
    onMessage: (tenure, message) => {
      if (tenure.isValid()) message.respond(Codec.toJson({ hostId, slotEpoch: tenure.slotEpoch }))
    },
    onHandOver: end("handedOver"),
    onLost: end("lost")
  }
  return { tenures, ended, handler }
}

const services = ({ configurationHash = "", servers, ...options }: SlotHostOptions) =>
  hostStatus.layer.pipe(
    Layer.provideMerge(HostSession.layer({ configurationHash, ...options })),
    Layer.provideMerge(Layer.effectDiscard(Effect.flatMap(Mesh, (mesh) => mesh.provision(Stream.every)))),
    Layer.provideMerge(typeof servers === "string" ? NatsMesh.layer({ servers, name: options.hostId }) : servers)
  )

/** A host that serves; stopped with the scope, or before. */
export const start = Effect.fnUntraced(function* (options: SlotHostOptions) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.buildWithScope(Layer.fresh(services(options)), scope).pipe(
    Random.withSeed(options.seed ?? options.hostId),
    Effect.orDie
  )
  const { ended, handler, tenures } = makeNotes(options.hostId)
  return yield* Effect.gen(function* () {
    const session = yield* HostSession.HostSession
    const status = yield* HostStatus
    const claims = yield* claimSlots(handler)
    return {
      hostId: options.hostId,
      incarnation: session.incarnation,
      session,
      status,
      claims,
      tenures,
      ended,
      stop: Scope.close(scope, Exit.void)
    }
  }).pipe(Effect.provide(context), Scope.provide(scope))
})
