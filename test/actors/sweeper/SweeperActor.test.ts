/** Does the one sweeper work when it is time or told, say what it did, and go on where another host left it? */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, Scope } from "effect"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import { sweeperActor, type SweeperOptions } from "../../../actors/sweeper/SweeperActor.ts"
import * as Sweeping from "../../../actors/sweeper/Sweeping.ts"
import { Sweeper } from "../../../protocol/messages/Sweep.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { provided } from "../../../runtime/Actor.ts"
import { layerLocal } from "../../../runtime/ActorSystem.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type MeshShape } from "../../../runtime/Mesh.ts"
import { bytesOfRoot, none, rootAfter } from "../../support/auditedRoots.ts"
import * as LongSeries from "../../support/LongSeries.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const key = Subject.series(LongSeries.series.nodeId, LongSeries.series.interval)
const seldom = 3_600_000

/** A root in the history of the series that names nothing. */
const first = rootAfter({ ...none, series: LongSeries.series }, {})

const emptyMesh = Effect.map(Layer.build(Layer.fresh(MemoryMesh.layer)), Context.get(Mesh))

/** Of a series that has a root. */
const meshOf = Effect.tap(emptyMesh, (mesh) => mesh.write(Subject.audit(key), bytesOfRoot(first)))

const put = (mesh: MeshShape, id: string) => mesh.write(Subject.chunk(key, 0, id), new Uint8Array(10))

const left = (mesh: MeshShape) =>
  Effect.map(mesh.names(Stream.chunks.name, Subject.allOf("chunks", key)), ({ entries }) => entries.length)

/** The sweeper on a host of its own, for which what was put a moment ago is old. */
const start = Effect.fnUntraced(function* (
  mesh: MeshShape,
  options: Partial<SweeperOptions> = {},
  configuration: Partial<Configuration> = {}
) {
  const port = Layer.succeed(Mesh, Mesh.of(mesh))
  const stores = Layer.mergeAll(
    SeriesCatalog.layer(LongSeries.configurationOf(configuration)),
    ChunkStore.layer(1_000_000).pipe(Layer.provide(port))
  )
  const actor = provided(sweeperActor({ rootsMs: Infinity, everyMs: seldom, ageMs: 0, ...options }))
  const system = Layer.unwrap(Effect.map(actor, (type) => layerLocal([type])))
  const layer = Sweeping.layer.pipe(
    Layer.provide(system),
    Layer.provide(stores),
    Layer.provide(port),
    Layer.provide(Logger.layer([]))
  )
  return Context.get(yield* Layer.build(Layer.fresh(layer)), Sweeper)
})

const order = { by: "alice", isDry: false, series: null }

const untilOver = (sweeper: Sweeper["Service"], id: string) =>
  Effect.gen(function* () {
    yield* untilTrue(
      "the sweep is over",
      Effect.map(sweeper.show, ({ last }) => last?.id === id)
    )
    return (yield* sweeper.show).last!
  })

