/**
 * How does what actors send in passing get out?
 *
 * In the background, and to each receiver in the order in which it was sent. It is bounded: what does not fit is told
 * as a failure, never kept in silence.
 */
import { Context, Effect, FiberSet } from "effect"
import type { MessageBody } from "../protocol/wire/ActorMessage.ts"
import { type Address, addressText } from "../protocol/wire/Envelope.ts"

/** Messages that wait to be sent from this process. */
const messagesMax = 10_000
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
  const fibers = yield* FiberSet.make<void>()
  const run = yield* FiberSet.runtime(fibers)()
  const waiting = new Map<string, Array<Posted>>()
  let count = 0
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeoutOption(FiberSet.awaitEmpty(fibers), flushWithin)))

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
      if (count >= messagesMax) return false
      count += 1
      const name = addressText(posted.to)
      const queue = waiting.get(name)
      if (queue === undefined) {
        const first = [posted]
        waiting.set(name, first)
        run(sendAll(name, first))
      } else queue.push(posted)
      return true
    }
  })
})
