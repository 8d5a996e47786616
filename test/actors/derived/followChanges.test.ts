/** Does a step that is done again, or done upon a history with a gap, leave the series as it has to be? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { begin, followChanges, type Pair } from "../../../actors/derived/followChanges.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { SeriesCatalog } from "../../../actors/sources/SeriesCatalog.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { Backfill } from "../../../protocol/messages/Backfill.ts"
import { Coverage } from "../../../protocol/messages/Coverage.ts"
import type { Following } from "../../../protocol/messages/Derived.ts"
import { invalidateMessage } from "../../../protocol/messages/Operate.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { ask } from "../../../runtime/ActorSystem.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { flatBars } from "../../support/rows.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const minuteMs = 60_000
const minutes = Array.from({ length: 100 }, (_, index) => 1000 + index)

/** A host with a series that is filled; nobody follows what it is made of but the test. */
const setUp = Effect.gen(function* () {
  const capabilities = { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 }
  const source = makeMemory({ name: "binance", capabilities, bars: new Map([["A", flatBars(minutes)]]) })
  const host = yield* memoryHost.start({
    configuration: {
      sources: { binance: { kind: "exchange", exchange: "binance" } },
      series: [
        { node: "a", intervals: ["1m"], sources: ["binance"], symbol: "A", windowBars: 20 },
        // as if it were made of the other, which the host does not know
        { node: "a", intervals: ["5m"], sources: ["binance"], symbol: "A", windowBars: 4 }
      ]
    },
    sources: [source]
  })
  const provide = Effect.provide(host)
  const { find } = yield* provide(SeriesCatalog)
  const pair: Pair = { entry: yield* find("a", "5m"), finer: yield* find("a", "1m") }
  const coverage = yield* provide(Coverage)
  const fill = Effect.fnUntraced(function* ({ series, sources }: Pair["entry"]) {
    const ranges = RangeSet.of(1000 * minuteMs, 1100 * minuteMs)
    const demand = { series, ranges, sources, jobClass: "interactive", cause: "", traceParent: "" } as const
    const { jobs } = yield* coverage.ensure(demand)
    yield* (yield* provide(Backfill)).settled(jobs)
  })
  yield* fill(pair.finer)
  yield* fill(pair.entry)
  const covered = Effect.map(coverage.of(pair.entry.series, { fresh: true }), (view) =>
    toPairs(view.covered).map(([from, to]) => [from / minuteMs, to / minuteMs])
  )
  const askInvalidate = ask(invalidateMessage)
  const takeOut = Effect.fnUntraced(function* (from: number, to: number) {
    const { series } = pair.finer
    const word = { series, ranges: RangeSet.of(from * minuteMs, to * minuteMs), who: "alice", reason: "" }
    const { version } = yield* provide(askInvalidate(Subject.series(series.nodeId, series.interval), word))
    yield* coverage.of(series, { minVersion: version })
  })
  const stepAs = (as: Pair, before: Following) => provide(followChanges(as, before, false))
  const step = (before: Following) => stepAs(pair, before)
  return { pair, covered, stepAs, fill: fill(pair.entry), takeOut, step, begun: yield* provide(begin(pair)) }
})

const holes = [
  [1000, 1010],
  [1015, 1050],
  [1060, 1100]
]

