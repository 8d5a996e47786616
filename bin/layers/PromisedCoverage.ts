/**
 * How does an actor ask for coverage, which is asked of actors itself?
 *
 * Types of actors have to be there before the actor system is, and the coverage of a host stands on that. So such a
 * type is given the promise of a coverage: who asks before it is kept waits for that.
 */
import { Context, Deferred, Effect, Layer } from "effect"
import { Coverage } from "../../protocol/messages/Coverage.ts"

/** The coverage that is to come. */
export class PromisedCoverage extends Context.Service<PromisedCoverage, Deferred.Deferred<Coverage["Service"]>>()(
  "seamless/bin/PromisedCoverage"
) {}

/** A promise that nobody has kept yet. */
export const layer: Layer.Layer<PromisedCoverage> = Layer.effect(PromisedCoverage, Deferred.make())

/** Keeps the promise. */
export const kept: Layer.Layer<never, never, PromisedCoverage | Coverage> = Layer.effectDiscard(
  Effect.gen(function* () {
    yield* Deferred.succeed(yield* PromisedCoverage, yield* Coverage)
  })
)

/** Coverage by the promise. */
export const coverage: Layer.Layer<Coverage, never, PromisedCoverage> = Layer.effect(
  Coverage,
  Effect.map(PromisedCoverage, (promised) => {
    const awaited = <A, E>(use: (coverage: Coverage["Service"]) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.flatMap(Deferred.await(promised), use)
    return Coverage.of({
      // who asks is an actor, and waits
      known: () => undefined,
      of: (series, demand) => awaited((coverage) => coverage.of(series, demand)),
      ensure: (request) => awaited((coverage) => coverage.ensure(request)),
      commit: (commit) => awaited((coverage) => coverage.commit(commit)),
      confirm: (series) => awaited((coverage) => coverage.confirm(series))
    })
  })
)
