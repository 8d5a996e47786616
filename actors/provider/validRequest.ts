/**
 * What exactly is asked?
 *
 * A request that is wrong is refused before anything is touched, and told what would be right. One that passes has its
 * series, an aligned range, and every option decided.
 */
import { Effect, Option, Schema, SchemaIssue } from "effect"
import type { AsOf } from "../../protocol/history/AsOf.ts"
import { checkRange } from "../../protocol/history/checkRange.ts"
import {
  InvalidRequest,
  RangeTooLarge,
  type UnalignedRange,
  type UnknownSeries
} from "../../protocol/history/Errors.ts"
import { EnsureRequest, HistoryRequest } from "../../protocol/history/HistoryRequest.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as SlaPolicy from "../../protocol/history/SlaPolicy.ts"
import * as Strategy from "../../protocol/history/Strategy.ts"
import { randomId } from "../../runtime/randomId.ts"
import type { Forced } from "./failFast.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"

/** A request in which everything is decided. */
export interface ValidRequest {
  readonly entry: CatalogEntry
  readonly range: Range
  readonly strategy: Strategy.Strategy
  readonly strict: boolean
  readonly onStrictViolation: "error" | "flag"
  /** Sources in the order of preference for this answer. */
  readonly sources: ReadonlyArray<string>
  readonly sla: SlaPolicy.SlaPolicy
  readonly minVersion: number
  /** Whether bars in which nothing was traded get a row with the last price. */
  readonly fill: "none" | "forward"
  /** The point of the past that is read; absent for what stands. */
  readonly asOf?: AsOf
  readonly returnMeta: boolean
  readonly requestId: string
  /** What was asked for, where an operator has every read answered otherwise. */
  readonly forced?: Forced
}

/** What is wrong with a request. */
export type RequestError = InvalidRequest | UnknownSeries | UnalignedRange | RangeTooLarge

/** What the service decides where a request says nothing. */
export interface RequestDefaults {
  readonly strategy: Strategy.Strategy
  readonly barsMax: number
}

const knownFields = { onExcessProperty: "error" } as const
const decodeHistory = Schema.decodeUnknownEffect(HistoryRequest, knownFields)
const decodeEnsure = Schema.decodeUnknownEffect(EnsureRequest, knownFields)

const problemsOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** The first thing that is wrong with the request, and the field that it is in. */
export const invalid = ({ issue }: Schema.SchemaError): InvalidRequest => {
  const [first] = problemsOf(issue).issues
  const field = first?.path?.map(String).join(".") ?? ""
  const problem = (first?.message ?? "can't be read").replaceAll(/\s+/g, " ")
  return new InvalidRequest({
    field: field === "" ? "request" : field,
    problem: /excess property|Unexpected key/.test(problem) ? "is no field of a request" : problem
  })
}

/** A request to read, from the wire or a program. */
export const parseHistory = (input: unknown): Effect.Effect<HistoryRequest, InvalidRequest> =>
  Effect.mapError(decodeHistory(input), invalid)

/** A request to fill, from the wire or a program. */
export const parseEnsure = (input: unknown): Effect.Effect<EnsureRequest, InvalidRequest> =>
  Effect.mapError(decodeEnsure(input), invalid)

/** The sources in the order of preference: those that are named, then the others of the series. */
export const validSources = Effect.fnUntraced(function* (
  { sources }: CatalogEntry,
  priority: ReadonlyArray<string> = []
) {
  const unknown = priority.find((name) => !sources.includes(name))
  if (unknown !== undefined) {
    const problem = `${unknown} is no source of this series; it has ${sources.join(", ")}`
    return yield* new InvalidRequest({ field: "sourcePriority", problem })
  }
  return [...new Set([...priority, ...sources])]
})

/** The request with everything decided. */
export const validate = Effect.fnUntraced(function* (
  request: EnsureRequest & Pick<HistoryRequest, "asOf" | "fill" | "returnMeta">,
  defaults: RequestDefaults
) {
  const catalog = yield* SeriesCatalog
  if (Option.isNone(Interval.parse(request.interval))) {
    const problem = `${JSON.stringify(request.interval)} is no interval: a whole number and s, m, h, d or w, such as 1m`
    return yield* new InvalidRequest({ field: "interval", problem })
  }
  const entry = yield* catalog.find(request.nodeId, request.interval)
  const range = yield* Effect.fromResult(checkRange(request, entry.interval))
  const bars = Interval.barCount(entry.interval, ...range)
  if (bars > defaults.barsMax) return yield* new RangeTooLarge({ bars, barsMax: defaults.barsMax })
  if (request.asOf !== undefined && request.minVersion !== undefined) {
    return yield* new InvalidRequest({ field: "asOf", problem: "is not asked together with minVersion: name one" })
  }
  const strategy = Strategy.parse(request.strategy ?? "") ?? defaults.strategy
  const valid: ValidRequest = {
    entry,
    range,
    strategy,
    strict: request.strict ?? false,
    onStrictViolation: request.onStrictViolation ?? "error",
    sources: yield* validSources(entry, request.sourcePriority),
    sla: SlaPolicy.resolve(strategy, request.sla),
    minVersion: request.minVersion ?? 0,
    fill: request.fill ?? "none",
    ...(request.asOf && { asOf: request.asOf }),
    returnMeta: request.returnMeta ?? true,
    requestId: request.requestId ?? (yield* randomId)
  }
  return valid
})
