/** Is a job opened for just what may be asked for, and is it noticed when whoever asks knows better? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, type Option } from "effect"
import { TestClock } from "effect/testing"
import * as CoverageRecord from "../../../actors/coverage/CoverageRecord.ts"
import { demands } from "../../../actors/coverage/demands.ts"
import * as JobRecords from "../../../actors/coverage/JobRecords.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Commit, Ensure } from "../../../protocol/messages/Coverage.ts"
import type { SeriesSettings } from "../../../protocol/Settings.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { LiveHosts } from "../../../runtime/LiveHosts.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type Stored } from "../../../runtime/Mesh.ts"

const series = { nodeId: "a", interval: "1m" }
const address = { type: "coverage", key: Subject.series("a", "1m") }
const minuteMs = 60_000

const hosts = Layer.succeed(LiveHosts, {
  incarnation: "me",
  isDead: () => Effect.succeed(false),
  isValid: Effect.succeed(true)
})

const stores = Layer.mergeAll(ChunkStore.layer(1024), hosts).pipe(Layer.provideMerge(MemoryMesh.layer))

const minutes = (...pairs: ReadonlyArray<Range>): RangeSet.RangeSet =>
  RangeSet.make(pairs.map(([start, end]): Range => [start * minuteMs, end * minuteMs]))

/** The demands on a series of which this is configured, at a time at which bars of the first 1,000 minutes are final. */
const open = Effect.fnUntraced(function* (limits: Partial<SeriesSettings> = {}) {
  yield* TestClock.setTime(1000 * minuteMs + 1000)
  const catalog = SeriesCatalog.make({
    sources: { binance: { kind: "exchange", exchange: "binance" } },
    series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "A", ...limits }]
  })
  const entry = yield* catalog.find("a", "1m")
  const record = yield* CoverageRecord.open(entry, { address, owner: "me", slot: "3", slotEpoch: 1 })
  const { ensure } = demands(record, yield* JobRecords.open(series))
  const demand = (ranges: RangeSet.RangeSet): Ensure => ({
    series,
    ranges,
    sources: ["binance"],
    jobClass: "interactive",
    cause: "request-1",
    traceParent: ""
  })
  return {
    record,
    /** What jobs are to bring of these minutes. */
    ensure: (...pairs: ReadonlyArray<Range>) =>
      Effect.map(ensure(demand(minutes(...pairs))), ({ jobs }) =>
        jobs.flatMap(({ ranges }) => toPairs(ranges).map(([start, end]) => [start / minuteMs, end / minuteMs]))
      )
  }
})

const wordOn = ([start, end]: Range, state: MissingRange["state"], retryAt: number | null = null): Commit => ({
  series,
  windows: [],
  answered: minutes([start, end]),
  exceptions: [{ start: start * minuteMs, end: end * minuteMs, state, reason: "for the test", retryAt }],
  jobs: [],
  source: "binance",
  cause: "request-0"
})

describe("ensure()", () => {
  it.effect("ensure() opens no job for time out of the series' reach, and one for the rest", () =>
    Effect.gen(function* () {
      const { ensure } = yield* open({ listedAt: 10 * minuteMs, delistedAt: 990 * minuteMs })
      assert.deepStrictEqual(yield* ensure([0, 10], [995, 2000]), [])
      assert.deepStrictEqual(yield* ensure([0, 20], [980, 2000]), [
        [10, 20],
        [980, 990]
      ])
    }).pipe(Effect.provide(stores))
  )

  it.effect("ensure() opens no job for bars that are not final yet", () =>
    Effect.gen(function* () {
      const { ensure } = yield* open()
      assert.deepStrictEqual(yield* ensure([1000, 1010]), [])
      assert.deepStrictEqual(yield* ensure([995, 1010]), [[995, 1000]])
    }).pipe(Effect.provide(stores))
  )

  it.effect("ensure() opens a job for time that was answered in vain only when it may be asked for again", () =>
    Effect.gen(function* () {
      const { ensure, record } = yield* open()
      yield* record.commit(wordOn([0, 10], "deferred", 1001 * minuteMs))
      assert.deepStrictEqual(yield* ensure([0, 10]), [])
      yield* TestClock.setTime(1001 * minuteMs)
      assert.deepStrictEqual(yield* ensure([0, 10]), [[0, 10]])
    }).pipe(Effect.provide(stores))
  )

  it.effect("ensure() of time that can't be had, by a record that storage has lost, ends the activation", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const root = keySubject(Stream.coverage, address.key)
      let stands: Option.Option<Stored> | undefined
      const read: typeof mesh.read = (stream, subject) =>
        stands !== undefined && subject === root ? Effect.succeed(stands) : mesh.read(stream, subject)
      const { ensure, record } = yield* open().pipe(Effect.provideService(Mesh, Mesh.of({ ...mesh, read })))
      yield* record.commit(wordOn([20, 30], "unavailable"))
      const before = yield* mesh.read(Stream.coverage.name, root)
      yield* record.commit(wordOn([0, 10], "unavailable"))
      assert.deepStrictEqual(yield* ensure([0, 10]), [])
      stands = before
      assert.strictEqual((yield* Effect.flip(ensure([0, 10])))._tag, "Fenced")
    }).pipe(Effect.provide(stores))
  )
})
