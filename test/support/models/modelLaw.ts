/**
 * How is something real held against a small model of it?
 *
 * Random moves are made on both, one after the other, each with its own claims; time is the test clock, and nothing
 * that must always hold may have been violated in the end. A failure prints its seed and the shortest row of moves.
 */
import * as fc from "fast-check"
import { Effect, Fiber, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { assert, it } from "vitest"
import * as Invariants from "../../../runtime/Invariants.ts"

/** Something that can be done to both. */
export interface Move<Model, Real> {
  /** Shown when a law fails. */
  readonly name: string
  readonly isPossible?: (model: Model) => boolean
  /** Does it to both, and claims what must be alike. */
  readonly make: (model: Model, real: Real) => Effect.Effect<void>
}

/** What a law is about. */
export interface Subject<Model extends object, Real> {
  readonly begin: Effect.Effect<{ readonly model: Model; readonly real: Real }, never, Scope.Scope>
  readonly moves: ReadonlyArray<fc.Arbitrary<Move<Model, Real>>>
  readonly numRuns: number
  /** At most so many moves a run. */
  readonly movesMax: number
}

interface Bench<Real> {
  readonly real: Real
  readonly run: (effect: Effect.Effect<void>) => Promise<void>
}

const commandOf = <Model extends object, Real>(move: Move<Model, Real>): fc.AsyncCommand<Model, Bench<Real>> => ({
  check: (model) => move.isPossible?.(model) ?? true,
  run: (model, { real, run }) => run(move.make(model, real)),
  toString: () => move.name
})

/** A test that the real thing does what the model does, whatever the moves. */
export const modelLaw = <Model extends object, Real>(
  title: string,
  { begin, moves, movesMax, numRuns }: Subject<Model, Real>
): void => {
  const commands = fc.commands(
    moves.map((move) => move.map(commandOf)),
    { maxCommands: movesMax, size: "max" }
  )
  const property = fc.asyncProperty(commands, (drawn) =>
    Effect.gen(function* () {
      const violations = Invariants.make()
      const run = Effect.runPromiseWith(yield* Effect.context<Scope.Scope>())
      const provided = <A>(effect: Effect.Effect<A>) =>
        run(Effect.provideService(effect, Invariants.Invariants, violations))
      const { model, real } = yield* begin
      yield* Effect.promise(() => fc.asyncModelRun(() => ({ model, real: { real, run: provided } }), drawn))
      assert.deepStrictEqual(violations.counts(), {}, "what must always hold")
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise)
  )
  it(title, () => fc.assert(property, { numRuns }))
}

const step = "250 millis"
/** More than any operation of the port goes on trying. */
const stepsMax = 200

/** The outcome of what may have to wait: the test clock moves on until it is there. */
export const settled = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let steps = 0; steps < stepsMax && fiber.pollUnsafe() === undefined; steps++) {
      yield* TestClock.adjust(0)
      if (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(step)
    }
    return yield* Fiber.join(fiber)
  })
