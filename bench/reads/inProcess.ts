/** How long does a read take that no message carries: with its fingerprint and its account? */
import assert from "node:assert/strict"
import { Context, Effect, Layer, Logger } from "effect"
import { DataSources } from "../../actors/sources/DataSource.ts"
import * as SeamlessDataProvider from "../../actors/provider/SeamlessDataProvider.ts"
import * as services from "../../bin/layers/services.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { quantile } from "../ask/quantile.ts"
import { configurationOf, rangeOf, series, store, windowBars, windowCount } from "./story.ts"

const cacheBytes = 256 * 1024 * 1024

/** Reads a range, and checks that it is all there. */
export type Read = (range: Range) => Effect.Effect<void>

/** A host in this process that keeps so many bytes in memory and has the bench's series stored; gives its reads. */
export const startHost = Effect.fnUntraced(function* (
  mesh: Layer.Layer<Mesh, MeshUnavailable>,
  keptBytes: number = cacheBytes
) {
  const configuration = configurationOf(keptBytes)
  const host = Layer.provideMerge(
    SeamlessDataProvider.layer({ barsMax: windowCount * windowBars }),
    services.layer({ configuration, configurationHash: "", hostId: "bench", types: [], labels: [] })
  ).pipe(Layer.provide(Layer.succeed(DataSources, new Map())), Layer.provide(mesh), Layer.provide(Logger.layer([])))
  const context = yield* Layer.build(host)
  yield* Effect.provideContext(store, context)
  const provider = Context.get(context, SeamlessDataProvider.SeamlessDataProvider)
  const read: Read = ([start, end]) =>
    Effect.orDie(
      Effect.map(provider.read({ ...series, start, end }), ({ result: { df, meta } }) => {
        assert.equal(df.eventTimeMs.length, meta.qualitySummary.expectedBars)
      })
    )
  return read
})

/** How long reads of so many bars take, in milliseconds: the middle one, and the one that few are slower than. */
interface Took {
  readonly p50Ms: number
  readonly p99Ms: number
}

const readFor = Effect.fnUntraced(function* (read: Read, bars: number, forMs: number) {
  const range = rangeOf(0, bars)
  const tookMs: Array<number> = []
  const startedMs = performance.now()
  do {
    const askedMs = performance.now()
    yield* read(range)
    tookMs.push(performance.now() - askedMs)
  } while (performance.now() - startedMs < forMs)
  return { p50Ms: quantile(tookMs, 0.5), p99Ms: quantile(tookMs, 0.99) } satisfies Took
})

/** Reads so many bars from memory again and again, each number of bars for so long. */
export const readInProcess = Effect.fnUntraced(function* (bars: ReadonlyArray<number>, forMs: number) {
  const read = yield* startHost(MemoryMesh.layer)
  yield* Effect.forEach(bars, (count) => readFor(read, count, forMs))
  return yield* Effect.forEach(bars, (count) => readFor(read, count, forMs))
}, Effect.scoped)
