/**
 * How is an actor asked, wherever it lives?
 *
 * The asker names an address and a message and has a deadline; which host has the actor, and whether it lives yet, is
 * the system's business. `layerLocal` is a whole system in one process; the cluster gives one over many hosts.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { ActorMessage, MessageBody } from "../protocol/wire/ActorMessage.ts"
import { addressText, type Undelivered } from "../protocol/wire/Envelope.ts"
import { MalformedMessage } from "../protocol/wire/Errors.ts"
import type { Tally } from "../protocol/wire/HostReport.ts"
import type { ActorType, Answer } from "./Actor.ts"
import * as DeadLetters from "./DeadLetters.ts"
import { enforce, withBudget } from "./Deadline.ts"
import { makeTimers, Timers } from "./DurableTimer.ts"
import { Mesh } from "./Mesh.ts"
import { makeOutbox, Outbox } from "./Outbox.ts"
import { randomId } from "./randomId.ts"
import * as Residents from "./Residents.ts"
import { type DeliverOptions, makeSender, type Recipient, type Sender } from "./Sender.ts"
import { unshared } from "./Tenure.ts"
import type { Reply } from "./Work.ts"

/** Delivers messages to actors; each wait is no longer than the current deadline, and no longer than a minute. */
export class ActorSystem extends Context.Service<
  ActorSystem,
  {
    /** Sends the body and gives the answer in wire form. */
    readonly deliver: (to: Recipient, body: MessageBody, options?: DeliverOptions) => Effect.Effect<Answer, Undelivered>
    /** Sends the body, and ends when a host has it in the actor's mailbox. */
    readonly tell: (to: Recipient, body: MessageBody, options?: DeliverOptions) => Effect.Effect<void, Undelivered>
    /** What became of all that was sent from here. */
    readonly tally: () => Tally
  }
>()("seamless/runtime/ActorSystem") {}

/** A host of another build may answer what this one does not know: that is told to who asked, and kills nobody. */
const unreadable =
  (what: string) =>
  ({ message: problem }: Schema.SchemaError) =>
    new MalformedMessage({ what, problem })

/**
 * Asks the actor of that key and waits for its answer, no longer than the current deadline. An answer that this build
 * can't read is `MalformedMessage`: whatever was asked for may have been done.
 */
export const ask = <Payload, Success, Failure>(message: ActorMessage<Payload, Success, Failure>) => {
  const encode = Schema.encodeUnknownEffect(message.payload)
  const decodeSuccess = Schema.decodeUnknownEffect(message.success)
  const decodeFailure = Schema.decodeUnknownEffect(message.failure)
  const label = message.label ?? ""
  return Effect.fnUntraced(function* (key: string, payload: Payload) {
    const system = yield* ActorSystem
    const encoded = yield* Effect.orDie(encode(payload))
    const to = { to: { type: message.actor, key }, label }
    const answer = yield* system.deliver(to, { message: message.name, payload: encoded })
    const what = `the answer of ${message.actor} to ${message.name}`
    if ("error" in answer) {
      return yield* Effect.fail(yield* Effect.mapError(decodeFailure(answer.error), unreadable(what)))
    }
    return yield* Effect.mapError(decodeSuccess(answer.body), unreadable(what))
  })
}

/** The types with what every activation is given. */
export const equipped = (
  types: ReadonlyArray<ActorType>,
  given: { readonly mesh: Mesh["Service"]; readonly timers: Timers["Service"]; readonly outbox: Outbox["Service"] }
): ReadonlyArray<ActorType<never>> =>
  types.map((type) => ({
    ...type,
    activate: (activation) =>
      type
        .activate(activation)
        .pipe(
          Effect.provideService(Mesh, given.mesh),
          Effect.provideService(Timers, given.timers),
          Effect.provideService(Outbox, given.outbox)
        )
  }))

const makeLocal = Effect.fnUntraced(function* (types: ReadonlyArray<ActorType>) {
  const mesh = yield* Mesh
  const owner = yield* randomId
  const sender: Sender = yield* makeSender({
    id: owner,
    transmit: (envelope, { traceParent }) =>
      Effect.callback<Reply>((resume) =>
        residents.receive({
          envelope,
          tenure: unshared,
          traceParent,
          unreadMs: 0,
          respond: (reply) => resume(Effect.succeed(reply))
        })
      ).pipe(enforce(addressText(envelope.to)), withBudget(envelope.budgetMs))
  })
  const timers = yield* makeTimers
  const outbox = yield* makeOutbox(sender.post)
  const residents: Residents.Residents = yield* Residents.make({
    types: equipped(types, { mesh, timers, outbox }),
    ports: {
      owner,
      settled: (_, ended) => sender.settled(ended),
      forward: ({ id }) => sender.settled({ id, how: "rejected" }),
      bury: (work, failure) => DeadLetters.bury(mesh, work, { ...failure, hostId: "local" })
    }
  })
  yield* Effect.orDie(timers.adopt(unshared.slot, (address) => residents.wake(address, unshared)))
  return ActorSystem.of({ deliver: sender.deliver, tell: sender.tell, tally: sender.tally })
})

/** A system of one process, without placement. */
export const layerLocal = (types: ReadonlyArray<ActorType>): Layer.Layer<ActorSystem, never, Mesh> =>
  Layer.effect(ActorSystem, makeLocal(types))
