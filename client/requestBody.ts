/** How does a call become a request of the wire? */
import { Effect } from "effect"
import type { DiffRequest } from "../protocol/history/HistoryDiff.ts"
import type { CoverageRequest, EnsureRequest, HistoryRequest } from "../protocol/history/HistoryRequest.ts"
import type * as Strategy from "../protocol/history/Strategy.ts"
import { checkTexts, invalid, sentOf } from "./checkOptions.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import type { CallOptions } from "./toPromise.ts"

/** A moment: epoch milliseconds or a Date. */
export type Time = number | Date

type Range = "nodeId" | "interval" | "start" | "end"

interface Named {
  /** What to do about a gap; upper case is accepted. */
  readonly strategy?: Strategy.Strategy | Uppercase<Strategy.Strategy>
}

/** What can be asked of `read` beside the range; the service has a default for each. */
export type ReadOptions = Omit<HistoryRequest, Range | "strategy"> & Named & CallOptions

/** What can be asked of `ensureAvailable` beside the range; the service has a default for each. */
export type EnsureOptions = Omit<EnsureRequest, Range | "strategy"> & Named & CallOptions

/** What can be asked of `coverage` beside the series. */
export type CoverageOptions = Omit<CoverageRequest, "nodeId" | "interval"> & CallOptions

/** What is compared by `diff`, beside the series. */
export type DiffOptions = Omit<DiffRequest, "nodeId" | "interval"> & CallOptions

/** The arguments that every question about a range begins with, and its options. */
export type Asked<Options> = readonly [nodeId: string, interval: string, start: Time, end: Time, options?: Options]

const epochMs = (field: string, time: Time): Effect.Effect<number, SeamlessError> => {
  const value: unknown = time instanceof Date ? time.getTime() : time
  if (typeof value === "number" && Number.isInteger(value)) return Effect.succeed(value)
  const shown = typeof value === "object" && value !== null && !(time instanceof Date) ? "an object" : String(value)
  return Effect.fail(invalid(field, `${shown} is no time: give epoch milliseconds or a Date`))
}

/** The request in plain data; where it is one of several, `prefix` says which. */
export const requestBody = Effect.fnUntraced(function* <Options extends object>(asked: Asked<Options>, prefix = "") {
  const [nodeId, interval, start, end, options] = asked
  const field = (name: string) => (prefix === "" ? name : `${prefix}.${name}`)
  yield* checkTexts({ [field("nodeId")]: nodeId, [field("interval")]: interval })
  const times = { start: yield* epochMs(field("start"), start), end: yield* epochMs(field("end"), end) }
  return { ...(yield* sentOf(options, prefix)), nodeId, interval, ...times }
})
