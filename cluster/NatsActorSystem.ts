/**
 * One actor system over many hosts: actors live with the owner of their slot.
 *
 * Everything between the arrival of a message and its mailbox is plain code, since each message passes there; effects
 * begin with the actor's own fiber.
 */
import { Context, Effect, FiberMap, FiberSet, Layer, Option, Schedule, Schema } from "effect"
import { isOn, type SwitchRecord, turned } from "../protocol/Switches.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import { type Address, Envelope, envelopeFormat, Settled } from "../protocol/wire/Envelope.ts"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import type { ActorType } from "../runtime/Actor.ts"
import { ActorSystem, equipped } from "../runtime/ActorSystem.ts"
import * as DeadLetters from "../runtime/DeadLetters.ts"
import { makeTimers, type Timers } from "../runtime/DurableTimer.ts"
import { HostStatus } from "../runtime/HostStatus.ts"
import * as Invariants from "../runtime/Invariants.ts"
import { makeLingering } from "../runtime/makeLingering.ts"
import { Mesh, type Message } from "../runtime/Mesh.ts"
import { makeOutbox } from "../runtime/Outbox.ts"
import * as Pause from "../runtime/Pause.ts"
import type { ResidentLimits } from "../runtime/ResidentLives.ts"
import * as Residents from "../runtime/Residents.ts"
import { makeSender, type Notice, type Sender } from "../runtime/Sender.ts"
import type { Tenure } from "../runtime/Tenure.ts"
import { Switches } from "../runtime/Switches.ts"
import { endingOf } from "../runtime/Work.ts"
import { HostSession } from "./HostSession.ts"
import { LocalActors } from "./LocalActors.ts"
import * as liveHosts from "./liveHosts.ts"
import { packReply } from "./ReplyCodec.ts"
import * as Router from "./Router.ts"
import { claimSlots, type SlotClaims } from "./SlotClaim.ts"
import type { SlotStanding } from "./SlotStanding.ts"

/** How long a slot's actors have to finish what is in their mailboxes when it is handed over. */
const finishWithinMs = 150
/** How long one actor has to finish when it is released. */
const releaseWithinMs = 1000

/** How long the host has, when it ends, to send on what its actors could not do, and to tell of it. */
const forwardWithin = "1 second"

/** A slot that was just claimed has better things to do than to read its timers. */
const readAfter = "300 millis"
/** A replica that is further behind than this is a fault of its own. */
const readAgainAfter = "5 seconds"

/** What a host's actor system is made of. */
export interface SystemOptions {
  /** The actors that this host may own. */
  readonly types: ReadonlyArray<ActorType>
  readonly limits?: Partial<ResidentLimits>
}

const isEnvelope = Schema.is(Envelope)
const isSettled = Schema.is(Settled)

const packNotice = (notice: Notice): Uint8Array => Codec.pack({ format: envelopeFormat, ...notice })

/** Sends by a router; how what was told has ended comes in on a subject of the sender's own. */
export const listeningSender = Effect.fnUntraced(function* (
  router: Router.Router,
  options: { readonly id: string; readonly deadOf: (hosts: ReadonlySet<string>) => Effect.Effect<ReadonlySet<string>> }
) {
  const mesh = yield* Mesh
  const sender = yield* makeSender({ ...options, transmit: router.transmit })
  yield* mesh.subscribe(ActorSubject.settled(options.id), ({ data }) => {
    const notice = Option.getOrUndefined(Codec.unpack(data))
    if (isSettled(notice)) sender.settled(notice)
  })
  return sender
})

/** What a message that came in on a slot's subject becomes. */
const arrivalOf = (tenure: Tenure, message: Message, unreadMs: number): Residents.Arrival | undefined => {
  const envelope = Option.getOrUndefined(Codec.unpack(message.data))
  if (!isEnvelope(envelope)) return undefined
  return {
    envelope,
    tenure,
    traceParent: message.headers.get(Header.traceParent) ?? "",
    unreadMs,
    respond: (reply) => message.respond(packReply(reply))
  }
}

interface Parts {
  readonly mesh: Mesh["Service"]
  readonly router: Router.Router
}

/** What residents need: how senders are told, how messages are sent on, how dead letters are kept. */
const portsOf = (
  { mesh, router }: Parts,
  session: HostSession["Service"],
  run: (effect: Effect.Effect<void>) => void
) => {
  const notify = (sender: string, notice: Notice): void =>
    run(Effect.ignore(mesh.publish(ActorSubject.settled(sender), packNotice(notice))))
  return {
    owner: session.incarnation,
    settled: notify,
    forward: (envelope: Envelope, label: string) =>
      run(
        Effect.match(router.transmit(envelope, { label, traceParent: "" }), {
          onFailure: (error): Notice => ({ id: envelope.id, how: endingOf(error) }),
          onSuccess: (reply): Notice => {
            if ("accepted" in reply) return { id: envelope.id, how: "moved", accepted: reply.accepted }
            return { id: envelope.id, how: "undelivered" in reply ? endingOf(reply.undelivered) : "handled" }
          }
        }).pipe(Effect.map((notice) => notify(envelope.settle ?? "", notice)))
      ),
    bury: (
      work: Parameters<typeof DeadLetters.bury>[1],
      failing: { reason: string; trace: string; epoch: number; label: string }
    ) => DeadLetters.bury(mesh, work, { ...failing, hostId: session.hostId })
  }
}

