/** How do flags become the options of a request? */
import { Option } from "effect"
import type { EnsureOptions } from "../client/requestBody.ts"
import type { AsOf } from "../protocol/history/AsOf.ts"
import type { Strategy } from "../protocol/history/Strategy.ts"

/** The flags that every question about a range takes. */
export interface PolicyFlags {
  readonly strategy: Option.Option<Strategy>
  readonly consistency: Option.Option<"eventual" | "strict">
  readonly deadline: Option.Option<number>
  readonly sources: ReadonlyArray<string>
}

/** The point of the past that is asked about, where one is. */
export const pastOf = (asOf: Option.Option<AsOf>): { readonly asOf?: AsOf } =>
  Option.match(asOf, { onNone: () => ({}), onSome: (point) => ({ asOf: point }) })

/** What is not said on the command line is left to the service. */
export const requestOptions = ({ consistency, deadline, sources, strategy }: PolicyFlags): EnsureOptions => ({
  ...Option.match(consistency, { onNone: () => ({}), onSome: (consistency) => ({ consistency }) }),
  ...(sources.length > 0 && { sourcePriority: sources }),
  ...Option.match(strategy, { onNone: () => ({}), onSome: (strategy) => ({ strategy }) }),
  ...Option.match(deadline, { onNone: () => ({}), onSome: (totalDeadlineMs) => ({ sla: { totalDeadlineMs } }) })
})
