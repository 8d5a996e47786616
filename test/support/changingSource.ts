/** How do tests have a source that changes what it has given? On a host in memory. */
import { Clock, Effect, Option, Result } from "effect"
import type { DataSource } from "../../actors/sources/DataSource.ts"
import { fieldNames, ohlcv } from "../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import type { QualitySummary } from "../../protocol/history/QualitySummary.ts"
import type { Series } from "../../protocol/history/Series.ts"
import { readRoot } from "../../protocol/messages/readRoot.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"

/** The series of these tests. */
export const series = { nodeId: "a", interval: "1s" }
/** The length of its bars. */
export const secondMs = 1000
/** How long its bars may change: longer than a busy machine takes to answer a read. */
export const settleMs = 4000

/** One source, whose bars settle. */
export const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance", settleMs, finalityDelayMs: 0 } },
  series: [{ node: "a", intervals: ["1s"], sources: ["binance"], symbol: "A", windowBars: 60 }],
  retry: { baseMs: 10 }
}

/** A source with a bar in each second, whose price is what `priceOf` says when it is asked. */
export const sourceOf = (priceOf: (bar: number, asked: number) => number | null) => {
  const asked: Array<readonly [number, number]> = []
  const source: DataSource = {
    name: "binance",
    kind: "BACKFILL",
    capabilities: { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 },
    page: ({ end, start }) =>
      Effect.sync((): RawRows => {
        asked.push([start, end])
        const all = Array.from(
          { length: Math.min(100, (end - start) / secondMs) },
          (_, index) => start + index * secondMs
        )
        const bars = all.filter((bar) => priceOf(bar, asked.length) !== null)
        const prices = bars.map((bar) => priceOf(bar, asked.length) ?? 0)
        return {
          eventTime: Float64Array.from(bars),
          columns: fieldNames(ohlcv).map((name) => ({ name, values: Float64Array.from(prices) }))
        }
      })
  }
  return { source, asked }
}

/** What a read answers, as far as these tests look. */
export interface Answer {
  readonly columns: {
    readonly event_time: ReadonlyArray<number>
    readonly close: ReadonlyArray<number>
    readonly __flags: ReadonlyArray<number>
    readonly __ingest_at: ReadonlyArray<number>
  }
  readonly meta: {
    readonly qualitySummary: QualitySummary
    readonly fingerprint: string
    readonly missingRanges: ReadonlyArray<object>
  }
}

/** Reads some time, and has it filled. */
export const read = Effect.fnUntraced(function* (start: number, end: number) {
  const body = { ...series, start, end, strategy: "auto_backfill" }
  const reply = yield* (yield* Mesh).request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
  return JSON.parse(new TextDecoder().decode(reply.data)) as Answer
})

/** The root of a series that stands. */
export const rootOf = ({ interval, nodeId }: Series) =>
  Effect.gen(function* () {
    const key = Subject.series(nodeId, interval)
    const stored = yield* (yield* Mesh).read(Stream.coverage.name, keySubject(Stream.coverage, key))
    return Option.getOrThrow(
      Result.getOrThrow(
        readRoot(
          key,
          Option.flatMap(stored, ({ value }) => value)
        )
      )
    )
  })

/** The root of the series of these tests. */
export const rootNow = rootOf(series)

/** The end of the last bar that has ended. */
export const barNow = Effect.map(Clock.currentTimeMillis, (nowMs) => Math.floor(nowMs / secondMs) * secondMs)

/** Whether no bar may change any more. */
export const isSettled = Effect.map(rootNow, ({ unsettled }) => unsettled === undefined)
