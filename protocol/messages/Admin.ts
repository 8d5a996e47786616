/**
 * What does an operator ask about history, and what is answered?
 *
 * The same subjects and forms as the verbs about hosts: `seamless.v1.admin.<who>.<verb>`, in JSON. Any host answers.
 */
import { Schema } from "effect"
import { admin } from "../wire/Admin.ts"
import { AccountStanding } from "./AccountStanding.ts"
import { AuditedChange, AuditVerdict, ExplainedRange } from "./AuditReport.ts"
import { backfillAdmin } from "./BackfillAdmin.ts"
import { jobAdmin } from "./JobAdmin.ts"
import { sweepAdmin } from "./SweepAdmin.ts"
import { switchAdmin } from "./SwitchAdmin.ts"

const Series = { nodeId: Schema.NonEmptyString, interval: Schema.NonEmptyString }

/** `from` and `to` are both there, in their order, or neither is. */
const isRangeOrNone = ({ from, to }: { readonly from?: number; readonly to?: number }) => {
  if (from === undefined && to === undefined) return true
  if (from === undefined || to === undefined) return "a range has both from and to"
  return from < to || `from is ${from} and to is ${to}: a range is [from, to), and from comes first`
}

/** The verbs about series, jobs and backfills: the forms of their requests and answers, and a request to show. */
export const historyAdmin = {
  ...jobAdmin,
  ...backfillAdmin,
  ...sweepAdmin,
  ...switchAdmin,
  /**
   * The newest `limit` changes of a series' coverage, the newest last, those before `beforeVersion`; of a range
   * `[from, to)` alone where one is given, with why it is covered or not; and with `verify` whether its history holds.
   */
  audit: {
    request: Schema.Struct({
      ...Series,
      from: Schema.optionalKey(Schema.Int),
      to: Schema.optionalKey(Schema.Int),
      limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
      beforeVersion: Schema.optionalKey(Schema.Int),
      verify: Schema.optionalKey(Schema.Boolean)
    }).check(Schema.makeFilter(isRangeOrNone)),
    answer: Schema.Struct({
      ...Series,
      /** The version that stands. */
      version: Schema.Int,
      changes: Schema.Array(AuditedChange),
      /** The `beforeVersion` with which older changes are told; null where there are none. */
      olderBefore: Schema.NullOr(Schema.Int),
      /** Entries of the history that are no roots; what they changed is not told. */
      unreadable: Schema.Int,
      /** The parts of the range, in order and without a gap, up to `until`: ask for the rest from there. */
      explanation: Schema.optionalKey(Schema.Struct({ until: Schema.Finite, parts: Schema.Array(ExplainedRange) })),
      verdict: Schema.optionalKey(AuditVerdict)
    }),
    example: { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m", from: 1_670_889_600_000, to: 1_670_976_000_000 }
  },
  /** How every upstream account stands; and those whose actors did not answer. */
  upstreams: {
    request: Schema.Struct({}),
    answer: Schema.Struct({ accounts: Schema.Array(AccountStanding), silent: Schema.Array(Schema.String) }),
    example: {}
  }
} as const

/** Every verb there is. */
export const adminVerbs = { ...admin, ...historyAdmin } as const

/** The name of a verb. */
export type AdminVerb = keyof typeof adminVerbs
