/**
 * What is the one way in?
 *
 * `read`, `ensureAvailable`, `coverage`, `explain` and `diff`, as an Effect service. The wire and the Promise client
 * give the same.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { InvalidRequest, UnknownSeries } from "../../protocol/history/Errors.ts"
import { barCount } from "../../protocol/history/Interval.ts"
import { CoverageRequest } from "../../protocol/history/HistoryRequest.ts"
import type { AvailabilityResult, CoverageReport, HistoryResult } from "../../protocol/history/HistoryResult.ts"
import type { HistoryDiff } from "../../protocol/history/HistoryDiff.ts"
import type { ReadExplanation } from "../../protocol/history/ReadExplanation.ts"
import type { RequestSettings } from "../../protocol/history/RequestDefaults.ts"
import type { UnknownPoint } from "../../protocol/history/UnknownPoint.ts"
import type { Backfill } from "../../protocol/messages/Backfill.ts"
import type { Coverage, CoverageFailure } from "../../protocol/messages/Coverage.ts"
import type { Undelivered } from "../../protocol/wire/Envelope.ts"
import { defaults as settings } from "../../protocol/Settings.ts"
import type { NoPlace } from "../../runtime/Places.ts"
import { Switches } from "../../runtime/Switches.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import type { DataSources } from "../sources/DataSource.ts"
import type { PastRoots } from "../sources/PastRoots.ts"
import type { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { coverageOf } from "./coverage.ts"
import { diff } from "./diff.ts"
import { forceFailFast } from "./failFast.ts"
import { explain } from "./explain.ts"
import { ensureAvailable, type NotAvailable } from "./ensureAvailable.ts"
import { read, type ReadFailure } from "./read.ts"
import * as ReadCursor from "./ReadCursor.ts"
import { ofResult, readParts, type RowFlow } from "./readParts.ts"
import {
  findSeries,
  invalid,
  parseEnsure,
  parseHistory,
  type RequestError,
  type RequestTerms,
  validate
} from "./validRequest.ts"

/** A history request that was answered: the answer, and whether the caller wants its account. */
export interface Answered {
  readonly result: HistoryResult
  readonly returnMeta: boolean
}

/** An answer as it goes by; in one piece too where it is there already. */
export interface Parted {
  readonly whole: HistoryResult | undefined
  readonly flow: RowFlow<never>
}

/** The public API. Requests are taken as they come, and checked. */
export class SeamlessDataProvider extends Context.Service<
  SeamlessDataProvider,
  {
    readonly read: (request: unknown) => Effect.Effect<Answered, RequestError | ReadFailure>
    /**
     * The same for who takes the rows as they go by, from a cursor on where one is given: of far longer ranges. Where
     * they are sure to go by, `place` is taken before anything is done for them.
     */
    readonly readParts: (
      request: unknown,
      cursor?: string,
      place?: Effect.Effect<void, NoPlace>
    ) => Effect.Effect<Parted, RequestError | ReadFailure | NoPlace>
    readonly ensureAvailable: (
      request: unknown
    ) => Effect.Effect<AvailabilityResult, RequestError | NotAvailable | CoverageFailure | Undelivered>
    readonly coverage: (
      request: unknown
    ) => Effect.Effect<CoverageReport, InvalidRequest | UnknownSeries | UnknownPoint | CoverageFailure | Undelivered>
    /** What a read of that request would do. */
    readonly explain: (
      request: unknown
    ) => Effect.Effect<ReadExplanation, RequestError | UnknownPoint | CoverageFailure>
    /** What differs between two versions of the coverage. */
    readonly diff: (request: unknown) => Effect.Effect<HistoryDiff, RequestError | UnknownPoint | CoverageFailure>
  }
>()("seamless/provider/SeamlessDataProvider") {}

const decodeCoverage = Schema.decodeUnknownEffect(CoverageRequest, { onExcessProperty: "error" })

/** What the verbs rest on. */
type Services = Coverage | Backfill | ChunkStore | DataSources | PastRoots | SeriesCatalog

/** What a provider is told of its environment. */
interface ProviderOptions {
  /** The most bars of one request whose answer is one message. */
  readonly barsMax: number
  /** The most bars of one whose answer is taken in parts. */
  readonly streamBarsMax?: number
  /** What requests say where they say nothing. */
  readonly requests?: RequestSettings
}

/** A request to read as it is answered, by the word of its caller and by that of operators. */
const readRequest = Effect.fnUntraced(function* (input: unknown, terms: RequestTerms) {
  const { asked, forced } = forceFailFast(yield* parseHistory(input), (yield* Switches)(), terms.defaults)
  return { ...(yield* validate(asked, terms)), ...forced }
})

const make = Effect.fnUntraced(function* ({
  barsMax,
  requests = {},
  streamBarsMax = settings.maxStreamBars
}: ProviderOptions) {
  const reading = { verb: "read", defaults: requests.read ?? {}, barsMax } as const
  const streaming = { ...reading, barsMax: Math.max(barsMax, streamBarsMax), inParts: true } as const
  const ensuring = { verb: "ensure", defaults: requests.ensure ?? {}, barsMax } as const
  const services = yield* Effect.context<Services>()
  const provide = Effect.provide(services)
  return SeamlessDataProvider.of({
    read: Effect.fnUntraced(function* (input: unknown) {
      const request = yield* readRequest(input, reading)
      return { result: yield* read(request), returnMeta: request.returnMeta }
    }, provide),
    readParts: Effect.fnUntraced(function* (
      input: unknown,
      token?: string,
      place: Effect.Effect<void, NoPlace> = Effect.void
    ) {
      const request = yield* readRequest(input, streaming)
      const cursor = token === undefined ? undefined : yield* ReadCursor.parse(request, token)
      if (cursor === undefined && barCount(request.entry.interval, ...request.range) <= barsMax) {
        const whole = yield* read(request)
        return { whole, flow: ofResult(request, whole) }
      }
      yield* place
      const flow = yield* readParts(request, cursor)
      return {
        whole: undefined,
        flow: { ...flow, next: provide(flow.next), account: provide(flow.account) }
      }
    }, provide),
    ensureAvailable: Effect.fnUntraced(function* (input: unknown) {
      return yield* ensureAvailable(yield* validate(yield* parseEnsure(input), ensuring))
    }, provide),
    explain: Effect.fnUntraced(function* (input: unknown) {
      // what is read in parts is explained too: an explanation has no rows
      return yield* explain(yield* readRequest(input, streaming))
    }, provide),
    diff: (input) => provide(diff(input)),
    coverage: Effect.fnUntraced(function* (input: unknown) {
      const request = yield* Effect.mapError(decodeCoverage(input), invalid)
      return yield* coverageOf(yield* findSeries(request), request)
    }, provide)
  })
})

/** The provider of a host. */
export const layer = (options: ProviderOptions): Layer.Layer<SeamlessDataProvider, never, Services> =>
  Layer.effect(SeamlessDataProvider, make(options))
