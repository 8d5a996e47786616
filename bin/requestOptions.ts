/** How do flags become the options of a request? */
import { Option } from "effect"
import type { EnsureOptions } from "../client/requestBody.ts"
import type { AsOf } from "../protocol/history/AsOf.ts"
import type { SlaPolicy } from "../protocol/history/SlaPolicy.ts"
import type { Strategy } from "../protocol/history/Strategy.ts"

/** The flags that every question about a range takes. */
export interface PolicyFlags {
  readonly strategy: Option.Option<Strategy>
  readonly consistency: Option.Option<"eventual" | "strict">
  readonly strict: Option.Option<boolean>
  readonly onStrictViolation: Option.Option<"error" | "flag">
  readonly align: Option.Option<"exact" | "expand">
  readonly minVersion: Option.Option<number>
  readonly deadline: Option.Option<number>
  readonly sla: ReadonlyArray<SlaPolicy>
  readonly sources: ReadonlyArray<string>
}

/** What a flag says of a request; nothing where it was not given. */
export const said = <A, Part extends object>(flag: Option.Option<A>, part: (value: A) => Part) =>
  Option.match(flag, { onNone: () => ({}), onSome: part })

/** The point of the past that is asked about, where one is; null for what stands now. */
export const pastOf = (asOf: Option.Option<AsOf | null>): { readonly asOf?: AsOf | null } =>
  said(asOf, (point) => ({ asOf: point }))

const slaOf = ({ deadline, sla }: PolicyFlags): { readonly sla?: SlaPolicy } => {
  const policy: SlaPolicy = Object.assign(
    {},
    ...sla,
    said(deadline, (totalDeadlineMs) => ({ totalDeadlineMs }))
  )
  return Object.keys(policy).length === 0 ? {} : { sla: policy }
}

/** What is not said on the command line is left to the service. */
export const requestOptions = (flags: PolicyFlags): EnsureOptions => ({
  ...said(flags.consistency, (consistency) => ({ consistency })),
  ...(flags.sources.length > 0 && { sourcePriority: flags.sources }),
  ...said(flags.strategy, (strategy) => ({ strategy })),
  ...said(flags.strict, (strict) => ({ strict })),
  ...said(flags.onStrictViolation, (onStrictViolation) => ({ onStrictViolation })),
  ...said(flags.align, (align) => ({ align })),
  ...said(flags.minVersion, (minVersion) => ({ minVersion })),
  ...slaOf(flags)
})
