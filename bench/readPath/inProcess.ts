/** How long does a read take that no message carries: with its fingerprint and its account, from the cache? */
import assert from "node:assert/strict"
import { Effect, Layer, Logger } from "effect"
import { DataSources } from "../../actors/sources/DataSource.ts"
import * as SeamlessDataProvider from "../../actors/provider/SeamlessDataProvider.ts"
import * as services from "../../bin/layers/services.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { quantile } from "../ask/quantile.ts"
import { configurationOf, rangeOf, series, store } from "./story.ts"

const cacheBytes = 256 * 1024 * 1024

const configuration = configurationOf(cacheBytes)

const host = Layer.provideMerge(
  SeamlessDataProvider.layer({ barsMax: configuration.limits?.maxBars ?? 0 }),
  services.layer({ configuration, configurationHash: "", hostId: "bench", types: [], labels: [] })
).pipe(
  Layer.provide(Layer.succeed(DataSources, new Map())),
  Layer.provide(MemoryMesh.layer),
  Layer.provide(Logger.layer([]))
)

/** How long reads of so many bars take, in milliseconds: the middle one, and the one that few are slower than. */
export interface Took {
  readonly p50Ms: number
  readonly p99Ms: number
}

const readFor = Effect.fnUntraced(function* (bars: number, forMs: number) {
  const provider = yield* SeamlessDataProvider.SeamlessDataProvider
  const [start, end] = rangeOf(0, bars)
  const tookMs: Array<number> = []
  const startedMs = performance.now()
  do {
    const askedMs = performance.now()
    const { result } = yield* provider.read({ ...series, start, end })
    tookMs.push(performance.now() - askedMs)
    assert.equal(result.df.eventTimeMs.length, bars)
  } while (performance.now() - startedMs < forMs)
  return { p50Ms: quantile(tookMs, 0.5), p99Ms: quantile(tookMs, 0.99) } satisfies Took
})

/** Reads so many bars again and again, each number of bars for so long. */
export const readInProcess = (bars: ReadonlyArray<number>, forMs: number): Promise<ReadonlyArray<Took>> =>
  Effect.gen(function* () {
    const context = yield* Layer.build(host)
    return yield* Effect.gen(function* () {
      yield* store
      yield* Effect.forEach(bars, (count) => readFor(count, forMs))
      return yield* Effect.forEach(bars, (count) => readFor(count, forMs))
    }).pipe(Effect.provideContext(context))
  }).pipe(Effect.scoped, Effect.runPromise)
