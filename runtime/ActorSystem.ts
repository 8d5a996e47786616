/**
 * How is an actor asked, wherever it lives?
 *
 * The asker names an address and a message and has a deadline; which host has the actor, and whether it lives yet, is
 * the system's business. `layerLocal` is a whole system in one process; the cluster gives one over many hosts.
 */
import { Context, Effect, Layer, Schema, type Scope } from "effect"
import type { ActorMessage, MessageBody } from "../protocol/wire/ActorMessage.ts"
import type { Address } from "../protocol/wire/Envelope.ts"
import { envelopeFormat } from "../protocol/wire/Envelope.ts"
import type { ActorUnavailable, DeadlineExceeded, MailboxFull } from "../protocol/wire/Errors.ts"
import type { ActorType, Answer } from "./Actor.ts"
import { enforce, remainingMs } from "./Deadline.ts"
import { randomId } from "./randomId.ts"
import * as Residents from "./Residents.ts"

/** Why no actor answered. */
export type AskFailure = MailboxFull | ActorUnavailable | DeadlineExceeded

/** Delivers messages to actors. */
export class ActorSystem extends Context.Service<
  ActorSystem,
  {
    /** Sends the body and gives the answer in wire form; waits no longer than the current deadline. */
    readonly deliver: (to: Address, body: MessageBody) => Effect.Effect<Answer, AskFailure>
  }
>()("seamless/runtime/ActorSystem") {}

/** An ask without a deadline would wait for ever for an actor that never answers. */
export const askBudgetMsMax = 60_000

/** Asks the actor of that key and waits for its answer, no longer than the current deadline. */
export const ask = <Payload, Success, Failure>(message: ActorMessage<Payload, Success, Failure>) => {
  const encode = Schema.encodeUnknownEffect(message.payload)
  const decodeSuccess = Schema.decodeUnknownEffect(message.success)
  const decodeFailure = Schema.decodeUnknownEffect(message.failure)
  return Effect.fnUntraced(function* (key: string, payload: Payload) {
    const system = yield* ActorSystem
    const encoded = yield* Effect.orDie(encode(payload))
    const answer = yield* system.deliver({ type: message.actor, key }, { message: message.name, payload: encoded })
    if ("error" in answer) return yield* Effect.fail(yield* Effect.orDie(decodeFailure(answer.error)))
    return yield* Effect.orDie(decodeSuccess(answer.body))
  })
}

/** An envelope for a message, with what is left of the asker's time. */
export const envelop = Effect.fnUntraced(function* (to: Address, body: MessageBody, cause: string) {
  const budgetMs = Math.min(yield* remainingMs, askBudgetMsMax)
  return { format: envelopeFormat, to, id: yield* randomId, cause, budgetMs, body } as const
})

const makeLocal = (types: ReadonlyArray<ActorType>): Effect.Effect<ActorSystem["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const residents = yield* Residents.make(types, "local")
    return ActorSystem.of({
      deliver: Effect.fnUntraced(function* (to: Address, body: MessageBody) {
        const envelope = yield* envelop(to, body, "")
        return yield* enforce(`${to.type}/${to.key}`)(
          residents.deliver({ envelope, slot: 0, slotEpoch: 1, run: (self) => self })
        )
      })
    })
  })

/** A system of one process, without placement. */
export const layerLocal = (types: ReadonlyArray<ActorType>): Layer.Layer<ActorSystem> =>
  Layer.effect(ActorSystem, makeLocal(types))
