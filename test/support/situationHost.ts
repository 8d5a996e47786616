/**
 * How does a test get a host that finds what it is to find: gaps, a source or a storage that is slow or down?
 *
 * The product's own layers in memory. Each row of a situation has a series of its own, so that all of them are read at
 * once and none finds what another one has filled.
 */
import { Context, Deferred, Effect, Exit, Layer, Scope } from "effect"
import * as SeamlessDataProvider from "../../actors/provider/SeamlessDataProvider.ts"
import { type DataSource, RequestFailed } from "../../actors/sources/DataSource.ts"
import { makeMemory } from "../../actors/sources/memorySource.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { Configuration, SeriesSettings } from "../../protocol/Settings.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { quietBars } from "./candles.ts"
import { away, makeFaultyMesh } from "./faultyMesh.ts"
import * as memoryHost from "./memoryHost.ts"
import { intervalOf, rawOf } from "./rows.ts"
import type { Situation } from "./strategyTable.ts"

/** The source of every series. */
export const sourceName = "files"

/** Bars of the range of a row. */
export const rangeBars = 30
/** A larger gap is not waited for by `seamless`, as the environment has it. */
const syncGapBars = 15

const intervalIn = (situation: Situation): string => (situation === "live edge" ? "1w" : "1m")

/** Which bars of the range are filled beforehand. */
const stored: Readonly<Record<Situation, ReadonlyArray<readonly [number, number]>>> = {
  "all covered": [[0, 30]],
  "small gap": [
    [0, 10],
    [20, 30]
  ],
  "large gap": [[0, 10]],
  "all missing": [],
  "source slow": [[0, 20]],
  "source down": [[0, 20]],
  "storage slow": [[0, 30]],
  "storage down": [[0, 30]],
  "live edge": [[0, 20]]
}

/** How many bars are stored beforehand, and how many of these a host has in memory whose storage gives nothing. */
export const storedBars = (situation: Situation): number =>
  stored[situation].reduce((sum, [from, to]) => sum + to - from, 0)
export const warmBars = 10

// without a bar that lacks trades, and long enough that the host's own look beyond the range finds bars, too
const barsBefore = 20
const barsBehind = 60

const seriesOf = (name: string, interval: string): SeriesSettings => ({
  node: name,
  intervals: [interval],
  sources: [sourceName],
  symbol: name,
  windowBars: 10
})

// what a read says that says nothing
const requests = { read: { slaByStrategy: { seamless: { maxSyncGapBars: syncGapBars } } } } as const

const configurationOf = ([first = "", ...others]: ReadonlyArray<string>, interval: string): Configuration => ({
  sources: { [sourceName]: { kind: "exchange", exchange: "binance", breakerFailures: 1_000_000 } },
  retry: { attempts: 1000, baseMs: 100, maxMs: 100 },
  requests,
  series: [seriesOf(first, interval), ...others.map((name) => seriesOf(name, interval))]
})

/** The range of every row: minutes of a day long ago, or weeks up to ten that have not ended yet. */
const rangeOf = (situation: Situation, nowMs: number): Range => {
  const { lengthMs } = intervalOf(intervalIn(situation))
  // a week does not end while a test runs, but once a week
  const start =
    situation === "live edge"
      ? Interval.alignDown(intervalOf("1w"), nowMs) - storedBars(situation) * lengthMs
      : Date.UTC(2022, 11, 13)
  return [start, start + rangeBars * lengthMs]
}

/** What is wrong while the rows are read. */
interface Weather {
  /** Series whose source gives no answer until it is let go. */
  held: ReadonlySet<string>
  isDown: boolean
  /** Requests that the source was sent, by series. */
  readonly asked: Map<string, number>
}

/** Asks one verb in JSON; gives the body of its reply, also of one that is an error. */
export const ask = Effect.fnUntraced(function* (verb: "read" | "ensure", body: object) {
  const mesh = yield* Mesh
  const reply = yield* mesh.request(Subject.service[verb], Codec.toJson(body), { timeoutMs: 60_000 })
  return JSON.parse(new TextDecoder().decode(reply.data)) as Readonly<Record<string, unknown>>
})

