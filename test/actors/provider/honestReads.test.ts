/**
 * Where do others fail a reader, and what does a reader get here? On hosts in memory.
 *
 * Time-outs that do not work, sources that look empty because they are down, stores that are judged each alone, bars
 * that are cut off to be safe; and what `ensure` and the environment have to say.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { Configuration, SeriesSettings } from "../../../protocol/Settings.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { quietBars } from "../../support/candles.ts"
import { checkAccount } from "../../support/checkAccount.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { rawOf } from "../../support/rows.ts"
import { ask } from "../../support/situationHost.ts"

const minuteMs = 60_000
const bars = rawOf(quietBars(60))
const capabilities = { barsPerRequest: 100, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 }

const seriesOf = (node: string): SeriesSettings => ({
  node,
  intervals: ["1m"],
  sources: [node],
  symbol: "A",
  windowBars: 10
})

const configuration: Configuration = {
  sources: {
    good: { kind: "exchange", exchange: "binance" },
    hanging: { kind: "exchange", exchange: "binance" },
    nonsense: { kind: "exchange", exchange: "binance" }
  },
  series: [seriesOf("good"), seriesOf("hanging"), seriesOf("nonsense")]
}

const good = makeMemory({ name: "good", capabilities, bars: new Map([["A", bars]]) })
const hanging: DataSource = { ...good, name: "hanging", page: () => Effect.never }
const nonsense: DataSource = {
  ...good,
  name: "nonsense",
  page: ({ start }) => Effect.succeed({ eventTime: [start], columns: [{ name: "open", values: ["a lot"] }] })
}
const sources = [good, hanging, nonsense]

const onHost = <A, E>(run: Effect.Effect<A, E, Effect.Services<ReturnType<typeof ask>>>, requests = {}) =>
  Effect.andThen(memoryHost.start({ configuration: { ...configuration, requests }, sources }), run).pipe(
    Effect.scoped,
    Effect.provide(MemoryMesh.layer)
  )

const minutes = (from: number, to: number) => ({ interval: "1m", start: from * minuteMs, end: to * minuteMs })
const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 20_000 } }

/** What a reply says, whatever it is about. */
interface Told {
  readonly error?: { readonly tag: string }
  readonly meta?: { readonly strategy: string }
  readonly columns?: { readonly event_time: ReadonlyArray<number> }
}

const read = (nodeId: string, [from, to]: readonly [number, number], more: object) =>
  Effect.map(ask("read", { nodeId, ...minutes(from, to), requestId: "mine", ...more }), (body): Told => body)

const ensure = (nodeId: string, [from, to]: readonly [number, number], more: object) =>
  ask("ensure", { nodeId, ...minutes(from, to), ...more })

