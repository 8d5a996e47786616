/** Does a sweep delete what no root names that counts, and nothing else, whatever is done meanwhile? */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer } from "effect"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import * as sweptMark from "../../../actors/sources/sweptMark.ts"
import { type Kind, type Share, sweepSeries, type SweepTerms } from "../../../actors/sweeper/sweepSeries.ts"
import { MeshUnavailable } from "../../../protocol/wire/Errors.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type MeshShape } from "../../../runtime/Mesh.ts"
import * as LongSeries from "../../support/LongSeries.ts"

const key = Subject.series(LongSeries.series.nodeId, LongSeries.series.interval)
const minutes = [0, 1, 2, 3]
const dayMs = 24 * 3_600_000

// what was put a moment ago is old enough
const terms: SweepTerms = {
  isDry: false,
  order: "all",
  rootsMs: Infinity,
  graceMs: 0,
  ageMs: 0,
  from: { chunks: 1, pages: 1 }
}

const counts = (shares: ReadonlyArray<readonly [Kind, Share]>, kind: Kind) =>
  shares
    .filter(([of]) => of === kind)
    .reduce(
      (sum, [, { kept, swept, young }]) => ({
        kept: sum.kept + kept.count,
        young: sum.young + young.count,
        swept: sum.swept + swept.count
      }),
      { kept: 0, young: 0, swept: 0 }
    )

/** A sweep over a port, with nothing in memory. */
const sweep = Effect.fnUntraced(function* (mesh: MeshShape, changes: Partial<SweepTerms> = {}) {
  // a millisecond later everything that is there is old
  yield* Effect.sleep("2 millis")
  const entry = yield* SeriesCatalog.make(LongSeries.configurationOf()).find(LongSeries.series.nodeId, "1m")
  const shares: Array<readonly [Kind, Share]> = []
  const layer = Layer.provideMerge(ChunkStore.layer(1_000_000), Layer.succeed(Mesh, Mesh.of(mesh)))
  const reach = yield* sweepSeries(entry, { ...terms, ...changes }, (kind, share) => shares.push([kind, share])).pipe(
    Effect.provide(Layer.fresh(layer))
  )
  return { reach, chunks: counts(shares, "chunks"), pages: counts(shares, "pages"), roots: counts(shares, "roots") }
})

const standing = (mesh: MeshShape, stream: string, subject: string) =>
  Effect.map(mesh.names(stream, subject), ({ entries }) => entries.length)

const chunksLeft = (mesh: MeshShape) => standing(mesh, Stream.chunks.name, Subject.allOf("chunks", key))

/** By a clock that is so far ahead. */
const aheadBy = (aheadMs: number) =>
  Effect.updateService(Clock.Clock, (clock) => ({
    sleep: (duration) => clock.sleep(duration),
    currentTimeNanos: clock.currentTimeNanos,
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + aheadMs,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (nowMs) => nowMs + aheadMs)
  }))

/** A host on a mesh in memory, whose clock is ahead of the server's. */
const setUpAhead = Effect.fnUntraced(function* (aheadMs: number) {
  const mesh = Context.get(yield* Layer.build(Layer.fresh(MemoryMesh.layer)), Mesh)
  const long = yield* LongSeries.start().pipe(aheadBy(aheadMs), Effect.provide(Layer.succeed(Mesh, mesh)))
  return { mesh, ...long }
})

const setUp = setUpAhead(0)