describe("followChanges()", () => {
  it.live("followChanges() takes over several changes at once, and the same step once more changes nothing", () =>
    Effect.gen(function* () {
      const { begun, covered, step, takeOut } = yield* setUp
      assert.deepStrictEqual(yield* covered, [[1000, 1100]])
      yield* takeOut(1012, 1013)
      yield* takeOut(1053, 1057)
      const first = yield* step(begun)
      assert.deepStrictEqual(yield* covered, holes)
      assert.strictEqual(first.version, begun.version + 2)
      // who died before it was noted does it again
      const again = yield* step(begun)
      assert.deepStrictEqual([again, yield* covered], [first, holes])
      assert.strictEqual(yield* step(first), first)
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.live("followChanges() takes one change after the other, whatever came back between", () =>
    Effect.gen(function* () {
      const { begun, covered, fill, step, takeOut } = yield* setUp
      yield* takeOut(1012, 1013)
      const first = yield* step(begun)
      yield* fill
      assert.deepStrictEqual(yield* covered, [[1000, 1100]])
      yield* takeOut(1053, 1057)
      yield* step(first)
      assert.deepStrictEqual(yield* covered, [
        [1000, 1050],
        [1060, 1100]
      ])
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.live("followChanges() takes out everything where the history has a gap, or was rolled back", () =>
    Effect.gen(function* () {
      const { begun, covered, fill, step, takeOut } = yield* setUp
      yield* takeOut(1012, 1013)
      // it was begun so long ago that nothing is kept of that time
      const gap = yield* step({ ...begun, version: begun.version - 5 })
      assert.deepStrictEqual(yield* covered, [])
      assert.strictEqual(gap.version, begun.version + 1)
      yield* fill
      // what was taken of it before is not there any more
      const rolledBack = yield* step({ ...begun, version: begun.version - 5, revision: gap.revision + 100 })
      assert.deepStrictEqual(yield* covered, [])
      assert.strictEqual(rolledBack.version, begun.version + 1)
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.live("followChanges() begins anew where the series is made in another way than before", () =>
    Effect.gen(function* () {
      const { begun, covered, fill, pair, step, stepAs } = yield* setUp
      // who has not noted it yet did not see any other
      const { recipe, ...unknown } = begun
      assert.deepStrictEqual(yield* step(unknown), begun)
      assert.deepStrictEqual(yield* covered, [[1000, 1100]])
      const { finer } = pair
      const [first, ...fields] = finer.schema.fields
      const others: ReadonlyArray<Pair["finer"]> = [
        { ...finer, sources: ["kraken", ...finer.sources] },
        { ...finer, rules: { conflict: "ingestTime" } },
        { ...finer, schema: { ...finer.schema, fields: [{ ...first!, rollUp: "last" }, ...fields] } },
        { ...finer, listedAt: 0 }
      ]
      for (const other of others) {
        const after = yield* stepAs({ ...pair, finer: other }, begun)
        assert.notStrictEqual(after.recipe, recipe)
        assert.deepStrictEqual(yield* covered, [])
        yield* fill
        assert.deepStrictEqual(yield* covered, [[1000, 1100]])
      }
      // what does not change any bar
      const same: Pair = { ...pair, finer: { ...finer, finalityDelayMs: 7, rules: { order: "newestFirst" } } }
      assert.strictEqual(yield* stepAs(same, begun), begun)
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.live("followChanges() reads on behind what it took from roots that stood, however long ago it looked", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { begun, step, takeOut } = yield* setUp
      let place: Following = begun
      // each one is seen while it stands, so that nothing is looked up
      for (let count = 0; count < 8; count++) {
        yield* takeOut(1000 + count, 1001 + count)
        place = yield* step(place)
      }
      assert.strictEqual(place.version, begun.version + 8)
      yield* takeOut(1050, 1051)
      yield* takeOut(1060, 1061)
      let entries = 0
      const counting = Mesh.of({
        ...mesh,
        history: (stream, subject, options) =>
          Effect.tap(mesh.history(stream, subject, options), (page) =>
            Effect.sync(() => (options?.max === 1 ? undefined : (entries += page.entries.length)))
          )
      })
      const last = yield* Effect.provideService(step(place), Mesh, counting)
      assert.strictEqual(last.version, begun.version + 10)
      // those two, and none of the eight before them
      assert.isAtMost(entries, 2)
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.live("followChanges() takes a long history page by page, and a replica that lags for no gap in it", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { begun, covered, step, takeOut } = yield* setUp
      yield* takeOut(1012, 1013)
      yield* takeOut(1053, 1057)
      yield* takeOut(1054, 1058)
      let asked = 0
      // every other answer has nothing of what its leader has
      const slow = Mesh.of({
        ...mesh,
        history: (stream, subject, options) =>
          asked++ % 2 === 0
            ? Effect.succeed({ entries: [], isLast: true, left: 0 })
            : mesh.history(stream, subject, { ...options, max: 1 })
      })
      let place: Following = begun
      for (const further of [1, 2, 3]) {
        place = yield* Effect.provideService(step(place), Mesh, slow)
        assert.strictEqual(place.version, begun.version + further)
      }
      assert.deepStrictEqual(yield* covered, holes)
      assert.strictEqual(yield* Effect.provideService(step(place), Mesh, slow), place)
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.live("followChanges() begins anew where the series was made of another one before", () =>
    Effect.gen(function* () {
      const { begun, covered, step } = yield* setUp
      assert.deepStrictEqual(yield* step({ ...begun, from: "30s" }), begun)
      assert.deepStrictEqual(yield* covered, [])
      yield* untilTrue(
        "nothing is left to take over",
        Effect.map(step(begun), (after) => after === begun)
      )
    }).pipe(Effect.provide(MemoryMesh.layer))
  )
})
