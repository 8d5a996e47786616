/** Is a point of the past what stood then, and is one that can't be read told as such? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as PastRoots from "../../../actors/sources/PastRoots.ts"
import type { AsOf } from "../../../protocol/history/AsOf.ts"
import type { CoveragePage } from "../../../protocol/history/CoveragePage.ts"
import { CoverageRoot, rolledBackBy } from "../../../protocol/history/CoverageRoot.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type MeshShape } from "../../../runtime/Mesh.ts"
import { bytesOfRoot, none, rootAfter, rootsOf } from "../../support/auditedRoots.ts"
import { rangesOf, series } from "../../support/jobs.ts"
import { entry } from "../../support/requests.ts"

const key = Subject.series(series.nodeId, series.interval)
const ours = { ...entry, series }

/** Each ten milliseconds after the one before, the first at ten; each adds the range of its number. */
const roots = rootsOf(Array.from({ length: 40 }, (_, at) => ({ added: rangesOf([at * 10, at * 10 + 5]) })))

const storeStanding = (mesh: MeshShape, root: CoverageRoot) => {
  const record = {
    format: 1,
    slotEpoch: 1,
    epoch: 1,
    owner: "me",
    nonce: "n",
    state: Schema.encodeSync(CoverageRoot)(root)
  }
  return mesh.write(keySubject(Stream.coverage, key), Codec.toJson(record))
}

/** The last of the roots stands, the others are in the log, with what is others' in between. */
const store = Effect.fnUntraced(function* (all: ReadonlyArray<CoverageRoot> = roots) {
  const mesh = yield* Effect.provide(Effect.service(Mesh), MemoryMesh.layer)
  for (const root of all.slice(0, -1)) {
    for (let other = 0; other < root.version % 4; other++) yield* mesh.write(Subject.audit("b.1m"), bytesOfRoot(root))
    yield* mesh.write(Subject.audit(key), bytesOfRoot(root))
  }
  const last = all.at(-1)
  if (last !== undefined) yield* storeStanding(mesh, last)
  return mesh
})

const past = (mesh: MeshShape, rootsMs = Infinity) => {
  const layer = PastRoots.layer(rootsMs).pipe(
    Layer.provide(ChunkStore.layer(1000)),
    Layer.provide(Layer.succeed(Mesh, Mesh.of(mesh)))
  )
  return (asOf: AsOf) =>
    Effect.flatMap(PastRoots.PastRoots, (service) => service.at(ours, asOf)).pipe(Effect.provide(layer))
}

const versionAt = (at: ReturnType<typeof past>, asOf: AsOf) => Effect.map(at(asOf), ({ root }) => root.version)

const refusalAt = (at: ReturnType<typeof past>, asOf: AsOf) =>
  Effect.flatMap(Effect.flip(at(asOf)), (error) =>
    error._tag === "UnknownPoint" ? Effect.succeed(error) : Effect.die(error)
  )

