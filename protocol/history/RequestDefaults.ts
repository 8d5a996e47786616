/**
 * What holds where a request says nothing?
 *
 * Every option is decided by itself, and the more specific word wins: the request's, else the environment's (its
 * configuration), else the service's. Of a policy that is so of each of its fields.
 */
import { Schema } from "effect"
import type { AsOf } from "./AsOf.ts"
import { Align, Consistency, Fill, type HistoryRequest, OnStrictViolation } from "./HistoryRequest.ts"
import * as SlaPolicy from "./SlaPolicy.ts"
import { parse, Strategy } from "./Strategy.ts"

const slaByStrategy = Schema.Struct({
  fail_fast: Schema.optionalKey(SlaPolicy.SlaPolicy),
  partial_fill: Schema.optionalKey(SlaPolicy.SlaPolicy),
  auto_backfill: Schema.optionalKey(SlaPolicy.SlaPolicy),
  seamless: Schema.optionalKey(SlaPolicy.SlaPolicy)
})

/** What an environment has requests to fill a range say, where they say nothing themselves. */
const EnsureDefaults = Schema.Struct({
  strategy: Schema.optionalKey(Strategy),
  strict: Schema.optionalKey(Schema.Boolean),
  onStrictViolation: Schema.optionalKey(OnStrictViolation),
  /** Sources that a series does not have are passed over. */
  sourcePriority: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The policy under every strategy. */
  sla: Schema.optionalKey(SlaPolicy.SlaPolicy),
  /** The policy under one strategy: it says more than that under every one. */
  slaByStrategy: Schema.optionalKey(slaByStrategy),
  align: Schema.optionalKey(Align),
  consistency: Schema.optionalKey(Consistency)
})

/** What an environment has requests to read say, where they say nothing themselves. */
export const ReadDefaults = Schema.Struct({
  ...EnsureDefaults.fields,
  fill: Schema.optionalKey(Fill),
  returnMeta: Schema.optionalKey(Schema.Boolean),
  /** A time, in epoch milliseconds; a version is one series' own. */
  asOf: Schema.optionalKey(Schema.Struct({ time: Schema.Int }))
})
export type ReadDefaults = typeof ReadDefaults.Type

/** What an environment has requests say. What names one request or one series' version is each request's own. */
export const RequestSettings = Schema.Struct({
  read: Schema.optionalKey(ReadDefaults),
  ensure: Schema.optionalKey(EnsureDefaults)
})
export type RequestSettings = typeof RequestSettings.Type

/** The options of a request, all of them decided. */
export interface Options {
  readonly strategy: Strategy
  readonly strict: boolean
  readonly onStrictViolation: typeof OnStrictViolation.Type
  readonly sourcePriority: ReadonlyArray<string>
  readonly sla: SlaPolicy.SlaPolicy
  readonly align: typeof Align.Type
  readonly consistency: typeof Consistency.Type
  readonly fill: typeof Fill.Type
  readonly returnMeta: boolean
  /** Null for what stands. */
  readonly asOf: AsOf | null
}

/** The service's own word on every option but the policy, which has one for each strategy. */
export const service: { readonly [Verb in "read" | "ensure"]: Omit<Options, "sla"> } = {
  read: {
    strategy: "seamless",
    strict: false,
    onStrictViolation: "error",
    sourcePriority: [],
    align: "exact",
    consistency: "eventual",
    fill: "none",
    returnMeta: true,
    asOf: null
  },
  ensure: {
    strategy: "auto_backfill",
    strict: false,
    onStrictViolation: "error",
    sourcePriority: [],
    align: "exact",
    consistency: "eventual",
    fill: "none",
    returnMeta: true,
    asOf: null
  }
}

/** What a request says of its options. */
export type Said = Partial<Omit<HistoryRequest, "nodeId" | "interval" | "start" | "end">>

const unset = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, said]) => said !== undefined))

/** Every option of a request to read or to fill, decided. */
export const decide = (verb: "read" | "ensure", environment: ReadDefaults, said: Said): Options => {
  const { sla: general, slaByStrategy: special = {}, ...others } = environment
  const { sla, strategy: named, ...own } = said
  const strategy = parse(named ?? "") ?? others.strategy ?? service[verb].strategy
  return {
    ...service[verb],
    ...unset(others),
    ...unset(own),
    strategy,
    sla: SlaPolicy.resolve(strategy, general, special[strategy], sla)
  }
}
