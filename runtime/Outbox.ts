/**
 * How does what actors send in passing get out?
 *
 * In the background, and to each receiver in the order in which it was sent. It is bounded: what does not fit is told
 * as a failure, never kept in silence.
 */
import { Context, Effect } from "effect"
import type { MessageBody } from "../protocol/wire/ActorMessage.ts"
import { type Address, addressText } from "../protocol/wire/Envelope.ts"
import { makeLingering } from "./makeLingering.ts"

/** Messages that wait to be sent from this process. */
const messagesMax = 10_000
/** Of these, to one receiver: one that can't be reached must leave room for the others. */
const messagesToOneMax = 1000
/** How long what still waits is sent when the process ends. */
const flushWithin = "1 second"

/** A message to an actor, from one. */
export interface Posted {
  readonly to: Address
  readonly label: string
  readonly body: MessageBody
  readonly cause: string
}

/** What actors send without waiting. */
export class Outbox extends Context.Service<
  Outbox,
  {
    /** Sends it as soon as what was sent before to the same actor has been taken; false where there is no room. */
    readonly post: (posted: Posted) => boolean
  }
>()("seamless/runtime/Outbox") {}

/** An outbox that sends by `send`, for as long as the scope lives. */
export const makeOutbox = Effect.fnUntraced(function* (send: (posted: Posted) => Effect.Effect<void>) {
  const run = yield* makeLingering(flushWithin)
  const waiting = new Map<string, Array<Posted>>()
  let count = 0

  const sendAll = Effect.fnUntraced(function* (name: string, queue: Array<Posted>) {
    for (let posted = queue.shift(); posted !== undefined; posted = queue.shift()) {
      // one that breaks must not hold up what comes behind it
      yield* Effect.catchCause(send(posted), (cause) => Effect.logError("nothing sent", addressText(posted.to), cause))
      count -= 1
    }
    waiting.delete(name)
  })
  return Outbox.of({
    post: (posted) => {
      const name = addressText(posted.to)
      const queue = waiting.get(name)
      if (count >= messagesMax || (queue?.length ?? 0) >= messagesToOneMax) return false
      count += 1
      if (queue === undefined) {
        const first = [posted]
        waiting.set(name, first)
        run(sendAll(name, first))
      } else queue.push(posted)
      return true
    }
  })
})
