/**
 * Which series does the bench read?
 *
 * Minute bars of 70 days, a chunk a day, as a backfill stores them. The bytes are the same in each run and process, so
 * whoever wants to read a chunk knows its name.
 */
import { Effect, Result } from "effect"
import { conform } from "../../actors/conformance/conform.ts"
import { ChunkStore } from "../../actors/sources/ChunkStore.ts"
import { ohlcv } from "../../protocol/frame/DataSchema.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import * as Chunk from "../../protocol/history/Chunk.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import * as Subject from "../../protocol/wire/Subject.ts"

/** The series. */
export const series = { nodeId: "ohlcv:binance:BTC/USDT", interval: "1m" }

const barMs = 60_000
const firstMs = Date.UTC(2022, 0, 1)

/** Bars of a window. */
export const windowBars = 1440

/** Windows that have bars: all of them in each minute. */
export const windowCount = 70

const source = "binance"

const [interval] = Interval.parse("1m").pipe((parsed) => (parsed._tag === "Some" ? [parsed.value] : []))

/** So many bars from so many bars behind the first. */
export const rangeOf = (from: number, bars: number): Range => [firstMs + from * barMs, firstMs + (from + bars) * barMs]

/** A host that keeps the series, and so many bytes of it in memory. */
export const configurationOf = (cacheBytes: number): Configuration => ({
  sources: { [source]: { kind: "exchange", exchange: source, baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: series.nodeId, intervals: [series.interval], sources: [source], symbol: "BTC/USDT" }],
  limits: { cacheBytes }
})

/** Prices that wander by a rule, so that no two chunks are alike. */
const rowsOf = (window: number) => {
  const [start] = rangeOf(window * windowBars, windowBars)
  const times = Float64Array.from({ length: windowBars }, (_, row) => start + row * barMs)
  const prices = times.map((_, row) => 20_000 + ((window * windowBars + row) % 977) / 4)
  const columns = {
    open: prices,
    high: prices.map((price) => price + 1),
    low: prices.map((price) => price - 1),
    close: prices.map((price) => price + 0.5),
    volume: prices.map((price) => price / 7)
  }
  return { eventTime: times, columns: Object.entries(columns).map(([name, values]) => ({ name, values })) }
}

const chunkOf = (window: number): Chunk.EncodedChunk => {
  const [start, end] = rangeOf(window * windowBars, windowBars)
  const { frame } = Result.getOrThrow(
    conform(rowsOf(window), {
      schema: ohlcv,
      interval: interval!,
      source,
      ingestAtMs: end,
      jobId: `${start}.1`,
      flags: RowFlag.backfilled
    })
  )
  const ranges = RangeSet.of(start, end)
  return Chunk.encode(frame, { series, windowStart: start, windowBars, source, ranges, base: null, schemaVersion: 1 })
}

const subjectOf = (window: number, id: string): string =>
  Subject.chunk(Subject.series(series.nodeId, series.interval), rangeOf(window * windowBars, 1)[0], id)

const windows = Array.from({ length: windowCount }, (_, window) => window)

/** Where the chunk of each window is stored. */
export const chunkSubjects = (): ReadonlyArray<string> =>
  windows.map((window) => subjectOf(window, chunkOf(window).ref.id))

/** Stores and commits all windows, as workers do, unless that was done before. */
export const store = Effect.gen(function* () {
  const coverage = yield* Coverage
  const chunks = yield* ChunkStore
  const { root } = yield* coverage.of(series)
  if (root.version > 0) return
  const encoded = windows.map(chunkOf)
  yield* Effect.forEach(encoded, (chunk, window) => chunks.putChunk(series, rangeOf(window * windowBars, 1)[0], chunk))
  const { version } = yield* coverage.commit({
    series,
    windows: encoded.map(({ ref }, window) => ({
      windowStart: rangeOf(window * windowBars, 1)[0],
      generation: 0,
      base: null,
      chunk: ref
    })),
    answered: RangeSet.of(...rangeOf(0, windowCount * windowBars)),
    exceptions: [],
    jobs: [],
    source,
    cause: "bench"
  })
  yield* coverage.of(series, { minVersion: version })
})
