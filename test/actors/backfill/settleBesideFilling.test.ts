/** Do the filling of a window and the settling of its bars stand in each other's way? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { barNow, configuration, isSettled, read, rootNow, secondMs, sourceOf } from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

// one window for all of a test, which lasts longer than it
const wide: Configuration = {
  ...configuration,
  series: [{ ...configuration.series[0], windowBars: 86_400 }]
}

describe("settling", () => {
  it.live("goes on beside a hole of the window that waits for a person", () =>
    Effect.gen(function* () {
      const made = sourceOf((_, count) => (count > 1 ? 7 : 1))
      let holeUntil = 0
      const page: DataSource["page"] = (request) =>
        request.start < holeUntil
          ? Effect.fail(new RequestFailed({ reason: "HTTP 400", retryable: false, retryAfterMs: null }))
          : made.source.page(request)
      const retry = { baseMs: 10, attempts: 1 }
      yield* memoryHost.start({ configuration: { ...wide, retry }, sources: [{ ...made.source, page }] })
      const nowMs = yield* barNow
      const start = nowMs - 10 * secondMs
      yield* read(start, nowMs)
      holeUntil = start
      yield* read(start - 10 * secondMs, start)
      const isAside = Effect.map(rootNow, ({ exceptions }) => exceptions.some(({ state }) => state === "quarantined"))
      yield* untilTrue("the hole waits for a person", isAside, 5000)
      yield* untilTrue("all has settled", isSettled, 18_000)
      assert.strictEqual((yield* read(start, nowMs)).columns.close.at(-1), 7)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("keeps no reader waiting for what is missing of the window", () =>
    Effect.gen(function* () {
      const made = sourceOf(() => 1)
      const [held, letGo] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let stored: readonly [number, number] = [Infinity, Infinity]
      const page: DataSource["page"] = (request) =>
        Effect.gen(function* () {
          if (request.start >= stored[0] && request.start < stored[1]) {
            yield* Deferred.succeed(held, undefined)
            yield* Deferred.await(letGo)
          }
          return yield* made.source.page(request)
        })
      yield* memoryHost.start({ configuration: wide, sources: [{ ...made.source, page }] })
      const nowMs = yield* barNow
      const start = nowMs - 10 * secondMs
      yield* read(start, nowMs)
      stored = [start, nowMs]
      yield* Deferred.await(held)
      // the source has not answered the question about what is stored, and won't until this is read
      const missing = yield* read(start - 10 * secondMs, start)
      assert.strictEqual(missing.columns.close.length, 10)
      assert.deepStrictEqual(missing.meta.missingRanges, [])
      yield* Deferred.succeed(letGo, undefined)
      yield* untilTrue("all has settled", isSettled, 18_000)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
