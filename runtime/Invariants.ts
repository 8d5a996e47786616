/**
 * What if something that must always hold does not?
 *
 * It is counted, logged, and told to whoever listens; what goes on goes on as if nothing had been asked. Assertions
 * stay on in production: where they hold they cost a comparison, and what a person needs to know is put together only
 * where they do not.
 */
import { Context, Effect, Metric, Result } from "effect"
import { Metrics, MetricLabel } from "../protocol/Telemetry.ts"
import { type Invariant, invariants, type ViolationCounts } from "../protocol/wire/Invariant.ts"

/** What is told in full of each invariant; later ones are only counted, since a storm of them says nothing new. */
const toldMax = 3

/** What a person needs to understand it. */
export type Details = Readonly<Record<string, unknown>>

/** One time that an invariant did not hold. */
export interface Violation {
  readonly invariant: Invariant
  /** How many there were of the invariant, this one among them. */
  readonly count: number
  /** Of the first few of an invariant; nothing of those behind them. */
  readonly details: Details
}

/** What did not hold so far. */
export interface Violations {
  /** Counts one, and gives how many there are of its invariant by now. */
  readonly add: (invariant: Invariant) => number
  readonly counts: () => ViolationCounts
  /** Tells of each violation from now on; gives what ends that. */
  readonly listen: (listener: (violation: Violation) => void) => () => void
  readonly tell: (violation: Violation) => void
}

/** A count that begins with nothing. */
export const make = (): Violations => {
  const counts = new Map<Invariant, number>()
  const listeners = new Set<(violation: Violation) => void>()
  return {
    add: (invariant) => {
      const count = (counts.get(invariant) ?? 0) + 1
      counts.set(invariant, count)
      return count
    },
    counts: () => Object.fromEntries(counts),
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    tell: (violation) => {
      // whatever a listener does, those who run into a violation go on
      for (const listener of listeners) Result.try(() => listener(violation))
    }
  }
}

/** Where violations are counted: one count a process, unless a host or a test has one of its own. */
export const Invariants = Context.Reference<Violations>("seamless/runtime/Invariants", { defaultValue: make })

/** Asserts from plain code; never throws. The details are asked for only where it does not hold. */
export type Note = (invariant: Invariant, holds: boolean, details: () => Details) => void

const counter = Metric.counter(Metrics.invariantViolations, {
  description: "How often something did not hold that must always hold",
  incremental: true
})

const violated = (context: Context.Context<never>, invariant: Invariant, detailsOf: () => Details): void => {
  const violations = Context.get(context, Invariants)
  const count = violations.add(invariant)
  Metric.withAttributes(counter, { [MetricLabel.invariant]: invariant }).updateUnsafe(1, context)
  if (count > toldMax) return violations.tell({ invariant, count, details: {} })
  const details = Result.getOrElse(Result.try(detailsOf), (problem) => ({ problem: String(problem) }))
  violations.tell({ invariant, count, details })
  const more = count === toldMax ? { more: "further ones are only counted" } : {}
  const told = { invariant, claim: invariants[invariant].claim, count, ...details, ...more }
  Effect.runSyncExitWith(context)(Effect.logError("invariant violated", told))
}

/** Asserts from plain code, on behalf of whoever asks for this: to that one's count and that one's log. */
export const noting: Effect.Effect<Note> = Effect.withFiber(({ context }) =>
  Effect.succeed<Note>((invariant, holds, details) => {
    if (!holds) violated(context, invariant, details)
  })
)

/** Asserts. The details are asked for only where it does not hold. */
export const check = (invariant: Invariant, holds: boolean, details: () => Details): Effect.Effect<void> =>
  holds
    ? Effect.void
    : Effect.withFiber(({ context }) => {
        violated(context, invariant, details)
        return Effect.void
      })
