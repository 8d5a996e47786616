/**
 * Which series does the bench read as it goes by?
 *
 * Minute bars, a chunk a day, as a backfill stores them; as many days as it is told.
 */
import { Effect } from "effect"
import { ChunkStore } from "../../actors/sources/ChunkStore.ts"
import { float64 } from "../../protocol/frame/Column.ts"
import { fieldNames, ohlcv } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import * as Chunk from "../../protocol/history/Chunk.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import type { Configuration } from "../../protocol/Settings.ts"

/** The series. */
export const series = { nodeId: "ohlcv:binance:BTC/USDT", interval: "1m" }

/** Length of a bar. */
export const barMs = 60_000
const firstMs = Date.UTC(2012, 0, 1)
const source = "binance"

/** Bars of a window. */
export const windowBars = 1440

/** Windows whose chunks are committed at once. */
const windowsPerCommit = 200

/** So many windows from so many behind the first. */
export const rangeOf = (window: number, count: number): Range => {
  const start = firstMs + window * windowBars * barMs
  return [start, start + count * windowBars * barMs]
}

/** A host that keeps the series, with as much memory as hosts have. */
export const configuration: Configuration = {
  sources: { [source]: { kind: "exchange", exchange: source, baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: series.nodeId, intervals: [series.interval], sources: [source], symbol: "BTC/USDT" }]
}

/** Prices that wander by a rule, so that no two chunks are alike. */
const frameOf = (window: number): Frame => {
  const [start, end] = rangeOf(window, 1)
  const prices = Float64Array.from({ length: windowBars }, (_, row) => 20_000 + ((window * windowBars + row) % 977) / 4)
  return {
    eventTimeMs: prices.map((_, row) => start + row * barMs),
    columns: fieldNames(ohlcv).map((name, index) =>
      float64(
        name,
        prices.map((price) => price + index)
      )
    ),
    flags: new Uint32Array(windowBars).fill(RowFlag.backfilled),
    lineage: [{ rows: windowBars, source, ingestAtMs: end, jobId: `${start}.1` }]
  }
}

const chunkOf = (window: number): Chunk.EncodedChunk => {
  const range = rangeOf(window, 1)
  const ranges = RangeSet.of(...range)
  const about = { series, windowStart: range[0], windowBars, source, ranges, base: null, schemaVersion: 1 }
  return Chunk.encode(frameOf(window), about)
}

/** Stores and commits so many windows, as workers do. */
export const store = Effect.fnUntraced(function* (windowCount: number) {
  const coverage = yield* Coverage
  const chunks = yield* ChunkStore
  for (let first = 0; first < windowCount; first += windowsPerCommit) {
    const count = Math.min(windowsPerCommit, windowCount - first)
    const windows = Array.from({ length: count }, (_, index) => first + index)
    const stored = yield* Effect.forEach(
      windows,
      (window) => {
        const chunk = chunkOf(window)
        const [windowStart] = rangeOf(window, 1)
        const commit = { windowStart, generation: 0, base: null, chunk: chunk.ref }
        return Effect.as(chunks.putChunk(series, windowStart, chunk), commit)
      },
      { concurrency: 8 }
    )
    yield* coverage.commit({
      series,
      windows: stored,
      answered: RangeSet.of(...rangeOf(first, count)),
      exceptions: [],
      jobs: [],
      source,
      cause: "bench"
    })
  }
})
