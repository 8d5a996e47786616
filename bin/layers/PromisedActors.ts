/**
 * How does an actor ask another, when both have to be there before the actor system is?
 *
 * Its type is given the promise of an actor system: who asks before it is kept waits for that.
 */
import { Context, Deferred, Effect, Layer } from "effect"
import { ActorSystem } from "../../runtime/ActorSystem.ts"

/** The actor system that is to come. */
export class PromisedActors extends Context.Service<PromisedActors, Deferred.Deferred<ActorSystem["Service"]>>()(
  "seamless/bin/PromisedActors"
) {}

/** A promise that nobody has kept yet. */
export const layer: Layer.Layer<PromisedActors> = Layer.effect(PromisedActors, Deferred.make())

/** Keeps the promise. */
export const kept: Layer.Layer<never, never, PromisedActors | ActorSystem> = Layer.effectDiscard(
  Effect.gen(function* () {
    yield* Deferred.succeed(yield* PromisedActors, yield* ActorSystem)
  })
)

// what is sent by way of the promise is counted by the system itself
const nothingSent = { sent: 0, replied: 0, rejected: 0, expired: 0, deadLettered: 0, lost: 0, pending: 0 }

/** The actor system by the promise. */
export const actorSystem: Layer.Layer<ActorSystem, never, PromisedActors> = Layer.effect(
  ActorSystem,
  Effect.map(PromisedActors, (promised) =>
    ActorSystem.of({
      deliver: (...sent) => Effect.flatMap(Deferred.await(promised), (system) => system.deliver(...sent)),
      tell: (...sent) => Effect.flatMap(Deferred.await(promised), (system) => system.tell(...sent)),
      tally: () => nothingSent
    })
  )
)
