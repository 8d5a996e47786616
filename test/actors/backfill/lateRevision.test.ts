/** What becomes of an answer about stored bars that others have revised since the question? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { configuration, read, rootNow, secondMs, series, sourceOf } from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const asked = { ...series, start: 0, end: 10 * secondMs }

const repair = (reason: string) => memoryHost.askAdmin<Verified>("repair", { ...asked, reason })

/** A source that gives what it had when it was asked, and whose second answer waits until it is let go. */
const slowSource = Effect.gen(function* () {
  const made = sourceOf((_, count) => count)
  const [held, letGo] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const page: DataSource["page"] = (request) =>
    Effect.gen(function* () {
      const isSecond = made.asked.length === 1
      const rows = yield* made.source.page(request)
      if (!isSecond) return rows
      yield* Deferred.succeed(held, undefined)
      yield* Deferred.await(letGo)
      return rows
    })
  return { source: { ...made.source, page }, held, letGo }
})

describe("a revision that comes late", () => {
  it.live("is refused where its bars were revised since it was asked for, and changes nothing", () =>
    Effect.gen(function* () {
      const { held, letGo, source } = yield* slowSource
      yield* memoryHost.start({ configuration, sources: [source] })
      yield* read(0, 10 * secondMs)
      const late = yield* Effect.forkChild(Effect.flip(repair("the older answer")))
      yield* Deferred.await(held)
      assert.strictEqual((yield* repair("the newer answer")).repairedBars, 10)
      const standing = yield* rootNow
      yield* Deferred.succeed(letGo, undefined)
      yield* Fiber.join(late)
      assert.deepStrictEqual(yield* rootNow, standing)
      assert.deepStrictEqual(new Set((yield* read(0, 10 * secondMs)).columns.close), new Set([3]))
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("is refused where its time was invalidated since it was asked for", () =>
    Effect.gen(function* () {
      const { held, letGo, source } = yield* slowSource
      yield* memoryHost.start({ configuration, sources: [source] })
      yield* read(0, 10 * secondMs)
      const late = yield* Effect.forkChild(Effect.flip(repair("the older answer")))
      yield* Deferred.await(held)
      yield* memoryHost.askAdmin("reprocess", { ...asked, reason: "made by wrong rules" })
      const isThere = Effect.map(rootNow, ({ covered }) => covered.edges.length > 0)
      yield* untilTrue("it is fetched anew", isThere, 10_000)
      yield* Deferred.succeed(letGo, undefined)
      yield* Fiber.join(late)
      assert.deepStrictEqual(new Set((yield* read(0, 10 * secondMs)).columns.close), new Set([3]))
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("is taken where more was stored beside its bars meanwhile", () =>
    Effect.gen(function* () {
      const { held, letGo, source } = yield* slowSource
      yield* memoryHost.start({ configuration, sources: [source] })
      yield* read(0, 10 * secondMs)
      const late = yield* Effect.forkChild(repair("it takes its time"))
      yield* Deferred.await(held)
      yield* read(0, 20 * secondMs)
      yield* Deferred.succeed(letGo, undefined)
      assert.strictEqual((yield* Fiber.join(late)).repairedBars, 10)
      const { columns } = yield* read(0, 20 * secondMs)
      assert.deepStrictEqual(
        columns.close,
        Array.from({ length: 20 }, (_, bar) => (bar < 10 ? 2 : 3))
      )
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
