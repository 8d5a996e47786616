/** One actor system over many hosts: actors live with the owner of their slot. */
import { Effect, Exit, FiberSet, Layer, Option, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { addressText, Envelope } from "../protocol/wire/Envelope.ts"
import { ActorUnavailable, type MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import { enforce, withBudget } from "../runtime/Deadline.ts"
import { Mesh, type Message } from "../runtime/Mesh.ts"
import type { ActorType } from "../runtime/Actor.ts"
import { ActorSystem } from "../runtime/ActorSystem.ts"
import * as Residents from "../runtime/Residents.ts"
import { withRemoteParent } from "../runtime/telemetry/Propagation.ts"
import { HostSession } from "./HostSession.ts"
import { packReply, route } from "./Router.ts"
import { claimSlots } from "./SlotClaim.ts"

const decodeEnvelope = Schema.decodeUnknownOption(Envelope)

/** Where a message came in. */
interface Arrival {
  readonly slot: number
  readonly slotEpoch: number
  readonly message: Message
}

const answerTo = Effect.fnUntraced(function* (residents: Residents.Residents, { message, slot, slotEpoch }: Arrival) {
  const envelope = Option.flatMap(Codec.unpack(message.data), decodeEnvelope)
  if (Option.isNone(envelope)) return yield* Effect.logWarning("message can't be read", { subject: message.subject })
  const run = withRemoteParent(message.headers.get(Header.traceParent))
  const exit = yield* residents
    .deliver({ envelope: envelope.value, slot, slotEpoch, run })
    .pipe(enforce(addressText(envelope.value.to)), withBudget(envelope.value.budgetMs), Effect.exit)
  if (Exit.isSuccess(exit)) return message.respond(packReply(exit.value))
  const error = Exit.findErrorOption(exit)
  const undelivered = Option.getOrElse(
    error,
    () => new ActorUnavailable({ address: addressText(envelope.value.to), reason: "its host stops" })
  )
  message.respond(packReply({ undelivered }))
})

const make = Effect.fnUntraced(function* (types: ReadonlyArray<ActorType>) {
  const mesh = yield* Mesh
  const session = yield* HostSession
  const residents = yield* Residents.make(types, session.incarnation)
  const runFork = yield* FiberSet.makeRuntime()
  yield* claimSlots({
    onMessage: (slot, slotEpoch, message) => {
      // a host whose session lapsed drops what it dequeues: the slot may be someone else's by now
      runFork(
        Effect.flatMap(session.isValid, (valid) =>
          valid ? answerTo(residents, { message, slot, slotEpoch }) : Effect.void
        )
      )
    },
    onLost: residents.stopSlot
  })
  return ActorSystem.of({
    deliver: (to, body) => Effect.provideService(route(to, body), Mesh, mesh)
  })
})

/** The actor system of this host, which may own any actor of the types. */
export const layer = (types: ReadonlyArray<ActorType>): Layer.Layer<ActorSystem, MeshUnavailable, Mesh | HostSession> =>
  Layer.effect(ActorSystem, make(types))
