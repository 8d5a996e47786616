/**
 * How does a test commit to one series again and again?
 *
 * A host of the product on a mesh, in this process, whose only source has nothing unless told otherwise: what is stored is put and committed
 * as workers do it, to the coverage actor.
 */
import { Context, Effect, Layer, Result } from "effect"
import * as ChunkStore from "../../actors/sources/ChunkStore.ts"
import { makeMemory } from "../../actors/sources/memorySource.ts"
import * as SeamlessDataProvider from "../../actors/provider/SeamlessDataProvider.ts"
import { conform } from "../../actors/conformance/conform.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import * as Chunk from "../../protocol/history/Chunk.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import * as memoryHost from "./memoryHost.ts"
import { flatBars, options } from "./rows.ts"

/** The series, and its windows of an hour of minutes. */
export const series = { nodeId: "ohlcv:test:LONG/USD", interval: "1m" }
export const windowMinutes = 60
export const windowMs = windowMinutes * 60_000

/** A configuration that keeps the series. */
export const configurationOf = (more: Partial<Configuration> = {}): Configuration => ({
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: series.nodeId, intervals: ["1m"], sources: ["binance"], symbol: "LONG", windowBars: windowMinutes }],
  ...more
})

const capabilities = { barsPerRequest: 1000, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 }

/** One window's rows: the minutes that have a bar, and their price. */
export interface Told {
  readonly window: number
  readonly minutes: ReadonlyArray<number>
  readonly price: number
}

/** A host, and what the test does to the series through it. */
export const start = Effect.fnUntraced(function* (
  configuration = configurationOf(),
  hostId = "memory",
  bars: ReadonlyMap<string, RawRows> = new Map()
) {
  const sources = [makeMemory({ name: "binance", capabilities, bars })]
  const host = yield* memoryHost.start({ configuration, sources }, hostId)
  const coverage = Context.get(host, Coverage)
  const store = Context.get(host, ChunkStore.ChunkStore)
  const services = Layer.provide(SeamlessDataProvider.layer({ barsMax: 50_000 }), Layer.succeedContext(host))
  const provider = Context.get(yield* Layer.build(services), SeamlessDataProvider.SeamlessDataProvider)
  const bases = new Map<number, string>()

  /** The chunk of a window that is covered as a whole. */
  const chunkOf = ({ minutes, price, window }: Told) => {
    const start = window * windowMs
    const rows = flatBars(
      minutes.map((minute) => window * windowMinutes + minute),
      minutes.map((minute) => price + minute)
    )
    const { frame } = Result.getOrThrow(conform(rows, { ...options, ingestAtMs: price }))
    return Chunk.encode(frame, {
      series,
      windowStart: start,
      windowBars: windowMinutes,
      source: "binance",
      ranges: RangeSet.of(start, start + windowMs),
      base: bases.get(window) ?? null,
      schemaVersion: 1
    })
  }

  /** Stores a window's rows in the place of those that were there, and commits them; gives the version. */
  const commit = Effect.fnUntraced(function* (told: Told) {
    const chunk = chunkOf(told)
    const windowStart = told.window * windowMs
    yield* store.putChunk(series, windowStart, chunk)
    const base = bases.get(told.window) ?? null
    const { version } = yield* coverage.commit({
      series,
      windows: [{ windowStart, generation: 0, base, chunk: chunk.ref }],
      answered: chunk.ref.ranges,
      exceptions: [],
      jobs: [],
      source: "binance",
      cause: "test"
    })
    bases.set(told.window, chunk.ref.id)
    return version
  })

  /** Reads some windows, at their newest or as of a point. */
  const read = (windows: readonly [number, number], more: object = {}) =>
    Effect.map(
      provider.read({
        ...series,
        start: windows[0] * windowMs,
        end: windows[1] * windowMs,
        strategy: "partial_fill",
        ...more
      }),
      ({ result }) => result
    )

  return { host, coverage, store, provider, chunkOf, commit, read }
})
