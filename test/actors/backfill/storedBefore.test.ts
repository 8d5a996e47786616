/** What becomes of a fill behind rows that are stored and can't be read? On hosts in memory. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { configuration, read, secondMs, series, sourceOf } from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"

const windowMs = 60 * secondMs

/** Removes every chunk that is stored of the series. */
const loseChunks = Effect.gen(function* () {
  const mesh = yield* Mesh
  const subjects = Subject.allOf("chunks", Subject.series(series.nodeId, series.interval))
  const { entries } = yield* mesh.names(Stream.chunks.name, subjects)
  yield* Effect.forEach(entries, ({ revision }) => mesh.remove(Stream.chunks.name, revision))
})

it.live("a window is filled behind one whose chunk is damaged, and whoever reads that one is told", () =>
  Effect.gen(function* () {
    const { source } = sourceOf(() => 1)
    const hosts = { configuration, sources: [source] }
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* memoryHost.start(hosts, "first")
        assert.lengthOf((yield* read(0, windowMs)).columns.close, 60)
      })
    )
    yield* loseChunks
    // another host has nothing in memory
    yield* memoryHost.start(hosts, "second")
    assert.lengthOf((yield* read(windowMs, windowMs + 10 * secondMs)).columns.close, 10)
    const body = { ...series, start: 0, end: windowMs, strategy: "auto_backfill" }
    const reply = yield* (yield* Mesh).request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
    assert.include(new TextDecoder().decode(reply.data), "StoreDamaged")
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)