/** Who wakes the actors of the slots of this host. */
export const makeWakers = Effect.fnUntraced(function* (
  timers: Timers["Service"],
  residents: Pick<Residents.Residents, "wake">
) {
  const readings = yield* FiberMap.make<string, void>()

  const adopt = Effect.fnUntraced(function* (tenure: Tenure) {
    const wake = (address: Address): void => residents.wake(address, tenure)
    const read = Effect.suspend(() => (tenure.hasEnded() ? Effect.void : timers.adopt(tenure.slot, wake)))
    const untilRead = Effect.ignore(Effect.retry(read, Schedule.spaced("1 second")))
    // whoever has waited for the slot comes first
    yield* Effect.andThen(Effect.sleep(readAfter), untilRead)
    // a replica may have been behind the last owner's notes
    yield* Effect.andThen(Effect.sleep(readAgainAfter), untilRead)
  })
  return {
    /** Reads the slot's timers, beside its first messages. */
    begin: (tenure: Tenure): Effect.Effect<void> => Effect.asVoid(FiberMap.run(readings, tenure.slot, adopt(tenure))),
    /** Wakes nobody of the slot any more, while its actors stop and after that. */
    endAround: (slot: string, stop: Effect.Effect<void>): Effect.Effect<void> =>
      FiberMap.remove(readings, slot).pipe(
        Effect.andThen(timers.drop(slot)),
        Effect.andThen(stop),
        // what they have noted while they finished is the next owner's
        Effect.andThen(timers.drop(slot))
      )
  }
})

const localActors = (
  residents: Residents.Residents,
  claims: SlotClaims,
  {
    session,
    status,
    tally,
    violations,
    switches
  }: {
    readonly session: HostSession["Service"]
    readonly status: HostStatus["Service"]
    readonly tally: Sender["tally"]
    readonly violations: Invariants.Violations
    readonly switches: () => SwitchRecord
  }
) =>
  LocalActors.of({
    report: () => {
      const { counts, ...figures } = residents.figures()
      const violated = violations.counts()
      const record = switches()
      const names = turned(record)
      return {
        state: status.state(),
        ...figures,
        counts: { ...counts, ...claims.counts() },
        tally: tally(),
        ...(Object.keys(violated).length === 0 ? {} : { violations: violated }),
        ...(names.length === 0 ? {} : { switches: Object.fromEntries(names.map((name) => [name, isOn(record, name)])) })
      }
    },
    actors: () => residents.report().map((actor) => ({ ...actor, hostId: session.hostId })),
    drain: claims.drain,
    release: (address) => residents.release(address, releaseWithinMs)
  })

const make = Effect.fnUntraced(function* ({ limits = {}, types }: SystemOptions) {
  const mesh = yield* Mesh
  const session = yield* HostSession
  const status = yield* HostStatus
  const router = yield* Router.make
  const sender = yield* listeningSender(router, { id: session.incarnation, deadOf: liveHosts.goneOf(session) })
  const timers = yield* makeTimers
  const outbox = yield* makeOutbox(sender.post)
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  // before the residents and the claims: so it outlives the drain, in which most is sent on
  const send = yield* makeLingering(forwardWithin)
  const residents = yield* Residents.make({
    types: equipped(types, { mesh, timers, outbox }),
    ports: portsOf({ mesh, router }, session, send),
    limits
  })
  const pauses = yield* Pause.watch(mesh.caughtUp)
  const wakers = yield* makeWakers(timers, residents)
  const claims = yield* claimSlots({
    // beside the first messages: a slot must not wait for its timers
    onClaimed: wakers.begin,
    onMessage: (tenure, message, waitedMs) => {
      const arrival = arrivalOf(tenure, message, waitedMs + pauses.unreadMs())
      if (arrival === undefined) run(Effect.logWarning("message can't be read", { subject: message.subject }))
      else residents.receive(arrival)
    },
    onHandOver: ({ slot }) => wakers.endAround(slot, residents.handOver(slot, finishWithinMs)),
    onLost: ({ slot }) => wakers.endAround(slot, residents.drop(slot)),
    residents: () => residents.figures().residents
  })
  const told = {
    session,
    status,
    tally: sender.tally,
    violations: yield* Invariants.Invariants,
    switches: yield* Switches
  }
  return Context.make(
    ActorSystem,
    ActorSystem.of({ deliver: sender.deliver, tell: sender.tell, tally: sender.tally })
  ).pipe(Context.add(LocalActors, localActors(residents, claims, told)))
})

/** The actor system of this host, which may own any actor of the types. */
export const layer = (
  options: SystemOptions
): Layer.Layer<ActorSystem | LocalActors, MeshUnavailable, Mesh | HostSession | HostStatus | SlotStanding> =>
  Layer.effectContext(make(options))
