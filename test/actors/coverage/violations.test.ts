/** Is it seen when storage loses what was acknowledged, and when a commit would lose what is covered? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import * as CoverageRecord from "../../../actors/coverage/CoverageRecord.ts"
import * as KnownJobs from "../../../actors/coverage/KnownJobs.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import { SeriesCatalog } from "../../../actors/sources/SeriesCatalog.ts"
import * as Catalog from "../../../actors/sources/SeriesCatalog.ts"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import { CoverageRoot } from "../../../protocol/history/CoverageRoot.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Commit } from "../../../protocol/messages/Coverage.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { jobOf, rangesOf, series } from "../../support/jobs.ts"
import { violatedBy, violationsOf } from "../../support/violations.ts"

const address = { type: "coverage", key: Subject.series("a", "1m") }
const activation = { address, owner: "me", slot: "3", slotEpoch: 1 }
const rootSubject = keySubject(Stream.coverage, address.key)
const auditSubject = Subject.audit(address.key)

const configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "BTC/BUSD" }]
} as const

const stores = Layer.mergeAll(Catalog.layer(configuration), ChunkStore.layer(1024 * 1024)).pipe(
  Layer.provideMerge(MemoryMesh.layer)
)

const openRecord = Effect.gen(function* () {
  const catalog = yield* SeriesCatalog
  return yield* CoverageRecord.open(yield* catalog.find("a", "1m"), activation)
})

const minutes = (start: number, end: number): Range => [start * 60_000, end * 60_000]

/** Tells that these minutes of the first window are covered, by a chunk of that name upon that base. */
const commitOf = (range: Range, id: string, base: string | null): Commit => ({
  series: { nodeId: "a", interval: "1m" },
  windows: [
    {
      windowStart: 0,
      generation: 0,
      base,
      chunk: {
        source: "binance",
        id,
        ranges: rangesOf(range),
        contentHash: `content of ${id}`,
        rows: 1,
        lastEventTime: range[0]
      }
    }
  ],
  answered: rangesOf(range),
  exceptions: [],
  jobs: ["0.1"],
  source: "binance",
  cause: "request-1"
})

const bytesAt = (stream: string, subject: string) =>
  Effect.flatMap(Mesh, (mesh) => mesh.read(stream, subject)).pipe(
    Effect.map((stored) => Option.getOrThrow(Option.getOrThrow(stored).value))
  )

/** Three commits; the record is then put back as it was after so many of them. */
const rolledBackTo = Effect.fnUntraced(function* (commits: number) {
  const mesh = yield* Mesh
  const record = yield* openRecord
  const kept: Array<Uint8Array> = []
  for (let count = 1; count <= 3; count++) {
    yield* record.commit(commitOf(minutes(0, count), `chunk-${count}`, count === 1 ? null : `chunk-${count - 1}`))
    kept.push(yield* bytesAt(Stream.coverage.name, rootSubject))
  }
  yield* mesh.write(rootSubject, kept[commits - 1]!)
})

const auditedRoot = Effect.map(bytesAt(Stream.audit.name, auditSubject), (bytes) =>
  Schema.decodeUnknownSync(CoverageRoot)(Option.getOrThrow(Codec.fromJson(bytes)))
)

