/** Is what is read of a series' past of one moment, also where others commit and replicas lag meanwhile? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { readAudit } from "../../../actors/admin/readAudit.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import { CoverageRoot } from "../../../protocol/history/CoverageRoot.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type MeshShape } from "../../../runtime/Mesh.ts"
import { bytesOfRoot, rootsOf } from "../../support/auditedRoots.ts"
import { rangesOf } from "../../support/jobs.ts"

const { find } = SeriesCatalog.make({
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "BTC/BUSD" }]
})
const key = Subject.series("a", "1m")

const roots = rootsOf(Array.from({ length: 8 }, (_, at) => ({ added: rangesOf([at * 10, at * 10 + 5]) })))

/** Stores the roots up to a version, as their owner does: the one before is in the history when the next is saved. */
const storeUpTo = Effect.fnUntraced(function* (mesh: MeshShape, from: number, version: number) {
  for (let each = from; each <= version; each++) {
    const root = roots[each - 1]!
    const state = Schema.encodeSync(CoverageRoot)(root)
    const record = { format: 1, slotEpoch: 1, epoch: 1, owner: "me", nonce: "n", state }
    yield* mesh.write(keySubject(Stream.coverage, key), Codec.toJson(record))
    yield* mesh.write(Subject.audit("other.1m"), bytesOfRoot(root))
    if (each < version) yield* mesh.write(Subject.audit(key), bytesOfRoot(root))
  }
})

/** Stores on in the middle of something else. */
const storeOn = (mesh: MeshShape, from: number, version: number) => Effect.orDie(storeUpTo(mesh, from, version))

/** The versions of the entries, and of the root that stands. */
const readOn = (mesh: MeshShape) =>
  Effect.gen(function* () {
    const versions: Array<number> = []
    const { root } = yield* readAudit(yield* find("a", "1m"), (entries) => {
      for (const entry of entries) versions.push(Option.getOrThrow(entry.root).version)
    })
    return [versions, root.version] as const
  }).pipe(Effect.provide(Layer.provideMerge(ChunkStore.layer(1000), Layer.succeed(Mesh, Mesh.of(mesh)))))

const storedMesh = (version: number) =>
  Effect.tap(Effect.provide(Effect.service(Mesh), MemoryMesh.layer), (mesh) => storeUpTo(mesh, 1, version))

describe("readAudit()", () => {
  it.effect("readAudit() tells each entry of the series, in order, and the root that stands", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* readOn(yield* storedMesh(0)), [[], 0])
      assert.deepStrictEqual(yield* readOn(yield* storedMesh(1)), [[], 1])
      const mesh = yield* storedMesh(4)
      assert.deepStrictEqual(yield* readOn(mesh), [[1, 2, 3], 4])
      const byTwo: MeshShape = {
        ...mesh,
        history: (stream, subject, options) => mesh.history(stream, subject, { ...options, max: 2 })
      }
      assert.deepStrictEqual(yield* readOn(byTwo), [[1, 2, 3], 4])
    })
  )

  it.effect("readAudit() begins again where commits came in between, and leaves out what comes later", () =>
    Effect.gen(function* () {
      const mesh = yield* storedMesh(3)
      let isCommitted = false
      const committing: MeshShape = {
        ...mesh,
        read: (stream, subject) =>
          Effect.gen(function* () {
            const stored = yield* mesh.read(stream, subject)
            // right behind the look at the end of the history
            if (!isCommitted && stream === Stream.audit.name) {
              isCommitted = true
              yield* storeOn(mesh, 3, 6)
            }
            return stored
          }),
        history: (stream, subject, options) =>
          Effect.andThen(storeOn(mesh, 6, 8), mesh.history(stream, subject, options))
      }
      const [versions, standing] = yield* readOn(committing)
      assert.strictEqual(standing, 6)
      assert.deepStrictEqual(versions, [1, 2, 3, 4, 5])
    })
  )

  it.effect("readAudit() asks again where the root that it is given is older than the end of its history", () =>
    Effect.gen(function* () {
      const mesh = yield* storedMesh(3)
      const subject = keySubject(Stream.coverage, key)
      const old = yield* mesh.read(Stream.coverage.name, subject)
      yield* storeOn(mesh, 3, 6)
      let reads = 0
      const behind: MeshShape = {
        ...mesh,
        read: (stream, of) => (of === subject && reads++ < 2 ? Effect.succeed(old) : mesh.read(stream, of))
      }
      assert.deepStrictEqual(yield* readOn(behind), [[1, 2, 3, 4, 5], 6])
    })
  )

  it.effect("readAudit() asks again where a replica is behind, and gives up where none catches up", () =>
    Effect.gen(function* () {
      const mesh = yield* storedMesh(4)
      let asked = 0
      const behind = (times: number): MeshShape => ({
        ...mesh,
        history: (stream, subject, options) =>
          ++asked <= times
            ? Effect.succeed({ entries: [], isLast: true, left: 0 })
            : mesh.history(stream, subject, { ...options, max: 1 })
      })
      const late = yield* Effect.forkChild(readOn(behind(3)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(late), [[1, 2, 3], 4])
      const never = yield* Effect.forkChild(readOn(behind(Infinity)))
      yield* TestClock.adjust("1 minute")
      const exit = yield* Fiber.await(never)
      const failure = Option.getOrThrow(Exit.findErrorOption(exit))
      assert.deepInclude(failure, { _tag: "MeshUnavailable" })
      assert.match(String(failure), /no replica has what its leader has, from revision/)
    })
  )

  it.effect("readAudit() of a root that is none says so", () =>
    Effect.gen(function* () {
      const mesh = yield* storedMesh(1)
      yield* mesh.write(keySubject(Stream.coverage, key), Codec.toJson({ state: 1 }))
      assert.deepInclude(yield* Effect.flip(readOn(mesh)), { _tag: "StoreDamaged", key })
    })
  )
})
