/** Is what storage gives kept, though nobody waits for it any more, and asked for once, though several want it? */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer } from "effect"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import type { CoveragePage } from "../../../protocol/history/CoveragePage.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { makeFaultyMesh } from "../../support/faultyMesh.ts"
import { entry } from "../../support/requests.ts"

const { series } = entry
const pageOf = (index: number): CoveragePage => ({ format: 1, index, windows: [] })

/** A store whose reads wait for a hand, with some pages that are not in its memory, and how often it was read. */
const start = Effect.gen(function* () {
  const { faults, layer } = yield* makeFaultyMesh
  const aStore = Effect.map(
    Layer.build(Layer.fresh(ChunkStore.layer(1024 * 1024)).pipe(Layer.provide(layer))),
    Context.get(ChunkStore.ChunkStore)
  )
  const [writer, reader] = [yield* aStore, yield* aStore]
  const ids = yield* Effect.forEach([0, 1], (index) => writer.putPage(series, pageOf(index)))
  const opened = yield* Deferred.make<void>()
  const reads: Array<string> = []
  faults.reading = (stream) =>
    Effect.andThen(
      Effect.sync(() => void reads.push(stream)),
      Deferred.await(opened)
    )
  return {
    ids,
    reads,
    pages: (wanted: ReadonlyArray<string>) => reader.pages(series, wanted),
    open: Deferred.succeed(opened, undefined)
  }
})

describe("SharedLoads", () => {
  it.effect("what was asked for by who has left is there for who asks next", () =>
    Effect.gen(function* () {
      const { ids, open, pages, reads } = yield* start
      const hasty = yield* Effect.forkChild(pages(ids), { startImmediately: true })
      yield* Fiber.interrupt(hasty)
      const next = yield* Effect.forkChild(pages(ids), { startImmediately: true })
      yield* open
      assert.deepStrictEqual(yield* Fiber.join(next), [pageOf(0), pageOf(1)])
      assert.deepStrictEqual(yield* pages(ids), [pageOf(0), pageOf(1)])
      assert.deepStrictEqual(reads, [Stream.pages.name])
    }).pipe(Effect.scoped)
  )

  it.effect("who wants some of what is on its way asks for the rest alone", () =>
    Effect.gen(function* () {
      const { ids, open, pages, reads } = yield* start
      const first = yield* Effect.forkChild(pages(ids.slice(0, 1)), { startImmediately: true })
      const both = yield* Effect.forkChild(pages(ids), { startImmediately: true })
      yield* open
      assert.deepStrictEqual(yield* Fiber.join(both), [pageOf(0), pageOf(1)])
      assert.deepStrictEqual(yield* Fiber.join(first), [pageOf(0)])
      assert.lengthOf(reads, 2)
      assert.deepStrictEqual(yield* pages(ids), [pageOf(0), pageOf(1)])
      assert.lengthOf(reads, 2)
    }).pipe(Effect.scoped)
  )
})