describe("PastRoots", () => {
  it.effect("at() gives each version, and at each time the one that stood then", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100_000)
      const at = past(yield* store())
      for (const { committedAt, covered, version } of roots) {
        const found = yield* at({ version })
        assert.deepStrictEqual([found.root.version, toPairs(found.covered)], [version, toPairs(covered)])
        assert.strictEqual(found.atMs, committedAt)
        assert.strictEqual(yield* versionAt(at, { time: committedAt }), version)
        assert.strictEqual(yield* versionAt(at, { time: committedAt + 9 }), version)
      }
      const later = yield* at({ time: 99_000 })
      assert.deepStrictEqual([later.root.version, later.atMs], [40, 99_000])
    })
  )

  it.effect("at() gives what a series is before its first version where that is asked for", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100_000)
      for (const stored of [[], roots.slice(0, 1), roots]) {
        const at = past(yield* store(stored))
        for (const [asOf, judgedAtMs] of [
          [{ version: 0 }, 100_000],
          [{ time: 9 }, 9]
        ] as const) {
          const { atMs, covered, root } = yield* at(asOf)
          assert.deepStrictEqual([root.version, toPairs(covered)], [0, []])
          // all time to come would not be final at the Unix epoch
          assert.strictEqual(atMs, judgedAtMs)
        }
      }
    })
  )

  it.effect("at() refuses what has not come yet, what never was, and what the log has no more", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100_000)
      const raised = rootAfter(roots[9]!, { changes: { version: roots[9]!.version + rolledBackBy } })
      const all = [...roots.slice(4, 10), raised, rootAfter(raised, {})]
      const at = past(yield* store(all))
      const kept = { oldest: { version: 5, committedAt: 50 }, newest: { version: rolledBackBy + 11, committedAt: 120 } }
      for (const [asOf, problem] of [
        [{ version: rolledBackBy + 12 }, "future"],
        [{ time: 100_001 }, "future"],
        [{ version: 11 }, "never"],
        [{ version: rolledBackBy + 9 }, "never"],
        [{ version: 4 }, "notKept"],
        [{ version: 0 }, "notKept"],
        [{ time: 49 }, "notKept"]
      ] as const) {
        const error = yield* refusalAt(at, asOf)
        const { newest, oldest } = error
        const told = { oldest, newest, problem: error.problem, asOf: error.asOf }
        assert.deepStrictEqual(told, { ...kept, problem, asOf })
      }
      const error = yield* refusalAt(at, { version: 4 })
      assert.match(
        error.message,
        /^version 4 of .* is no longer kept; kept are version 5 of 1970-01-01T00:00:00.050Z to /
      )
      assert.strictEqual(yield* versionAt(at, { version: rolledBackBy + 10 }), rolledBackBy + 10)
      assert.strictEqual(yield* versionAt(at, { version: 5 }), 5)
    })
  )

  it.effect("at() refuses what stood last before the time for which roots count, whether or not it is there", () =>
    Effect.gen(function* () {
      // version 20 was committed at 200, and stood until 210
      yield* TestClock.setTime(1209)
      const mesh = yield* store()
      const at = past(mesh, 1000)
      assert.strictEqual(yield* versionAt(at, { version: 20 }), 20)
      assert.strictEqual(yield* versionAt(at, { time: 209 }), 20)
      const { oldest, problem } = yield* refusalAt(at, { version: 19 })
      assert.deepStrictEqual([problem, oldest], ["notKept", { version: 20, committedAt: 200 }])
      yield* TestClock.setTime(1210)
      assert.strictEqual((yield* refusalAt(past(mesh, 1000), { version: 20 })).problem, "notKept")
      // what stands is there however old it is
      yield* TestClock.setTime(1_000_000)
      assert.strictEqual(yield* versionAt(past(mesh, 1000), { version: 40 }), 40)
      assert.strictEqual((yield* refusalAt(past(mesh, 1000), { version: 0 })).problem, "notKept")
    })
  )

  it.effect("at() says of what stood where roots are missing that it is not kept, and not that another stood", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100_000)
      const at = past(yield* store([...roots.slice(0, 4), ...roots.slice(9)]))
      const kept = { oldest: { version: 10, committedAt: 100 }, newest: { version: 40, committedAt: 400 } }
      for (const asOf of [{ version: 5 }, { version: 9 }, { time: 40 }, { time: 99 }]) {
        const { newest, oldest, problem } = yield* refusalAt(at, asOf)
        assert.deepStrictEqual({ oldest, newest, problem }, { ...kept, problem: "notKept" })
      }
      // what stood before is known, and so is what stood since
      for (const [asOf, version] of [
        [{ version: 4 }, 4],
        [{ time: 39 }, 3],
        [{ time: 9 }, 0],
        [{ time: 100 }, 10],
        [{ time: 395 }, 39]
      ] as const) {
        assert.strictEqual(yield* versionAt(at, asOf), version)
      }
      // the end of the log may be missing as well
      const cut = past(yield* store([...roots.slice(0, 4), ...roots.slice(38)].filter(({ version }) => version !== 39)))
      assert.strictEqual((yield* refusalAt(cut, { time: 50 })).problem, "notKept")
    })
  )

  it.effect("at() asks a few times however long the log is, and not again for what it knows", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_000_000)
      const long: Array<CoverageRoot> = []
      for (let version = 1; version <= 3000; version++) {
        long.push({ ...none, version, committedAt: version * 10 + (version % 7), covered: rangesOf([0, version]) })
      }
      const mesh = yield* store(long)
      let requests = 0
      const count = <A, E>(effect: Effect.Effect<A, E>) => Effect.tap(effect, () => Effect.sync(() => (requests += 1)))
      const counted: MeshShape = {
        ...mesh,
        read: (...asked) => count(mesh.read(...asked)),
        history: (...asked) => count(mesh.history(...asked))
      }
      const at = past(counted)
      for (const asOf of [{ version: 1234 }, { time: 17_003 }, { version: 2 }, { version: 2999 }]) {
        requests = 0
        yield* at(asOf)
        assert.isAtMost(requests, 16, JSON.stringify(asOf))
      }
    })
  )

  it.effect("at() gives the coverage that a root has in its pages, and passes over what is no root", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100_000)
      const mesh = yield* Effect.provide(Effect.service(Mesh), MemoryMesh.layer)
      const stores = ChunkStore.layer(1000).pipe(Layer.provide(Layer.succeed(Mesh, Mesh.of(mesh))))
      const chunk = {
        source: "binance",
        id: "c",
        ranges: rangesOf([0, 50]),
        contentHash: "h",
        rows: 1,
        lastEventTime: 1
      }
      const page: CoveragePage = { format: 1, index: 0, windows: [{ windowStart: 0, generation: 0, chunks: [chunk] }] }
      const id = yield* Effect.flatMap(ChunkStore.ChunkStore, (chunks) => chunks.putPage(series, page)).pipe(
        Effect.provide(stores)
      )
      const paged = {
        ...rootAfter(none, {}),
        covered: rangesOf([100, 150]),
        coveredInPagesBefore: 100,
        pages: [{ index: 0, id }]
      }
      const later = rootAfter(paged, { changes: { coveredInPagesBefore: null, covered: RangeSet.empty } })
      yield* mesh.write(Subject.audit(key), new TextEncoder().encode("{}"))
      yield* mesh.write(Subject.audit(key), bytesOfRoot(paged))
      yield* mesh.write(Subject.audit(key), new TextEncoder().encode("no json"))
      yield* mesh.write(Subject.audit(key), bytesOfRoot(later))
      yield* storeStanding(mesh, rootAfter(later, {}))
      const { covered } = yield* past(mesh)({ version: 1 })
      assert.deepStrictEqual(toPairs(covered), [
        [0, 50],
        [100, 150]
      ])
    })
  )
})