describe("a read", () => {
  it.live("of a source that hangs leaves by its deadline, and says that the source was late", () =>
    onHost(
      Effect.gen(function* () {
        // whoever is asked for the gap is awake by then
        yield* read("hanging", [0, 10], { strategy: "partial_fill", sla: { totalDeadlineMs: 20_000 } })
        const sla = { totalDeadlineMs: 1000 }
        const { columns, meta } = yield* read("hanging", [0, 10], { strategy: "auto_backfill", sla })
        const range = [0, 10 * minuteMs] as const
        const asked = { range, intervalMs: minuteMs, sources: ["hanging"], requestId: "mine" }
        const told = checkAccount(meta, { ...asked, strategy: "auto_backfill" }, [])
        assert.deepStrictEqual(columns?.event_time, [])
        assert.strictEqual(told.slaReport.violation?.phase, "backfill")
        assert.strictEqual(told.sourceOutcomes["hanging"]?.outcome, "timed_out")
      })
    )
  )

  it.live("of a source whose rows can't be conformed has none of them, and says so", () =>
    onHost(
      Effect.gen(function* () {
        const partial = yield* read("nonsense", [0, 10], patient)
        assert.deepStrictEqual(partial.columns?.event_time, [])
        assert.containSubset(partial.meta, {
          coverageRanges: [],
          sourceOutcomes: { nonsense: { outcome: "failed", error: { tag: "RowsRejected" } } }
        })
        const sla = { ...patient.sla, onBackfillFailure: "error" }
        const { error } = yield* read("nonsense", [0, 10], { ...patient, sla })
        assert.strictEqual(error?.tag, "RowsRejected")
      })
    )
  )

  it.live("that fails fast takes what is half in memory and half in storage for what it is: all", () =>
    Effect.gen(function* () {
      const first = yield* Scope.make()
      yield* Scope.provide(memoryHost.start({ configuration, sources }, "a"), first)
      yield* ensure("good", [0, 30], patient)
      yield* Scope.close(first, Exit.void)
      yield* memoryHost.start({ configuration, sources }, "b")
      const sla = { totalDeadlineMs: 20_000 }
      yield* read("good", [0, 10], { strategy: "fail_fast", sla })
      const { columns, meta } = yield* read("good", [0, 30], { strategy: "fail_fast", sla })
      assert.lengthOf(columns?.event_time ?? [], 30)
      assert.containSubset(meta, {
        sourceOutcomes: { cache: { outcome: "ok", chunks: 1 }, storage: { outcome: "ok", chunks: 2 } }
      })
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("of ten closed bars gives ten, which is all of what was expected", () =>
    onHost(
      Effect.gen(function* () {
        const sla = { ...patient.sla, minCoverage: 1, maxLagMs: 0, onViolation: "error" }
        const { columns, meta } = yield* read("good", [10, 20], { ...patient, sla, strict: true })
        assert.lengthOf(columns?.event_time ?? [], 10)
        assert.containSubset(meta, { qualitySummary: { rows: 10, expectedBars: 10 }, missingRanges: [] })
      })
    )
  )

  it.live("without an account has one where it is refused", () =>
    onHost(
      Effect.gen(function* () {
        const bare = yield* read("good", [0, 10], { ...patient, returnMeta: false })
        assert.deepStrictEqual(Object.keys(bare), ["columns"])
        const refused = yield* read("good", [0, 30], { strategy: "fail_fast", returnMeta: false })
        assert.strictEqual(refused.error?.tag, "CoverageMissing")
        assert.containSubset(refused.meta, { strategy: "fail_fast", coverageRanges: [[0, 10 * minuteMs]] })
      })
    )
  )

  it.live("that says nothing is as the environment has it, on the wire", () =>
    onHost(
      Effect.gen(function* () {
        const { error, meta } = yield* read("good", [0, 10], {})
        assert.strictEqual(error?.tag, "CoverageMissing")
        assert.containSubset(meta, { strategy: "fail_fast", slaReport: { totalDeadlineMs: 7000 } })
        const own = yield* read("good", [0, 10], patient)
        assert.strictEqual(own.meta?.strategy, "auto_backfill")
        assert.deepStrictEqual(Object.keys(own).toSorted(), ["columns", "meta"])
      }),
      { read: { strategy: "fail_fast", sla: { totalDeadlineMs: 7000 } } }
    )
  )
})

describe("ensureAvailable", () => {
  it.live("says which demand was not met, and makes an error of it where that is wanted", () =>
    onHost(
      Effect.gen(function* () {
        // there are sixty bars: nobody can prove what is behind the last
        const range = [50, 70] as const
        const sla = { ...patient.sla, minCoverage: 0.9, maxLagMs: 60_000 }
        const told = yield* ensure("good", range, { ...patient, sla })
        assert.containSubset(told, { available: false, slaReport: { violation: { phase: "minCoverage" } } })
        const { minCoverage: _share, ...lagging } = sla
        const late = yield* ensure("good", range, { ...patient, sla: lagging })
        assert.containSubset(late, {
          slaReport: { violation: { phase: "lag", budgetMs: 60_000, waitedMs: 10 * 60_000 } }
        })
        const { slaReport } = late as { readonly slaReport: { readonly violation: { readonly retryAfterMs: unknown } } }
        // what is deferred says until when
        assert.isNumber(slaReport.violation.retryAfterMs)
        const error = yield* ensure("good", range, { ...patient, sla: { ...sla, onViolation: "error" } })
        assert.containSubset(error, { error: { tag: "SlaViolated" }, result: { available: false } })
        const strict = yield* ensure("good", range, { ...patient, strict: true })
        assert.containSubset(strict, { error: { tag: "StrictViolation", expectedBars: 20, gotBars: 10 } })
        const flagged = yield* ensure("good", range, { ...patient, strict: true, onStrictViolation: "flag" })
        assert.containSubset(flagged, { available: false, sourceOutcomes: { cache: { outcome: "not_asked" } } })
      })
    )
  )
})
