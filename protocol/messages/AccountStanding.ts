/** How does an upstream account stand: what may be sent, who waits, and what is wrong with its sources? */
import { Schema } from "effect"

const Limit = Schema.NullOr(Schema.Finite)

/** How a source's circuit breaker stands: requests are let through, refused, or one is let through to see. */
const CircuitState = Schema.Literals(["closed", "open", "halfOpen"])

/** The circuit breaker of one source. */
export const CircuitStanding = Schema.Struct({
  source: Schema.String,
  state: CircuitState,
  /** Requests in a row that failed. */
  failures: Schema.Int,
  /** Why the last of them failed; empty where none did. */
  reason: Schema.String,
  /** Epoch milliseconds from which one request is let through; null where it is not open. */
  openUntil: Limit
})
export type CircuitStanding = typeof CircuitStanding.Type

/** One account. Where there is no limit, null. */
export const AccountStanding = Schema.Struct({
  account: Schema.String,
  limits: Schema.Struct({
    requestsPerMinute: Limit,
    weightPerMinute: Limit,
    concurrency: Limit,
    /** Requests that may follow each other at once. */
    burst: Limit
  }),
  /** What may be sent now, if nobody else were waiting. */
  available: Schema.Struct({ requests: Limit, weight: Limit }),
  /** Requests that were let through and have not ended. */
  inFlight: Schema.Int,
  /** Requests that wait, by class. */
  waiting: Schema.Struct({
    interactive: Schema.Int,
    repair: Schema.Int,
    bulk: Schema.Int,
    verify: Schema.Int
  }),
  /** Epoch milliseconds until which nothing is sent, because the account refused; null where it did not. */
  coolDownUntil: Limit,
  /** By source, each that is configured. */
  circuits: Schema.Array(CircuitStanding)
})
export type AccountStanding = typeof AccountStanding.Type
