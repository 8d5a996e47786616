/** What does a caller ask? */
import { Schema } from "effect"
import { AsOf } from "./AsOf.ts"
import { NodeId, RequestId, SourcePriority } from "./requestTexts.ts"
import { SlaPolicy } from "./SlaPolicy.ts"
import { Strategy } from "./Strategy.ts"

const anyCase = (names: ReadonlyArray<string>) => new Set(names.flatMap((name) => [name, name.toUpperCase()]))
const strategyNames = anyCase(Strategy.literals)

/** A strategy as callers write it: lower or upper case. */
const StrategyName = Schema.String.check(
  Schema.makeFilter((name: string) => strategyNames.has(name) || `is one of ${Strategy.literals.join(", ")}`)
)

/** How an unaligned range is taken. */
export const Align = Schema.Literals(["exact", "expand"])

/** What becomes of a strict demand that is not met. */
export const OnStrictViolation = Schema.Literals(["error", "flag"])

/** Whether bars in which nothing was traded get a row with the last price. */
export const Fill = Schema.Literals(["none", "forward"])

/**
 * Whose word on the coverage counts: `eventual` takes what the host that answers has heard, which follows within
 * moments; `strict` has the owner of the series confirm that nothing newer stands.
 */
export const Consistency = Schema.Literals(["eventual", "strict"])

const range = {
  nodeId: NodeId,
  interval: Schema.String,
  /** Epoch milliseconds, half-open. */
  start: Schema.Int,
  end: Schema.Int
}

const options = {
  strategy: Schema.optionalKey(StrategyName),
  strict: Schema.optionalKey(Schema.Boolean),
  onStrictViolation: Schema.optionalKey(OnStrictViolation),
  sourcePriority: Schema.optionalKey(SourcePriority),
  sla: Schema.optionalKey(SlaPolicy),
  align: Schema.optionalKey(Align),
  consistency: Schema.optionalKey(Consistency),
  /** The answer is at least of this coverage version: read your own writes. */
  minVersion: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  requestId: Schema.optionalKey(RequestId)
}

/** A request for bars, as it is on the wire. */
export const HistoryRequest = Schema.Struct({
  ...range,
  ...options,
  /** `forward` gives a row with the last price for each covered bar in which nothing was traded; `none` by default. */
  fill: Schema.optionalKey(Fill),
  /**
   * What stood at a version or at a time is answered; nothing is fetched for it. Null for what stands now, whatever
   * the environment has.
   */
  asOf: Schema.optionalKey(Schema.NullOr(AsOf)),
  returnMeta: Schema.optionalKey(Schema.Boolean)
})
export type HistoryRequest = typeof HistoryRequest.Type

/** A request to fill a range. */
export const EnsureRequest = Schema.Struct({ ...range, ...options })
export type EnsureRequest = typeof EnsureRequest.Type

/** A request for the coverage of a series. */
export const CoverageRequest = Schema.Struct({
  nodeId: NodeId,
  interval: Schema.String,
  asOf: Schema.optionalKey(AsOf),
  consistency: Schema.optionalKey(Consistency)
})
export type CoverageRequest = typeof CoverageRequest.Type
