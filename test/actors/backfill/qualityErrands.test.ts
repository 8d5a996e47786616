/** What becomes of bars that break rules on their way from a source to a reader? On a host in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as FrameModule from "../../../protocol/frame/Frame.ts"
import type { Frame } from "../../../protocol/frame/Frame.ts"
import type { QualityRules } from "../../../protocol/frame/QualityRules.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { quietBars } from "../../support/candles.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { rawOf } from "../../support/rows.ts"

const minuteMs = 60_000
const bars = 1000

const fields = ohlcv.fields.slice(1)

const configurationOf = (quality: QualityRules): Configuration => ({
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  schemas: { ruled: { fields: [ohlcv.fields[0]!, ...fields], rules: { quality } } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "A", windowBars: 300, schema: "ruled" }]
})

interface Answer {
  readonly columns: { readonly event_time: ReadonlyArray<number>; readonly __flags: ReadonlyArray<number> }
  readonly meta: Pick<HistoryMeta, "qualitySummary"> & { readonly missingRanges: ReadonlyArray<MissingRange> }
  readonly error?: { readonly tag: string; readonly message: string }
}

const read = Effect.fnUntraced(function* (from = 0, to = bars, more: object = {}) {
  const mesh = yield* Mesh
  const body = { nodeId: "a", interval: "1m", start: from * minuteMs, end: to * minuteMs, strategy: "auto_backfill" }
  const request = Codec.toJson({ ...body, ...more })
  const reply = yield* mesh.request(Subject.service.read, request, { timeoutMs: 20_000 })
  const answer: Answer = JSON.parse(new TextDecoder().decode(reply.data))
  return answer
})

const start = (frame: Frame, quality: QualityRules, barsPerRequest = 400) => {
  const source = makeMemory({
    name: "binance",
    capabilities: { barsPerRequest, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 },
    bars: new Map([["A", rawOf(frame)]])
  })
  return memoryHost.start({ configuration: configurationOf(quality), sources: [source] })
}

const inMemory = <A, E>(effect: Effect.Effect<A, E, Mesh>) => Effect.provide(effect, MemoryMesh.layer)

const keepOut: QualityRules = [{ rule: "negativeVolume", severity: "quarantine" }]

describe("bars that a rule flags", () => {
  it.live("are as many as is told of them, also where it was seen on a later page", () =>
    Effect.gen(function* () {
      const isThin = (bar: number): boolean => bar >= 360 && bar < 420
      const rows = Uint32Array.from(Array(bars).keys()).filter((bar) => !isThin(bar) || bar % 3 === 0)
      // the first page ends in the midst of the thin hour
      yield* start(FrameModule.pick(quietBars(bars), rows), [{ rule: "barCount", bars: 60 }], 370)
      const { columns, meta } = yield* read()
      assert.strictEqual(meta.qualitySummary.findings?.["barCount"]?.count, 20)
      const suspects = columns.event_time.filter((_, row) => (columns.__flags[row]! & RowFlag.suspect) !== 0)
      assert.deepStrictEqual(
        suspects,
        Array.from({ length: 20 }, (_, at) => (360 + 3 * at) * minuteMs)
      )
    }).pipe(Effect.scoped, inMemory)
  )
})

describe("bars that a rule keeps out", () => {
  it.live("are told exactly, also where there are more of them than a root has places for", () =>
    Effect.gen(function* () {
      const bad = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [at * 2 + 1, { volume: -1 }]))
      yield* start(quietBars(bars, bad), keepOut)
      const { columns, meta } = yield* read()
      assert.lengthOf(columns.event_time, 600)
      assert.isTrue(columns.event_time.every((time) => time >= 800 * minuteMs || (time / minuteMs) % 2 === 0))
      assert.deepInclude(meta.qualitySummary, { rows: 600, expectedBars: 1000, knownEmptyBars: 0, gapCount: 400 })
      assert.deepStrictEqual(meta.qualitySummary.findings, {
        negativeVolume: { count: 400, severity: "quarantine", examples: [1, 3, 5, 7, 9].map((bar) => bar * minuteMs) }
      })
      assert.deepStrictEqual(
        new Set(meta.missingRanges.map(({ rule, state }) => `${state} by ${rule}`)),
        new Set(["quarantined by negativeVolume"])
      )
      const part = yield* read(100, 110)
      assert.deepInclude(part.meta.qualitySummary.findings?.["negativeVolume"], { count: 5 })
    }).pipe(Effect.scoped, inMemory)
  )

  it.live("are bars: where nothing was traded beside them is known to be empty", () =>
    Effect.gen(function* () {
      const frame = quietBars(bars, { 500: { volume: -1 } })
      const rows = rawOf(frame)
      // nothing from 497 to 499 and from 501 to 503
      const isThere = (bar: number): boolean => bar === 500 || Math.abs(bar - 500) > 3
      const thin: Frame = {
        ...frame,
        eventTimeMs: Float64Array.from(rows.eventTime, Number).filter((_, bar) => isThere(bar)),
        columns: frame.columns.map((column) => ({
          name: column.name,
          type: "float64",
          values: Float64Array.from(column.values, Number).filter((_, bar) => isThere(bar))
        }))
      }
      yield* start(thin, keepOut)
      const { meta } = yield* read()
      assert.deepInclude(meta.qualitySummary, { rows: 993, expectedBars: 994, knownEmptyBars: 6, gapCount: 1 })
    }).pipe(Effect.scoped, inMemory)
  )
})

describe("answers that a rule refuses", () => {
  it.live("fail as RowsRejected, with rule, bar and value", () =>
    Effect.gen(function* () {
      yield* start(quietBars(bars, { 7: { volume: -1 } }), [{ rule: "negativeVolume", severity: "reject" }])
      const { error } = yield* read(0, 20, { sla: { onBackfillFailure: "error", totalDeadlineMs: 10_000 } })
      assert.strictEqual(error?.tag, "RowsRejected")
      assert.include(error?.message, "volume is -1 at 1970-01-01T00:07:00Z")
    }).pipe(Effect.scoped, inMemory)
  )

  it.live("are those in which something is wrong, and none for the sake of bars that stand before them", () =>
    Effect.gen(function* () {
      const rows = Uint32Array.from(Array(60).keys()).filter((bar) => bar < 3 || bar >= 6)
      const few: QualityRules = [{ rule: "barCount", bars: 5, minShare: 0.8, severity: "reject" }]
      yield* start(FrameModule.pick(quietBars(60), rows), few)
      for (const [from, to] of [
        [0, 3],
        [3, 6],
        [6, 7]
      ] as const) {
        yield* read(from, to)
      }
      const { columns, meta } = yield* read(0, 7)
      assert.deepStrictEqual(
        columns.event_time,
        [0, 1, 2, 6].map((bar) => bar * minuteMs)
      )
      assert.deepStrictEqual(meta.missingRanges, [])
    }).pipe(Effect.scoped, inMemory)
  )
})

describe("findings", () => {
  const odd = {
    100: { close: 160 },
    299: { close: 140 },
    300: { close: 60 },
    551: { close: 0 },
    700: { open: 100, high: 100, low: 100, close: 100, volume: 1 },
    701: { open: 100, high: 100, low: 100, close: 100, volume: 1 },
    702: { open: 100, high: 100, low: 100, close: 100, volume: 1 }
  }
  const rules: QualityRules = [
    { rule: "staleRepeat", bars: 2 },
    { rule: "reversal", severity: "off" }
  ]

  const found = (barsPerRequest: number) =>
    Effect.gen(function* () {
      yield* start(quietBars(bars, odd), rules, barsPerRequest)
      return (yield* read()).meta.qualitySummary.findings
    }).pipe(Effect.scoped, inMemory)

  it.live("of a window that was filled in parts are those of all of them", () =>
    Effect.gen(function* () {
      yield* start(quietBars(bars, { 10: { volume: -1 }, 20: { volume: -1 }, 200: { volume: -1 } }), [])
      yield* read(15, 100)
      yield* read(150, 300)
      yield* read(0, 300)
      const { meta } = yield* read(0, 300)
      const examples = [10, 20, 200].map((bar) => bar * minuteMs)
      assert.deepStrictEqual(meta.qualitySummary.findings, { negativeVolume: { count: 3, severity: "flag", examples } })
    }).pipe(Effect.scoped, inMemory)
  )

  it.live("are the same when bars are filled one by one, each upon those that are stored", () =>
    Effect.gen(function* () {
      const flat = { open: 100, high: 100, low: 100, close: 100, volume: 1 }
      const few = quietBars(12, { 3: { close: 160 }, 7: flat, 8: flat, 9: flat })
      const filledBy = (steps: number) =>
        Effect.gen(function* () {
          yield* start(few, rules)
          for (let from = 0; from < 12; from += steps) yield* read(from, from + steps)
          return (yield* read(0, 12)).meta.qualitySummary.findings
        }).pipe(Effect.scoped, inMemory)
      const whole = yield* filledBy(12)
      assert.deepStrictEqual(Object.keys(whole ?? {}).toSorted(), ["jump", "staleRepeat"])
      assert.deepStrictEqual(yield* filledBy(1), whole)
    })
  )

  it.live("are the same however many pages the answer came in", () =>
    Effect.gen(function* () {
      const whole = yield* found(1000)
      assert.deepStrictEqual(
        Object.keys(whole ?? {}).toSorted(),
        ["jump", "staleRepeat", "zScore", "zeroPrice"].toSorted()
      )
      for (const barsPerRequest of [50, 101, 301]) assert.deepStrictEqual(yield* found(barsPerRequest), whole)
    })
  )
})
