/** Does what can't be read of storage keep a reader from what can? On a host in memory. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as LongSeries from "../../support/LongSeries.ts"

const key = Subject.series(LongSeries.series.nodeId, LongSeries.series.interval)
const { windowMinutes, windowMs } = LongSeries
const minutes = Array.from({ length: windowMinutes }, (_, minute) => minute)

// the leader is asked again and again before something counts as lost
const patient = { sla: { totalDeadlineMs: 20_000 } }

/** Removes what is stored of a kind; of chunks, that of one window alone. */
const lose = Effect.fnUntraced(function* (kind: "chunks" | "pages", windowStart?: number) {
  const mesh = yield* Mesh
  const stream = kind === "chunks" ? Stream.chunks.name : Stream.pages.name
  const subjects = Subject.allOf(kind, key)
  const { entries } = yield* mesh.names(stream, subjects)
  const lost = entries.filter(({ subject }) => windowStart === undefined || subject.includes(`.${windowStart}.`))
  assert.isNotEmpty(lost)
  yield* Effect.forEach(lost, ({ revision }) => mesh.remove(stream, revision))
})

it.live("a chunk that is gone leaves out its window, and no other; who failed to read it once may read it later", () =>
  Effect.gen(function* () {
    const { chunkOf, commit, read, store } = yield* LongSeries.start()
    const lost = chunkOf({ window: 1, minutes, price: 100 })
    for (const window of [0, 1, 2]) yield* commit({ window, minutes, price: 100 })
    yield* lose("chunks", windowMs)
    const { df, meta } = yield* read([0, 3], patient)
    assert.strictEqual(df.eventTimeMs.length, 2 * windowMinutes)
    assert.containSubset(meta, {
      missingRanges: [{ start: windowMs, end: 2 * windowMs, state: "missing" }],
      sourceOutcomes: {
        cache: { chunks: 0 },
        storage: { outcome: "failed", chunks: 2, error: { tag: "StoreDamaged" } }
      },
      qualitySummary: { rows: 2 * windowMinutes, expectedBars: 3 * windowMinutes, gapCount: 1 },
      slaReport: { violation: null }
    })
    // and who has no time for that is not kept from what came before it
    const hasty = yield* read([0, 3], { sla: { totalDeadlineMs: 20_000, maxWaitStorageMs: 200 } })
    assert.strictEqual(hasty.df.eventTimeMs.length, 2 * windowMinutes)
    yield* store.putChunk(LongSeries.series, windowMs, lost)
    const whole = yield* read([0, 3], patient)
    assert.deepStrictEqual(whole.meta.missingRanges, [])
    assert.containSubset(whole.meta.sourceOutcomes, { cache: { chunks: 2 }, storage: { outcome: "ok", chunks: 1 } })
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)

it.live("a page that is gone says nothing of its windows: none of them is taken for known to be empty", () =>
  Effect.gen(function* () {
    const first = yield* LongSeries.start()
    yield* first.commit({ window: 0, minutes, price: 100 })
    yield* lose("pages")
    // another host has nothing in memory
    const { read } = yield* LongSeries.start(LongSeries.configurationOf(), "another")
    const { df, meta } = yield* read([0, 1], patient)
    assert.strictEqual(df.eventTimeMs.length, 0)
    assert.containSubset(meta, {
      missingRanges: [{ start: 0, end: windowMs, state: "missing" }],
      sourceOutcomes: { cache: { outcome: "not_asked" }, storage: { outcome: "failed" } },
      qualitySummary: { knownEmptyBars: 0, expectedBars: windowMinutes }
    })
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)
