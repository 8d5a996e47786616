/** Does an answer have each bar from the source that the rules of its series prefer, and is it the same data then? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { loadRows } from "../../../actors/provider/loadRows.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import type { ConformanceRules } from "../../../protocol/frame/ConformanceRules.ts"
import type { Frame } from "../../../protocol/frame/Frame.ts"
import * as Chunk from "../../../protocol/history/Chunk.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { entry, minute, requestOf, viewOf } from "../../support/requests.ts"
import { conformed, flatBars } from "../../support/rows.ts"

const stores = ChunkStore.layer(1024 * 1024).pipe(Layer.provide(MemoryMesh.layer))

const ranges = RangeSet.of(0, 10 * minute)

/** What a source has of the first window: a bar at each of the minutes, all of one price, come in at one time. */
const chunkOf = (source: string, minutes: ReadonlyArray<number>, price: number, ingestAtMs: number) => {
  const bars = flatBars(
    minutes,
    minutes.map(() => price)
  )
  return Chunk.encode(conformed(bars, { source, ingestAtMs }).frame, {
    series: entry.series,
    windowStart: 0,
    windowBars: 10,
    source,
    ranges,
    base: null,
    schemaVersion: 1
  })
}

const first = chunkOf("binance", [0, 1, 2, 9], 1, 1000)
const second = chunkOf("kraken", [1, 2, 3], 2, 2000)

/** The answer about the whole window, by rules and in an order of preference. */
const load = Effect.fnUntraced(function* (
  rules: ConformanceRules,
  sources = ["binance", "kraken"],
  stored: ReadonlyArray<Chunk.EncodedChunk> = [second, first]
) {
  const store = yield* ChunkStore.ChunkStore
  for (const chunk of stored) yield* store.putChunk(entry.series, 0, chunk)
  const chunks = stored.map(({ ref }) => ref)
  const page = { format: 1, index: 0, windows: [{ windowStart: 0, generation: 0, chunks }] } as const
  const id = yield* store.putPage(entry.series, page)
  const view = viewOf(ranges)
  const root = { ...view.root, pages: [{ index: 0, id }] }
  return yield* loadRows(requestOf({ entry: { ...entry, rules }, sources }), { ...view, root })
}, Effect.provide(stores))

const table = ({ columns, eventTimeMs }: Frame) =>
  Array.from(eventTimeMs, (timeMs, row) => [timeMs / minute, columns[3]?.values[row]])

const shares = (contributions: ReadonlyMap<string, RangeSet.RangeSet>) =>
  Object.fromEntries(
    Array.from(contributions, ([source, set]) => [source, toPairs(set).map((pair) => pair.map((at) => at / minute))])
  )

describe("loadRows()", () => {
  it.effect("loadRows() takes all of the time from the preferred source that covers it, unless the rules differ", () =>
    Effect.gen(function* () {
      const { contributions, frame } = yield* load({})
      assert.deepEqual(table(frame), [
        [0, 1],
        [1, 1],
        [2, 1],
        [9, 1]
      ])
      assert.deepEqual(shares(contributions), { binance: [[0, 10]] })
    })
  )

  it.effect("loadRows() takes each bar from the last writer where the rules say so, and tells whose it is", () =>
    Effect.gen(function* () {
      const { contributions, frame } = yield* load({ conflict: "ingestTime" })
      assert.deepEqual(table(frame), [
        [0, 1],
        [1, 2],
        [2, 2],
        [3, 2],
        [9, 1]
      ])
      assert.deepEqual(shares(contributions), {
        binance: [
          [0, 1],
          [4, 10]
        ],
        kraken: [[1, 4]]
      })
    })
  )

  it.effect("loadRows() gives the last writer's rows one fingerprint, whoever is preferred", () =>
    Effect.gen(function* () {
      const one = yield* load({ conflict: "ingestTime" })
      const other = yield* load({ conflict: "ingestTime" }, ["kraken", "binance"])
      assert.deepEqual(table(other.frame), table(one.frame))
      assert.equal(other.fingerprint, one.fingerprint)
      assert.notEqual((yield* load({})).fingerprint, one.fingerprint)
    })
  )

  it.effect("loadRows() gives the same rows one fingerprint, in whichever chunks they lie and whosever they are", () =>
    Effect.gen(function* () {
      const minutes = Array.from({ length: 10 }, (_, at) => at)
      const even = minutes.filter((at) => at % 2 === 0)
      const odd = minutes.filter((at) => at % 2 === 1)
      const rules: ConformanceRules = { conflict: "ingestTime" }
      const one = yield* load(rules, ["binance", "kraken"], [chunkOf("kraken", minutes, 2, 2000)])
      const apart = [chunkOf("binance", even, 2, 2000), chunkOf("kraken", odd, 2, 1000)]
      const other = yield* load(rules, ["binance", "kraken"], apart)
      assert.deepEqual(shares(other.contributions)["binance"]?.length, 5)
      assert.equal(other.fingerprint, one.fingerprint)
    })
  )
})