describe("the sweeper", () => {
  it.live("order() has it sweep now, or only count, and it says what came of it", () =>
    Effect.gen(function* () {
      const mesh = yield* meshOf
      for (const id of ["a", "b", "c"]) yield* put(mesh, id)
      yield* Effect.sleep("5 millis")
      const sweeper = yield* start(mesh)
      const dry = yield* sweeper.order({ ...order, isDry: true })
      assert.deepInclude(dry, { by: "alice", isDry: true, endedAt: null, seriesDone: 0, seriesTotal: 1 })
      const counted = yield* untilOver(sweeper, dry.id)
      assert.deepStrictEqual(counted.tally.chunks.swept, { count: 3, bytes: 30 })
      assert.strictEqual(yield* left(mesh), 3)
      const { id } = yield* sweeper.order({ ...order, series: LongSeries.series })
      const swept = yield* untilOver(sweeper, id)
      assert.deepInclude(swept, { seriesDone: 1, troubles: [], series: LongSeries.series })
      assert.deepStrictEqual(swept.tally.chunks.swept, { count: 3, bytes: 30 })
      assert.isAtLeast(swept.endedAt!, swept.startedAt)
      assert.strictEqual(yield* left(mesh), 0)
      const { nextAt, run } = yield* sweeper.show
      assert.isNull(run)
      assert.isAbove(nextAt, swept.endedAt! + seldom / 2)
    })
  )

  it.live("it sweeps by itself when it is time, and looks at nothing twice that is named for ever", () =>
    Effect.gen(function* () {
      const mesh = yield* meshOf
      const listed: Array<number> = []
      const watched: MeshShape = {
        ...mesh,
        names: (stream, subject, options) => {
          if (stream === Stream.chunks.name) listed.push(options?.fromRevision ?? 0)
          return mesh.names(stream, subject, options)
        }
      }
      yield* put(mesh, "a")
      const sweeper = yield* start(watched, { everyMs: 20 })
      const swept = untilTrue(
        "all is swept",
        Effect.map(
          Effect.all([left(mesh), sweeper.show]),
          ([count, { last }]) => count === 0 && last?.by === "seamless"
        )
      )
      yield* swept
      yield* put(mesh, "b")
      yield* swept
      yield* untilTrue(
        "it looks on from behind what it knows",
        Effect.sync(() => listed.at(-1) === 3)
      )
      assert.strictEqual(listed[0], 1)
      // who orders it is told of all that there is
      for (const isDry of [true, false]) {
        listed.length = 0
        yield* untilOver(sweeper, (yield* sweeper.order({ ...order, isDry })).id)
        assert.include(listed, 1)
      }
    })
  )

  it.live("a series that never had a root does not keep the others from being known", () =>
    Effect.gen(function* () {
      const mesh = yield* meshOf
      const [one] = LongSeries.configurationOf().series ?? []
      assert.isDefined(one)
      const other = { ...one, node: "ohlcv:test:NEW/USD", symbol: "NEW" }
      const rootless = Subject.chunk(Subject.series(other.node, "1m"), 0, "orphan")
      yield* put(mesh, "a")
      yield* put(mesh, "b")
      yield* mesh.write(rootless, new Uint8Array(10))
      yield* put(mesh, "c")
      const listed: Array<number> = []
      const watched: MeshShape = {
        ...mesh,
        names: (stream, subject, options) => {
          if (stream === Stream.chunks.name) listed.push(options?.fromRevision ?? 0)
          return mesh.names(stream, subject, options)
        }
      }
      const sweeper = yield* start(watched, { everyMs: 20 }, { series: [one, other] })
      yield* untilTrue(
        "it looks on from the first that nobody knows of",
        Effect.map(sweeper.show, () => listed.at(-1) === 3 && listed.at(-2) === 3)
      )
      assert.strictEqual(yield* left(mesh), 0)
      const { last } = yield* sweeper.show
      assert.match(last!.troubles.join(), /^ohlcv:test:NEW\/USD 1m: .*has no root/)
    })
  )

  it.live("a series whose roots are all lost is told, and is swept where just that is ordered", () =>
    Effect.gen(function* () {
      const mesh = yield* emptyMesh
      for (const id of ["a", "b"]) yield* put(mesh, id)
      yield* Effect.sleep("5 millis")
      const sweeper = yield* start(mesh)
      const all = yield* untilOver(sweeper, (yield* sweeper.order(order)).id)
      assert.match(all.troubles.join(), /^ohlcv:test:LONG\/USD 1m: .*has no root/)
      assert.deepStrictEqual([all.tally.chunks.swept.count, yield* left(mesh)], [0, 2])
      const one = yield* untilOver(sweeper, (yield* sweeper.order({ ...order, series: LongSeries.series })).id)
      assert.deepStrictEqual([one.troubles, one.tally.chunks.swept.count, yield* left(mesh)], [[], 2, 0])
    })
  )

  it.live("order() while it is at it is refused, and the next host goes on with what one left", () =>
    Effect.gen(function* () {
      const mesh = yield* meshOf
      yield* put(mesh, "a")
      yield* Effect.sleep("5 millis")
      // never ends on this host
      const stuck: MeshShape = { ...mesh, names: () => Effect.never }
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(start(stuck), scope)
      const { id } = yield* first.order(order)
      const refused = yield* Effect.flip(first.order({ ...order, by: "bob" }))
      assert.deepInclude(refused, { _tag: "SweepUnderWay", by: "alice", seriesDone: 0, seriesTotal: 1 })
      assert.strictEqual((yield* first.show).run?.id, id)
      yield* Scope.close(scope, Exit.void)
      const second = yield* start(mesh)
      const { tally } = yield* untilOver(second, id)
      assert.deepStrictEqual(tally.chunks.swept, { count: 1, bytes: 10 })
      assert.strictEqual(yield* left(mesh), 0)
    })
  )

  it.live("a series that can't be gone through is told, and nothing of it is deleted", () =>
    Effect.gen(function* () {
      const mesh = yield* meshOf
      yield* put(mesh, "a")
      yield* mesh.write(Subject.audit(key), new TextEncoder().encode(`{"format":9,"version":1,"pages":[]}`))
      yield* Effect.sleep("5 millis")
      const sweeper = yield* start(mesh)
      const { id } = yield* sweeper.order(order)
      const { seriesDone, troubles } = yield* untilOver(sweeper, id)
      assert.strictEqual(seriesDone, 1)
      assert.lengthOf(troubles, 1)
      assert.match(troubles[0]!, /^ohlcv:test:LONG\/USD 1m: .*is no root of format 1/)
      assert.strictEqual(yield* left(mesh), 1)
    })
  )
})
