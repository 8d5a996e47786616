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
import { decide, type Options, type ReadDefaults } from "../../protocol/history/RequestDefaults.ts"
import { randomId } from "../../runtime/randomId.ts"
import type { Forced } from "./failFast.ts"
import { baggageRequestId } from "../../runtime/telemetry/Baggage.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"

/** A request in which everything is decided. */
export interface ValidRequest extends Omit<Options, "sourcePriority" | "align" | "asOf"> {
  readonly entry: CatalogEntry
  readonly range: Range
  /** Sources in the order of preference for this answer. */
  readonly sources: ReadonlyArray<string>
  readonly minVersion: number
  /** The point of the past that is read; absent for what stands. */
  readonly asOf?: AsOf
  readonly requestId: string
  /** What was asked for, where an operator has every read answered otherwise. */
  readonly forced?: Forced
}

/** What is wrong with a request. */
export type RequestError = InvalidRequest | UnknownSeries | UnalignedRange | RangeTooLarge

/** What is not in the request itself. */
export interface RequestTerms {
  readonly verb: "read" | "ensure"
  /** What the environment has requests say. */
  readonly defaults: ReadDefaults
  readonly barsMax: number
  /** Whether the answer is taken in parts; it is one message unless told so. */
  readonly inParts?: boolean
}

const knownFields = { onExcessProperty: "error" } as const
const decodeHistory = Schema.decodeUnknownEffect(HistoryRequest, knownFields)
const decodeEnsure = Schema.decodeUnknownEffect(EnsureRequest, knownFields)

const problemsOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** What the schema says in words of its own. */
const plainWords = [
  [/excess property|Unexpected key/, "is no field of a request"],
  [/^Missing key$/, "is missing: a request has it"]
] as const

/** The first thing that is wrong with the request, and the field that it is in. */
export const invalid = ({ issue }: Schema.SchemaError): InvalidRequest => {
  const [first] = problemsOf(issue).issues
  const field = first?.path?.map(String).join(".") ?? ""
  const problem = (first?.message ?? "can't be read").replaceAll(/\s+/g, " ")
  const [, told = problem] = plainWords.find(([pattern]) => pattern.test(problem)) ?? []
  return new InvalidRequest({ field: field === "" ? "request" : field, problem: told })
}

/** A request to read, from the wire or a program. */
export const parseHistory = (input: unknown): Effect.Effect<HistoryRequest, InvalidRequest> =>
  Effect.mapError(decodeHistory(input), invalid)

/** A request to fill, from the wire or a program. */
export const parseEnsure = (input: unknown): Effect.Effect<EnsureRequest, InvalidRequest> =>
  Effect.mapError(decodeEnsure(input), invalid)

/** The series that a request is about, whatever it wants to know of it. */
export const findSeries = Effect.fnUntraced(function* ({
  interval,
  nodeId
}: Pick<HistoryRequest, "nodeId" | "interval">) {
  if (Option.isNone(Interval.parse(interval))) {
    const problem = `${JSON.stringify(interval)} is no interval: a whole number and s, m, h, d or w, such as 1m`
    return yield* new InvalidRequest({ field: "interval", problem })
  }
  return yield* (yield* SeriesCatalog).find(nodeId, interval)
})

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

/** A version that is to come at the least is none of the past, whoever names that. */
const checkPoint = ({ asOf, minVersion }: Pick<HistoryRequest, "asOf" | "minVersion">, decided: AsOf | null) => {
  if (minVersion === undefined || decided === null) return Effect.void
  const problem =
    asOf === undefined
      ? "is set where this is configured, and not asked together with minVersion: say asOf: null beside it"
      : "is not asked together with minVersion: name one"
  return Effect.fail(new InvalidRequest({ field: "asOf", problem }))
}

/** What stands now can be confirmed; the past does not change. An environment's word for one of them gives way. */
export const checkConsistency = ({ consistency }: Pick<HistoryRequest, "consistency">, decided: AsOf | null) => {
  if (consistency !== "strict" || decided === null) return Effect.void
  const problem = "strict is about what stands now, and is not asked together with asOf: leave one out"
  return Effect.fail(new InvalidRequest({ field: "consistency", problem }))
}

/** The request with everything decided. */
export const validate = Effect.fnUntraced(function* (
  request: EnsureRequest & Pick<HistoryRequest, "asOf" | "fill" | "returnMeta">,
  { barsMax, defaults, inParts = false, verb }: RequestTerms
) {
  const entry = yield* findSeries(request)
  const { nodeId: _node, interval: _interval, start, end, minVersion = 0, requestId, ...said } = request
  const { align, asOf, sourcePriority, ...options } = decide(verb, defaults, said)
  const range = yield* Effect.fromResult(checkRange({ start, end, align }, entry.interval))
  const bars = Interval.barCount(entry.interval, ...range)
  if (bars > barsMax) {
    // what is filled has no rows that could come in parts
    return yield* new RangeTooLarge({ bars, barsMax, inParts: inParts || verb === "ensure" })
  }
  yield* checkPoint(request, asOf)
  yield* checkConsistency(request, asOf)
  // what an environment prefers is about all of its series: some have other sources
  const preferred =
    said.sourcePriority === undefined ? sourcePriority.filter((name) => entry.sources.includes(name)) : sourcePriority
  const valid: ValidRequest = {
    ...options,
    consistency: asOf === null ? options.consistency : "eventual",
    entry,
    range,
    sources: yield* validSources(entry, preferred),
    minVersion,
    ...(asOf !== null && { asOf }),
    requestId: requestId ?? (yield* baggageRequestId) ?? (yield* randomId)
  }
  return valid
})
