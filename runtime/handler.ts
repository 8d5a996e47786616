/**
 * How are declared messages handled?
 *
 * By effects: one by one, or those of a name together that came one after the other. What a message declares as failure
 * is an answer; what stops the activation stops it.
 */
import { Effect, Option, Result as Outcome, Schema } from "effect"
import type { ActorMessage } from "../protocol/wire/ActorMessage.ts"
import { type Address, addressText } from "../protocol/wire/Envelope.ts"
import { Fenced, MalformedMessage, MeshUnavailable } from "../protocol/wire/Errors.ts"
import type { Answer, Behavior, Incoming, Result, Stopped } from "./Actor.ts"
import { withBudget } from "./Deadline.ts"
import * as Invariants from "./Invariants.ts"
import { withRemoteParent } from "./telemetry/Propagation.ts"

/** How messages of one name are handled, with their forms hidden. */
interface MessageHandler {
  readonly name: string
  /** Whether those that came one after the other are handled as one. */
  readonly isTogether: boolean
  /** Gives what became of each. */
  readonly handle: (payloads: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Result>, Stopped>
}

const isStopped = (failure: unknown): failure is Stopped =>
  failure instanceof Fenced || failure instanceof MeshUnavailable || failure instanceof MalformedMessage

/** What became of a message: what it declares as success, or as failure. */
type Ended<Success, Failure> = Outcome.Result<Success, Failure>

/**
 * Handles declared messages that came one after the other as one; gives what became of each, in their order. Their
 * failures go to the askers, what stops the activation does not.
 */
export const onAll = <Payload, Success, Failure>(
  message: ActorMessage<Payload, Success, Failure>,
  handleAll: (payloads: ReadonlyArray<Payload>) => Effect.Effect<ReadonlyArray<Ended<Success, Failure>>, Stopped>
): MessageHandler => {
  const decode = Schema.decodeUnknownResult(message.payload)
  const encodeSuccess = Schema.encodeUnknownEffect(message.success)
  const encodeFailure = Schema.encodeUnknownOption(message.failure)
  const answerOf: (ended: Ended<Success, Failure>) => Effect.Effect<Answer> = Outcome.match({
    onSuccess: (success) => Effect.map(Effect.orDie(encodeSuccess(success)), (body) => ({ body })),
    onFailure: (failure) =>
      Option.match(encodeFailure(failure), {
        onNone: () => Effect.die(failure),
        onSome: (error) => Effect.succeed({ error })
      })
  })
  const malformed = (error: { readonly message: string }): Result => ({
    undelivered: new MalformedMessage({
      what: `message ${message.actor}.${message.name}`,
      problem: error.message
    })
  })
  return {
    name: message.name,
    isTogether: true,
    handle: Effect.fnUntraced(function* (encoded: ReadonlyArray<unknown>) {
      const read = encoded.map((each) => decode(each))
      const ended = yield* handleAll(read.flatMap((each) => (Outcome.isSuccess(each) ? [each.success] : [])))
      const answers = yield* Effect.forEach(ended, answerOf)
      let next = 0
      // what can't be read says nothing about the actor: it goes on
      return read.map((each): Result => (Outcome.isSuccess(each) ? answers[next++]! : malformed(each.failure)))
    })
  }
}

/** Handles a declared message; its failures go to the asker, what stops the activation does not. */
export const on = <Payload, Success, Failure>(
  message: ActorMessage<Payload, Success, Failure>,
  handle: (payload: Payload) => Effect.Effect<Success, Failure | Stopped>
): MessageHandler => ({
  ...onAll(message, (payloads) =>
    Effect.forEach(payloads, (payload) =>
      handle(payload).pipe(
        Effect.map((success): Ended<Success, Failure> => Outcome.succeed(success)),
        // a failure that the message declares is an answer; any other stops the activation
        Effect.catch((failure) => (isStopped(failure) ? Effect.fail(failure) : Effect.succeed(Outcome.fail(failure))))
      )
    )
  ),
  isTogether: false
})

/** Messages that are handled as one. */
const togetherMax = 64

/** A behaviour of effects, without an epoch of its own: these messages, one by one or, of some, as they came. */
export const handler = (address: Address, messages: ReadonlyArray<MessageHandler>): Behavior => {
  const byName = new Map(messages.map((message) => [message.name, message]))
  const unknown = (message: string): Result => ({
    undelivered: new MalformedMessage({ what: `message to ${address.type}`, problem: `${message} is not known` })
  })
  type Named = Pick<Incoming, "message">
  const isTakenWith = (first: Named, next: Named): boolean =>
    first.message === next.message && byName.get(first.message)?.isTogether === true
  const handleLot = Effect.fnUntraced(function* (lot: ReadonlyArray<Incoming>) {
    const [first] = lot
    const known = first && byName.get(first.message)
    if (first === undefined || known === undefined) return lot.map(({ message }) => unknown(message))
    yield* Effect.forEach(lot, ({ budgetMs, id, message }) =>
      Invariants.check("startedInTime", budgetMs > 0, () => ({ actor: addressText(address), message, id, budgetMs }))
    )
    return yield* known.handle(lot.map(({ payload }) => payload)).pipe(
      // whoever waits longest is still there to hear of it
      withBudget(Math.max(...lot.map(({ budgetMs }) => budgetMs))),
      withRemoteParent(first.traceParent)
    )
  })
  const handle = (batch: ReadonlyArray<Incoming>) => {
    const lots: Array<Array<Incoming>> = []
    for (const incoming of batch) {
      const lot = lots.at(-1)
      if (lot?.[0] !== undefined && isTakenWith(lot[0], incoming)) lot.push(incoming)
      else lots.push([incoming])
    }
    return Effect.map(Effect.forEach(lots, handleLot), (results) => results.flat())
  }
  return { epoch: 0, batchMax: togetherMax, isTakenWith, handle }
}
