/**
 * How is the sweeper reached, and who sees that it works at all?
 *
 * By its one key. Each host that has run for a while asks it how it is: whoever was asked once has noted when to be
 * woken next, and is woken then, on whichever host.
 */
import { Effect, Layer, Schedule } from "effect"
import * as Messages from "../../protocol/messages/Sweep.ts"
import { ActorSystem, ask } from "../../runtime/ActorSystem.ts"

// nothing is urgent about it, and a host that starts has other things to do
const askAfter = "10 minutes"
const askAgain = Schedule.spaced("1 minute")

const make = Effect.gen(function* () {
  const provided = Effect.provideService(ActorSystem, yield* ActorSystem)
  const askOrder = ask(Messages.orderMessage)
  const askShow = ask(Messages.showMessage)
  return Messages.Sweeper.of({
    order: (order) => provided(askOrder(Messages.sweeperKey, order)),
    show: provided(askShow(Messages.sweeperKey, null))
  })
})

/** The sweeper of the cluster. */
export const layer: Layer.Layer<Messages.Sweeper, never, ActorSystem> = Layer.effect(Messages.Sweeper, make)

/** Sees that there is one, as long as the layer lives. */
export const started: Layer.Layer<never, never, Messages.Sweeper> = Layer.effectDiscard(
  Effect.gen(function* () {
    const sweeper = yield* Messages.Sweeper
    yield* Effect.sleep(askAfter).pipe(Effect.andThen(sweeper.show), Effect.retry(askAgain), Effect.forkScoped)
  })
)
