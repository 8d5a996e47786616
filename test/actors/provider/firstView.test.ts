/** What does a read come to that leaves storage next to no time? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { read } from "../../../actors/provider/read.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { Coverage, type CoverageView, type Freshness } from "../../../protocol/messages/Coverage.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { entry, minute, requestOf } from "../../support/requests.ts"
import { conformed, flatBars } from "../../support/rows.ts"
import { servicesOf, store } from "../../support/storedHistory.ts"

const minutes = Array.from({ length: 10 }, (_, bar) => bar)
const frame = conformed(flatBars(minutes, minutes), { source: "binance", ingestAtMs: 0 }).frame
const ranges = RangeSet.of(0, 10 * minute)
const chunk = { windowStart: 0, source: "binance", ranges, frame, findings: Findings.none }
const hasty = requestOf({ sla: { totalDeadlineMs: 5000, maxWaitStorageMs: 0 } })

const stores = ChunkStore.layer(1024 * 1024).pipe(Layer.provide(Layer.fresh(MemoryMesh.layer)))

/** Coverage that takes so long to be looked up, for whoever waits that long; others get what was known a day ago. */
const lookedUp = (view: CoverageView, tookMs: number) =>
  Layer.effect(
    Coverage,
    Effect.map(Coverage, (coverage) => ({
      ...coverage,
      of: (_: unknown, { orLastAfterMs = Infinity }: Freshness = {}) =>
        Effect.as(
          Effect.sleep(Math.min(tookMs, orLastAfterMs)),
          orLastAfterMs < tookMs ? { ...view, staleMs: 86_400_000 } : view
        )
    }))
  )

const servicesAfter = (view: CoverageView, tookMs: number) =>
  lookedUp(view, tookMs).pipe(Layer.provideMerge(servicesOf(view)))

describe("a read that waits for no rows", () => {
  for (const isKnown of [true, false]) {
    const coverage = isKnown ? "known" : "looked up"
    it.live(`has those in memory, and nothing is late, where its coverage is ${coverage}`, () =>
      Effect.gen(function* () {
        const view = yield* store(entry, 10, [chunk])
        const services = servicesOf(view, isKnown)
        // leaves them in memory
        yield* read(requestOf()).pipe(Effect.provide(services))
        const { df, meta } = yield* read(hasty).pipe(Effect.provide(services))
        assert.lengthOf(df.eventTimeMs, 10)
        const { phases, violation } = meta.slaReport
        assert.isNull(violation)
        assert.strictEqual(phases["storage"]!.budgetMs, 0)
        assert.isFalse(phases["storage"]!.timedOut)
      }).pipe(Effect.provide(stores))
    )

    it.live(`says of those that are stored alone that it had no time, where its coverage is ${coverage}`, () =>
      Effect.gen(function* () {
        const view = yield* store(entry, 10, [chunk])
        const { df, meta } = yield* read(hasty).pipe(Effect.provide(servicesOf(view, isKnown)))
        assert.lengthOf(df.eventTimeMs, 0)
        const { phases, violation } = meta.slaReport
        const { budgetMs, timedOut } = phases["storage"]!
        assert.deepStrictEqual({ budgetMs, timedOut }, { budgetMs: 0, timedOut: true })
        assert.deepStrictEqual(violation, { phase: "storage", budgetMs: 0, waitedMs: 0, retryAfterMs: null })
      }).pipe(Effect.provide(stores))
    )
  }

  it.live("is not answered by old coverage where what stands is there within milliseconds", () =>
    Effect.gen(function* () {
      const view = yield* store(entry, 10, [chunk])
      const { meta } = yield* read(hasty).pipe(Effect.provide(servicesAfter(view, 20)))
      assert.isUndefined(meta.staleMs)
      assert.deepStrictEqual(meta.notes, [])
    }).pipe(Effect.provide(stores))
  )

  it.live("is answered by old coverage where what stands does not come", () =>
    Effect.gen(function* () {
      const view = yield* store(entry, 10, [chunk])
      const { meta } = yield* read(hasty).pipe(Effect.provide(servicesAfter(view, 60_000)))
      assert.strictEqual(meta.staleMs, 86_400_000)
      assert.isBelow(meta.slaReport.elapsedMs, 2000)
    }).pipe(Effect.provide(stores))
  )
})

describe("a read with a limit for rows", () => {
  it.live("says that limit of its storage, though what is covered may take all of the time", () =>
    Effect.gen(function* () {
      const view = yield* store(entry, 10, [chunk])
      const request = requestOf({ sla: { totalDeadlineMs: 5000, maxWaitStorageMs: 700 } })
      for (const isKnown of [true, false]) {
        const { meta } = yield* read(request).pipe(Effect.provide(servicesOf(view, isKnown)))
        assert.strictEqual(meta.slaReport.phases["storage"]!.budgetMs, 700)
      }
    }).pipe(Effect.provide(stores))
  )
})