/** A source whose bars go beyond the range on both sides, in any weather. */
const sourceIn = (weather: Weather, letGo: Deferred.Deferred<void>, bars: ReadonlyMap<string, RawRows>): DataSource => {
  const memory = makeMemory({
    name: sourceName,
    capabilities: { barsPerRequest: 100, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 },
    bars
  })
  const page: DataSource["page"] = (request) =>
    Effect.gen(function* () {
      const { symbol } = request
      weather.asked.set(symbol, (weather.asked.get(symbol) ?? 0) + 1)
      if (weather.held.has(symbol)) yield* Deferred.await(letGo)
      if (!weather.isDown) return yield* memory.page(request)
      return yield* new RequestFailed({ reason: "HTTP 503", retryable: false, retryAfterMs: null })
    })
  return { ...memory, page }
}

const barsAround = (situation: Situation, [start]: Range): RawRows => {
  const { lengthMs } = intervalOf(intervalIn(situation))
  const count = situation === "live edge" ? barsBefore + storedBars(situation) : barsBefore + rangeBars + barsBehind
  const { eventTime, ...rows } = rawOf(quietBars(count, {}, lengthMs))
  const first = start - barsBefore * lengthMs
  return { ...rows, eventTime: Float64Array.from(eventTime, (time) => first + Number(time)) }
}

/** Keeps what is stored from whoever reads it: for good, or until the storage is let go. */
const spoil = (situation: Situation, letGo: Deferred.Deferred<void>) => (stream: string) => {
  if (stream !== Stream.chunks.name && stream !== Stream.pages.name) return Effect.void
  return situation === "storage down" ? away(`read ${stream}`) : Deferred.await(letGo)
}

/** A host for the rows of a situation, by their names; the source gives those in `held` no answer for now. */
export const start = Effect.fnUntraced(function* (
  situation: Situation,
  { held, names }: { readonly names: ReadonlyArray<string>; readonly held: ReadonlySet<string> }
) {
  const interval = intervalIn(situation)
  const range = rangeOf(situation, Date.now())
  const weather: Weather = { held: new Set(), isDown: false, asked: new Map() }
  const letGo = yield* Deferred.make<void>()
  const bars = barsAround(situation, range)
  const source = sourceIn(weather, letGo, new Map(names.map((name) => [name, bars])))
  const settings = { configuration: configurationOf(names, interval), sources: [source] }
  const { faults, layer } = yield* makeFaultyMesh
  const provide = Effect.provide(layer)
  const each = (verb: "read" | "ensure", [from, to]: readonly [number, number]) => {
    const { lengthMs } = intervalOf(interval)
    const part = { start: range[0] + from * lengthMs, end: range[0] + to * lengthMs }
    return Effect.forEach(
      names,
      (nodeId) => ask(verb, { nodeId, interval, ...part, sla: { totalDeadlineMs: 30_000 } }),
      { concurrency: "unbounded" }
    )
  }
  const first = yield* Scope.make()
  let host = yield* provide(Scope.provide(memoryHost.start(settings, "a"), first))
  yield* provide(Effect.forEach(stored[situation], (part) => each("ensure", part)))
  const isStorage = situation === "storage slow" || situation === "storage down"
  if (isStorage) {
    // another host has nothing in memory yet
    yield* Scope.close(first, Exit.void)
    host = yield* provide(memoryHost.start(settings, "b"))
    yield* provide(each("read", [0, warmBars]))
    faults.reading = spoil(situation, letGo)
  } else yield* Effect.addFinalizer(() => Scope.close(first, Exit.void))
  weather.asked.clear()
  weather.held = held
  weather.isDown = situation === "source down"
  const recover = Effect.gen(function* () {
    weather.isDown = false
    faults.reading = () => Effect.void
    yield* Deferred.succeed(letGo, undefined)
  })
  /** One of whose messages may have so many bars. */
  const providerOf = (barsMax: number) =>
    Effect.map(
      Layer.build(Layer.provide(SeamlessDataProvider.layer({ barsMax, requests }), Layer.succeedContext(host))),
      Context.get(SeamlessDataProvider.SeamlessDataProvider)
    )
  const providers = { whole: yield* providerOf(rangeBars), inParts: yield* providerOf(warmBars) }
  return { interval, range, asked: weather.asked, recover, provide, providers }
})
