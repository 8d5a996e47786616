/**
 * How long may an answer take, and what then?
 *
 * A policy is given in layers: the service's defaults for the strategy, the environment's, the request's. In each
 * field the more specific layer wins.
 */
import { Schema } from "effect"
import type { Strategy } from "./Strategy.ts"

const Milliseconds = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const Outcome = Schema.Literals(["error", "partial"])

/** One layer: what is absent is left to the layer below. */
export const SlaPolicy = Schema.Struct({
  maxWaitStorageMs: Schema.optionalKey(Milliseconds),
  maxWaitBackfillMs: Schema.optionalKey(Milliseconds),
  maxWaitLiveMs: Schema.optionalKey(Milliseconds),
  retryBackoffMs: Schema.optionalKey(Milliseconds),
  /** The answer leaves by then, whatever hangs underneath. */
  totalDeadlineMs: Schema.optionalKey(Milliseconds),
  /** A larger gap is not waited for. */
  maxSyncGapBars: Schema.optionalKey(Milliseconds),
  maxSyncGapMs: Schema.optionalKey(Milliseconds),
  maxLagMs: Schema.optionalKey(Milliseconds),
  /** Share of the expected bars, 0 to 1, below which the answer is a violation. */
  minCoverage: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  onViolation: Schema.optionalKey(Outcome),
  onBackfillFailure: Schema.optionalKey(Outcome)
})
export type SlaPolicy = typeof SlaPolicy.Type

/** The service's defaults. */
export const defaults: Readonly<Record<Strategy, SlaPolicy>> = {
  fail_fast: { maxWaitStorageMs: 100, totalDeadlineMs: 1000 },
  partial_fill: { totalDeadlineMs: 500 },
  auto_backfill: { maxWaitBackfillMs: 5000, totalDeadlineMs: 8000 },
  seamless: { maxSyncGapBars: 1440, maxWaitBackfillMs: 3000, maxWaitLiveMs: 800, totalDeadlineMs: 5000 }
}

/**
 * The policy in force: defaults of the strategy, then the layers from general to specific. A layer that sets the total
 * deadline without a wait of its own means the waits below it to be bounded by that deadline alone.
 */
export const resolve = (strategy: Strategy, ...layers: ReadonlyArray<SlaPolicy | undefined>): SlaPolicy =>
  layers.reduce<SlaPolicy>((policy, layer) => {
    if (layer?.totalDeadlineMs === undefined) return { ...policy, ...layer }
    const { maxWaitBackfillMs: _backfill, maxWaitLiveMs: _live, maxWaitStorageMs: _storage, ...rest } = policy
    return { ...rest, ...layer }
  }, defaults[strategy])