describe("sweepSeries()", () => {
  it.live("sweepSeries() deletes what was put and never named, and nothing that any root names", () =>
    Effect.gen(function* () {
      const { chunkOf, commit, mesh, read, store } = yield* setUp
      for (let count = 0; count < 5; count++) yield* commit({ window: count % 2, minutes, price: 100 + count })
      const before = yield* read([0, 2], { asOf: { version: 2 } })
      for (let count = 0; count < 3; count++) {
        yield* store.putChunk(LongSeries.series, 0, chunkOf({ window: 0, minutes, price: 900 + count }))
      }
      yield* store.putPage(LongSeries.series, { format: 1, index: 7, windows: [] })

      const dry = yield* sweep(mesh, { isDry: true })
      assert.strictEqual(yield* chunksLeft(mesh), 8)
      const swept = yield* sweep(mesh)
      assert.deepStrictEqual([swept.chunks, swept.pages], [dry.chunks, dry.pages])
      assert.deepStrictEqual(swept.chunks, { kept: 5, young: 0, swept: 3 })
      assert.deepStrictEqual(swept.pages, { kept: 5, young: 0, swept: 1 })
      assert.deepStrictEqual(swept.roots, { kept: 5, young: 0, swept: 0 })
      assert.strictEqual(yield* chunksLeft(mesh), 5)
      assert.deepStrictEqual((yield* sweep(mesh)).chunks, { kept: 5, young: 0, swept: 0 })

      // a host without anything in memory
      const other = yield* Effect.provide(LongSeries.start(undefined, "other"), Layer.succeed(Mesh, mesh))
      const after = yield* other.read([0, 2], { asOf: { version: 2 } })
      assert.deepStrictEqual(after.df, before.df)
      assert.strictEqual(after.meta.fingerprint, before.meta.fingerprint)
    })
  )

  it.live("sweepSeries() deletes nothing young, and says from where on it is", () =>
    Effect.gen(function* () {
      const { chunkOf, commit, mesh, store } = yield* setUp
      yield* commit({ window: 0, minutes, price: 100 })
      yield* store.putChunk(LongSeries.series, 0, chunkOf({ window: 0, minutes, price: 900 }))
      const { chunks, reach } = yield* sweep(mesh, { ageMs: 60_000 })
      assert.deepStrictEqual(chunks, { kept: 0, young: 2, swept: 0 })
      assert.strictEqual(yield* chunksLeft(mesh), 2)
      assert.strictEqual(reach.chunks.youngFrom, 1)
      const later = yield* sweep(mesh, { from: { chunks: 2, pages: 2 } })
      assert.deepStrictEqual(later.chunks, { kept: 0, young: 0, swept: 1 })
      assert.deepInclude(later.reach.chunks, { youngFrom: Infinity, lastRevision: 2 })
    })
  )

  it.live("sweepSeries() deletes what only roots named that no longer count, and those roots", () =>
    Effect.gen(function* () {
      const { commit, mesh, read } = yield* setUp
      for (let count = 0; count < 6; count++) yield* commit({ window: count % 2, minutes, price: 100 + count })
      const now = yield* read([0, 2])
      yield* Effect.sleep("5 millis")
      const dry = yield* sweep(mesh, { rootsMs: 0, isDry: true })
      const swept = yield* sweep(mesh, { rootsMs: 0 })
      const { reach: _, ...counted } = swept
      assert.deepInclude(dry, counted)
      assert.deepStrictEqual(swept.chunks, { kept: 2, young: 0, swept: 4 })
      assert.deepStrictEqual(swept.pages, { kept: 1, young: 0, swept: 5 })
      const { find } = SeriesCatalog.make(LongSeries.configurationOf())
      const kept = sweptMark.keptFrom(yield* find(LongSeries.series.nodeId, "1m"))
      assert.strictEqual(yield* Effect.provideService(kept, Mesh, Mesh.of(mesh)), 6)
      // the newest stays whatever its age
      assert.deepStrictEqual(swept.roots, { kept: 1, young: 0, swept: 5 })
      assert.strictEqual(yield* standing(mesh, Stream.audit.name, Subject.audit(key)), 1)
      const other = yield* Effect.provide(LongSeries.start(undefined, "other"), Layer.succeed(Mesh, mesh))
      assert.deepStrictEqual((yield* other.read([0, 2])).df, now.df)
      assert.strictEqual((yield* Effect.flip(other.read([0, 2], { asOf: { version: 3 } })))._tag, "UnknownPoint")
      // and the series goes on from there
      yield* commit({ window: 0, minutes, price: 500 })
      assert.strictEqual((yield* other.read([0, 2], { asOf: { version: 6 } })).meta.fingerprint, now.meta.fingerprint)
    })
  )

  it.live("sweepSeries() never hits what is put afresh and named meanwhile, whenever that is", () =>
    Effect.gen(function* () {
      const { chunkOf, commit, mesh, read, store } = yield* setUp
      yield* commit({ window: 0, minutes, price: 100 })
      for (let at = 0; at < 12; at++) {
        const abandoned = { window: at + 1, minutes, price: 777 }
        yield* store.putChunk(LongSeries.series, abandoned.window * LongSeries.windowMs, chunkOf(abandoned))
        let operations = 0
        // the same bytes again, and this time they are named
        const inBetween = Effect.suspend(() =>
          // old enough a moment later
          operations++ === at ? Effect.andThen(Effect.orDie(commit(abandoned)), Effect.sleep("2 millis")) : Effect.void
        )
        const racing: MeshShape = {
          ...mesh,
          names: (...asked) => Effect.andThen(inBetween, mesh.names(...asked)),
          read: (...asked) => Effect.andThen(inBetween, mesh.read(...asked)),
          history: (...asked) => Effect.andThen(inBetween, mesh.history(...asked)),
          remove: (...asked) => Effect.andThen(inBetween, mesh.remove(...asked))
        }
        yield* sweep(racing)
        if (operations <= at) yield* commit(abandoned)
      }
      const other = yield* Effect.provide(LongSeries.start(undefined, "other"), Layer.succeed(Mesh, mesh))
      const { meta } = yield* other.read([0, 13])
      assert.deepStrictEqual(meta.missingRanges, [])
      assert.strictEqual((yield* read([0, 13])).meta.fingerprint, meta.fingerprint)
    })
  )

  it.live(
    "sweepSeries() leaves what roots name that it may not delete, so that they may count again, and tells that",
    () =>
      Effect.gen(function* () {
        const { chunkOf, commit, mesh, read, store } = yield* setUp
        for (let count = 0; count < 3; count++) yield* commit({ window: 0, minutes, price: 100 + count })
        yield* store.putChunk(LongSeries.series, 0, chunkOf({ window: 0, minutes, price: 900 }))
        const keeping: MeshShape = {
          ...mesh,
          remove: (stream, revision) =>
            stream === Stream.audit.name
              ? Effect.fail(new MeshUnavailable({ operation: "remove", reason: "message delete not permitted" }))
              : mesh.remove(stream, revision)
        }
        yield* Effect.sleep("5 millis")
        const refused = yield* Effect.flip(sweep(keeping, { rootsMs: 0 }))
        assert.match(refused.message, /message delete not permitted/)
        // what nobody has ever named is gone
        assert.strictEqual(yield* chunksLeft(mesh), 3)
        assert.deepStrictEqual((yield* read([0, 1])).meta.missingRanges, [])
        const other = yield* Effect.provide(LongSeries.start(undefined, "other"), Layer.succeed(Mesh, mesh))
        for (const version of [1, 2, 3]) {
          const { df, meta } = yield* other.read([0, 1], { asOf: { version } })
          assert.deepStrictEqual([df.eventTimeMs.length, meta.missingRanges], [minutes.length, []])
        }
      })
  )

  it.live(
    "sweepSeries() deletes roots before what they alone name: whatever breaks it off, all that is left is whole",
    () =>
      Effect.gen(function* () {
        const { commit, mesh } = yield* setUp
        for (let count = 0; count < 6; count++) yield* commit({ window: count % 2, minutes, price: 100 + count })
        const { entries } = yield* mesh.names(Stream.audit.name, Subject.audit(key))
        let left = 2
        const breaking: MeshShape = {
          ...mesh,
          remove: (...asked) =>
            left-- > 0
              ? mesh.remove(...asked)
              : Effect.fail(new MeshUnavailable({ operation: "remove", reason: "cut" }))
        }
        assert.match((yield* Effect.flip(sweep(breaking, { rootsMs: 0 }))).message, /cut/)
        assert.strictEqual(yield* standing(mesh, Stream.audit.name, Subject.audit(key)), entries.length - 2)
        const other = yield* Effect.provide(LongSeries.start(undefined, "other"), Layer.succeed(Mesh, mesh))
        for (const version of [3, 4, 5, 6]) {
          const { df, meta } = yield* other.read([0, 2], { asOf: { version } })
          assert.deepStrictEqual([df.eventTimeMs.length, meta.missingRanges], [2 * minutes.length, []])
        }
        assert.strictEqual((yield* Effect.flip(other.read([0, 2], { asOf: { version: 2 } })))._tag, "UnknownPoint")
      })
  )

  it.live("sweepSeries() deletes no root behind one that it can't delete: what is left has no gap", () =>
    Effect.gen(function* () {
      const { commit, mesh } = yield* setUp
      for (let count = 0; count < 6; count++) yield* commit({ window: count % 2, minutes, price: 100 + count })
      const { entries } = yield* mesh.names(Stream.audit.name, Subject.audit(key))
      const second = entries[1]!.revision
      const breaking: MeshShape = {
        ...mesh,
        remove: (stream, revision) =>
          stream === Stream.audit.name && revision === second
            ? // it is told late that it failed
              Effect.andThen(Effect.sleep("5 millis"), new MeshUnavailable({ operation: "remove", reason: "cut" }))
            : mesh.remove(stream, revision)
      }
      assert.match((yield* Effect.flip(sweep(breaking, { rootsMs: 0 }))).message, /cut/)
      const left = yield* mesh.names(Stream.audit.name, Subject.audit(key))
      assert.deepStrictEqual(
        left.entries.map(({ revision }) => revision),
        entries.slice(1).map(({ revision }) => revision)
      )
    })
  )

  it.live("sweepSeries() deletes nothing of a series without any root, unless it is ordered of this one", () =>
    Effect.gen(function* () {
      const { chunkOf, mesh, store } = yield* setUp
      yield* store.putChunk(LongSeries.series, 0, chunkOf({ window: 0, minutes, price: 900 }))
      yield* store.putChunk(LongSeries.series, 0, chunkOf({ window: 1, minutes, price: 901 }))
      for (const order of ["none", "all"] as const) {
        const { reach } = yield* sweep(mesh, { order })
        assert.match(reach.trouble?.message ?? "", /has no root/)
        // neither is looked at: the next sweep begins with the first
        assert.deepInclude(reach.chunks, { youngFrom: 1, lastRevision: 0 })
        assert.deepInclude(reach.pages, { youngFrom: Infinity })
        assert.strictEqual(yield* chunksLeft(mesh), 2)
      }
      assert.deepStrictEqual((yield* sweep(mesh, { order: "one" })).chunks, { kept: 0, young: 0, swept: 2 })
      // nothing is stored, and nothing is told
      const { chunks, reach } = yield* sweep(mesh)
      assert.deepStrictEqual([chunks, reach.trouble], [{ kept: 0, young: 0, swept: 0 }, undefined])
    })
  )

  it.live(
    "sweepSeries() goes by the server's clock where the host's is ahead, and by the host's where it is behind",
    () =>
      Effect.gen(function* () {
        const { chunkOf, commit, mesh, store } = yield* setUp
        yield* commit({ window: 0, minutes, price: 100 })
        yield* commit({ window: 0, minutes, price: 101 })
        yield* store.putChunk(LongSeries.series, 0, chunkOf({ window: 0, minutes, price: 900 }))
        for (const aheadMs of [2 * dayMs, -2 * dayMs]) {
          const ahead = aheadBy(aheadMs)
          const { chunks, roots } = yield* ahead(sweep(mesh, { rootsMs: dayMs, ageMs: dayMs }))
          assert.deepStrictEqual([chunks, roots.swept], [{ kept: 0, young: 3, swept: 0 }, 0])
        }
        assert.strictEqual(yield* chunksLeft(mesh), 3)
      })
  )

  it.live("sweepSeries() keeps roots for their time by the server's clock, whatever clock they were committed by", () =>
    Effect.gen(function* () {
      const { commit, mesh } = yield* setUpAhead(-100 * dayMs)
      for (let count = 0; count < 4; count++) yield* commit({ window: 0, minutes, price: 100 + count })
      for (const isDry of [true, false]) {
        const { chunks, pages, roots } = yield* sweep(mesh, { rootsMs: 90 * dayMs, isDry })
        assert.deepStrictEqual([chunks.swept, pages.swept, roots], [0, 0, { kept: 1, young: 3, swept: 0 }])
      }
      assert.strictEqual((yield* sweep(mesh, { rootsMs: 0 })).roots.swept, 3)
    })
  )

  it.live("sweepSeries() by itself looks at no root where none may go, and at those alone that may", () =>
    Effect.gen(function* () {
      const { commit, mesh } = yield* setUp
      for (let count = 0; count < 4; count++) yield* commit({ window: 0, minutes, price: 100 + count })
      const listed: Array<number | undefined> = []
      const watched: MeshShape = {
        ...mesh,
        names: (stream, subject, options) => {
          if (stream === Stream.audit.name) listed.push(options?.max)
          return mesh.names(stream, subject, options)
        }
      }
      assert.deepStrictEqual((yield* sweep(watched, { order: "none" })).roots, { kept: 0, young: 0, swept: 0 })
      // what time it is, and no more
      assert.deepStrictEqual(listed, [1])
      assert.strictEqual((yield* sweep(watched, { order: "none", rootsMs: 0 })).roots.swept, 3)
      assert.strictEqual((yield* sweep(watched)).roots.kept, 1)
    })
  )

  it.live("sweepSeries() leaves the pages in memory that readers have there", () =>
    Effect.gen(function* () {
      const configuration = LongSeries.configurationOf({ limits: { cacheBytes: 40_000 } })
      const mesh = Context.get(yield* Layer.build(Layer.fresh(MemoryMesh.layer)), Mesh)
      let pagesRead = 0
      const counting = Mesh.of({
        ...mesh,
        readMany: (stream, subjects) => {
          if (stream === Stream.pages.name) pagesRead += subjects.length
          return mesh.readMany(stream, subjects)
        }
      })
      const long = yield* Effect.provide(LongSeries.start(configuration), Layer.succeed(Mesh, counting))
      for (let count = 0; count < 12; count++) yield* long.commit({ window: count % 2, minutes, price: 100 + count })
      yield* long.read([0, 1])
      yield* Effect.sleep("2 millis")
      const entry = yield* SeriesCatalog.make(configuration).find(LongSeries.series.nodeId, "1m")
      pagesRead = 0
      yield* sweepSeries(entry, terms, () => undefined).pipe(
        Effect.provideService(ChunkStore.ChunkStore, long.store),
        Effect.provideService(Mesh, counting)
      )
      assert.isAbove(pagesRead, 0)
      pagesRead = 0
      yield* long.read([0, 1])
      assert.strictEqual(pagesRead, 0)
    })
  )

  it.live("sweepSeries() deletes nothing where a root or a page can't be read that might name it", () =>
    Effect.gen(function* () {
      const { chunkOf, commit, mesh, store } = yield* setUp
      yield* commit({ window: 0, minutes, price: 100 })
      yield* commit({ window: 0, minutes, price: 101 })
      yield* store.putChunk(LongSeries.series, 0, chunkOf({ window: 0, minutes, price: 900 }))
      const audit = Subject.audit(key)
      const last = yield* mesh.read(Stream.audit.name, audit)
      yield* mesh.write(audit, new TextEncoder().encode(`{"format":2,"version":3,"pages":{}}`))
      const strange = yield* Effect.flip(sweep(mesh))
      assert.strictEqual(strange._tag, "StoreDamaged")
      assert.strictEqual(yield* chunksLeft(mesh), 3)
      assert.isTrue(last._tag === "Some")
      const { entries } = yield* mesh.names(Stream.audit.name, audit)
      yield* mesh.remove(Stream.audit.name, entries.at(-1)!.revision)
      const { entries: pages } = yield* mesh.names(Stream.pages.name, Subject.allOf("pages", key))
      yield* mesh.remove(Stream.pages.name, pages[0]!.revision)
      const lost = yield* Effect.flip(sweep(mesh))
      assert.strictEqual(lost._tag, "StoreDamaged")
      assert.strictEqual(yield* chunksLeft(mesh), 3)
    })
  )
})
