/** How does a test see what did not hold that must always hold? */
import { assert } from "@effect/vitest"
import { Effect, Logger } from "effect"
import * as Invariants from "../../runtime/Invariants.ts"

/** Runs with a count of its own; `seen` fills with what did not hold meanwhile, in order. */
const counted = <A, E, R>(test: Effect.Effect<A, E, R>) => {
  const violations = Invariants.make()
  const seen: Array<Invariants.Violation> = []
  violations.listen((violation) => void seen.push(violation))
  return { seen, run: Effect.provideService(test, Invariants.Invariants, violations) }
}

/** Runs with a count of its own, and without a log; gives what did not hold meanwhile, in order. */
export const violationsOf = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const { run, seen } = counted(test)
    return run.pipe(Effect.provide(Logger.layer([])), Effect.as(seen))
  })

/** The names of what did not hold while it ran, in order. */
export const violatedBy = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  Effect.map(violationsOf(test), (seen) => seen.map(({ invariant }) => invariant))

/** Runs, and claims that all held that must always hold. */
export const withoutViolations = <A, E, R>(test: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const { run, seen } = counted(test)
    return Effect.tap(run, () => Effect.sync(() => assert.deepStrictEqual(seen, [])))
  })

/** A logger that keeps the violations that were logged, and the lines. */
export const keepLogged = () => {
  const lines: Array<ReadonlyArray<unknown>> = []
  const layer = Logger.layer([
    Logger.make(({ logLevel, message }) => {
      lines.push([logLevel, ...(Array.isArray(message) ? message : [message])])
    })
  ])
  return { lines, layer }
}