describe("open()", () => {
  it.effect("open() of a record that goes on violates nothing, and keeps the version", () =>
    Effect.gen(function* () {
      const going = Effect.gen(function* () {
        yield* rolledBackTo(3)
        const record = yield* openRecord
        assert.strictEqual(record.root().version, 3)
      })
      assert.deepStrictEqual(yield* violatedBy(going), [])
    }).pipe(Effect.provide(stores))
  )

  it.effect("open() of a root that was rolled back goes on 2^20 versions later, and says what is lost", () =>
    Effect.gen(function* () {
      const versions: Array<number> = []
      const seen = yield* violationsOf(
        Effect.gen(function* () {
          yield* rolledBackTo(1)
          const record = yield* openRecord
          versions.push(record.root().version)
          assert.deepStrictEqual(toPairs(record.covered()), [[0, 60_000]])
          const audited = yield* auditedRoot
          assert.strictEqual(audited.version, record.root().version)
          assert.deepStrictEqual(toPairs(audited.diff.removed), [[60_000, 180_000]])
          assert.strictEqual(audited.diff.cause, "storageRolledBack")
          versions.push((yield* record.commit(commitOf(minutes(0, 2), "chunk-4", "chunk-1"))).version)
          // and once more, which finds nothing to raise
          versions.push((yield* openRecord).root().version)
        })
      )
      assert.deepStrictEqual(versions, [3 + 2 ** 20, 4 + 2 ** 20, 4 + 2 ** 20])
      const details = { alarm: "StorageRolledBack", series: address.key, version: 1, audited: 3, goesOnAs: 3 + 2 ** 20 }
      assert.deepStrictEqual(seen, [{ invariant: "storageKept", count: 1, details }])
    }).pipe(Effect.provide(stores))
  )

  it.effect("open() that was held up until a successor had gone on takes nothing for lost, and is fenced off", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const catalog = yield* SeriesCatalog
      const entry = yield* catalog.find("a", "1m")
      const successor = Effect.gen(function* () {
        const record = yield* CoverageRecord.open(entry, { ...activation, owner: "other", slotEpoch: 2 })
        yield* record.commit(commitOf(minutes(0, 1), "chunk-1", null))
      }).pipe(Effect.provideService(Mesh, mesh))
      const stored = yield* Effect.context<ChunkStore.ChunkStore>()
      const once = yield* Effect.cached(Effect.orDie(Effect.provide(successor, stored)))
      // its own root is written by then
      const heldUp = Mesh.of({
        ...mesh,
        read: (stream, subject) =>
          Effect.andThen(stream === Stream.audit.name ? once : Effect.void, mesh.read(stream, subject))
      })
      const late = Effect.flip(openRecord).pipe(Effect.provideService(Mesh, heldUp))
      const seen = yield* violationsOf(Effect.map(late, ({ _tag }) => assert.strictEqual(_tag, "Fenced")))
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.provide(stores))
  )

  it.effect("open() of a root whose audit lost an entry", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const lost = Effect.gen(function* () {
        const record = yield* openRecord
        yield* record.commit(commitOf(minutes(0, 1), "chunk-1", null))
        const entry = yield* bytesAt(Stream.audit.name, auditSubject)
        yield* record.commit(commitOf(minutes(0, 2), "chunk-2", "chunk-1"))
        yield* record.commit(commitOf(minutes(0, 3), "chunk-3", "chunk-2"))
        yield* mesh.write(auditSubject, entry)
        assert.strictEqual((yield* openRecord).root().version, 3)
        assert.strictEqual((yield* auditedRoot).version, 3)
      })
      assert.deepStrictEqual(yield* violatedBy(lost), ["auditContinues"])
    }).pipe(Effect.provide(stores))
  )

  it.effect("open() by whom an old answer is given of the audit stream takes nothing for lost, and is refused", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const record = yield* openRecord
      yield* record.commit(commitOf(minutes(0, 1), "chunk-1", null))
      const old = yield* mesh.read(Stream.audit.name, auditSubject)
      yield* record.commit(commitOf(minutes(0, 2), "chunk-2", "chunk-1"))
      yield* record.commit(commitOf(minutes(0, 3), "chunk-3", "chunk-2"))
      const behind = Mesh.of({
        ...mesh,
        read: (stream, subject) => (subject === auditSubject ? Effect.succeed(old) : mesh.read(stream, subject))
      })
      const opened = Effect.flip(Effect.provideService(openRecord, Mesh, behind))
      const seen = yield* violationsOf(
        Effect.gen(function* () {
          assert.strictEqual((yield* opened)._tag, "Fenced")
        })
      )
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.provide(stores))
  )

  it.effect(
    "open() by whom the first answer of the audit stream alone is old takes nothing for lost, and goes on",
    () =>
      Effect.gen(function* () {
        const mesh = yield* Mesh
        const record = yield* openRecord
        yield* record.commit(commitOf(minutes(0, 1), "chunk-1", null))
        const old = yield* mesh.read(Stream.audit.name, auditSubject)
        yield* record.commit(commitOf(minutes(0, 2), "chunk-2", "chunk-1"))
        yield* record.commit(commitOf(minutes(0, 3), "chunk-3", "chunk-2"))
        let reads = 0
        const behind = Mesh.of({
          ...mesh,
          read: (stream, subject) =>
            subject === auditSubject && reads++ === 0 ? Effect.succeed(old) : mesh.read(stream, subject)
        })
        const seen = yield* violationsOf(
          Effect.gen(function* () {
            const opened = yield* Effect.provideService(openRecord, Mesh, behind)
            assert.strictEqual(opened.root().version, 3)
          })
        )
        assert.deepStrictEqual(seen, [])
      }).pipe(Effect.provide(stores))
  )
})

describe("commit()", () => {
  it.effect("commit() of a chunk that covers less than the one that it replaces", () =>
    Effect.gen(function* () {
      const seen = yield* violationsOf(
        Effect.gen(function* () {
          const record = yield* openRecord
          yield* record.commit(commitOf(minutes(0, 3), "chunk-1", null))
          yield* record.commit(commitOf(minutes(0, 2), "chunk-2", "chunk-1"))
        })
      )
      const details = { series: address.key, source: "binance", jobs: ["0.1"], windows: [0] }
      assert.deepStrictEqual(seen, [{ invariant: "coverageKept", count: 1, details }])
    }).pipe(Effect.provide(stores))
  )
})

/** What it violates that a job's record becomes another. */
const followed = (before: Partial<BackfillJob>, next: Partial<BackfillJob>) =>
  Effect.gen(function* () {
    const known = yield* KnownJobs.follow(series)
    known.set({ job: jobOf({ nonce: "1", ranges: RangeSet.of(0, 1), ...before }), revision: 5 })
    known.set({ job: jobOf({ nonce: "2", ranges: RangeSet.of(0, 1), ...next }), revision: 6 })
  }).pipe(Effect.scoped, violatedBy, Effect.provide(MemoryMesh.layer))

describe("set()", () => {
  it.effect.each([
    { title: "the next run", before: { state: "SUCCEEDED" }, next: { run: 2, state: "RUNNING" } },
    { title: "its own end", before: { state: "RUNNING" }, next: { state: "SUCCEEDED" } },
    { title: "the first run of a record anew", before: { state: "SUCCEEDED" }, next: { state: "PENDING" } },
    { title: "the same end, seen again", before: { state: "SUCCEEDED" }, next: { state: "SUCCEEDED", nonce: "1" } }
  ] as const)("set() of $title violates nothing", ({ before, next }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* followed(before, next), [])
    })
  )

  it.effect("set() of another end of a run that has succeeded", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* followed({ state: "SUCCEEDED" }, { state: "SUCCEEDED" }), ["completedOnce"])
      assert.deepStrictEqual(yield* followed({ state: "SUCCEEDED" }, { state: "FAILED" }), ["completedOnce"])
    })
  )
})
