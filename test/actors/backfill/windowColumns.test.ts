/** Do the columns of a window follow from its own rows, whatever else is asked for with it? On hosts in memory. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { configuration, read, secondMs, sourceOf } from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"

const windowMs = 60 * secondMs

/** A source with a column that no schema names: text in the first window, and numbers behind it. */
const noting = (): DataSource => {
  const { source } = sourceOf((bar) => 1 + bar / 1e9)
  const noted = ({ columns, eventTime }: RawRows): RawRows => {
    const values = Array.from(eventTime, (time) => (Number(time) < windowMs ? "x" : 1))
    return { eventTime, columns: [...columns, { name: "note", values }] }
  }
  return { ...source, page: (request) => Effect.map(source.page(request), noted) }
}

/** What the third window has when these ranges were read one after the other, each filled then. */
const thirdAfter = (...ranges: ReadonlyArray<readonly [from: number, until: number]>) =>
  Effect.gen(function* () {
    yield* memoryHost.start({ configuration, sources: [noting()] })
    yield* Effect.forEach(ranges, ([from, until]) => read(from * windowMs, until * windowMs))
    const { columns, meta } = yield* read(2 * windowMs, 3 * windowMs)
    return { ...columns, __ingest_at: [], fingerprint: meta.fingerprint }
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))

it.live("a window's columns have the types of its own rows, also where one job brings those of windows beside it", () =>
  Effect.gen(function* () {
    const alone = yield* thirdAfter([2, 3])
    assert.containSubset(alone, { note: Array.from({ length: 60 }, () => 1) })
    // the window in between is there: what is on either side of it is asked for as two stretches
    assert.deepStrictEqual(yield* thirdAfter([1, 2], [0, 3]), alone)
  })
)
