/** What becomes of bars that a source gives otherwise after they were stored? */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Option, Result } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { fieldNames, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import { readRoot } from "../../../protocol/messages/readRoot.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const series = { nodeId: "a", interval: "1s" }
const secondMs = 1000
const settleMs = 1500

const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance", settleMs, finalityDelayMs: 0 } },
  series: [{ node: "a", intervals: ["1s"], sources: ["binance"], symbol: "A", windowBars: 60 }],
  retry: { baseMs: 10 }
}

/** A source with a bar in each second, whose price is what `priceOf` says when it is asked. */
const sourceOf = (priceOf: (bar: number, asked: number) => number | null) => {
  const asked: Array<readonly [number, number]> = []
  const source: DataSource = {
    name: "binance",
    kind: "BACKFILL",
    capabilities: { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 },
    page: ({ end, start }) =>
      Effect.sync((): RawRows => {
        asked.push([start, end])
        const all = Array.from(
          { length: Math.min(100, (end - start) / secondMs) },
          (_, index) => start + index * secondMs
        )
        const bars = all.filter((bar) => priceOf(bar, asked.length) !== null)
        const prices = bars.map((bar) => priceOf(bar, asked.length) ?? 0)
        return {
          eventTime: Float64Array.from(bars),
          columns: fieldNames(ohlcv).map((name) => ({ name, values: Float64Array.from(prices) }))
        }
      })
  }
  return { source, asked }
}

interface Answer {
  readonly columns: {
    readonly event_time: ReadonlyArray<number>
    readonly close: ReadonlyArray<number>
    readonly __flags: ReadonlyArray<number>
    readonly __ingest_at: ReadonlyArray<number>
  }
  readonly meta: { readonly coverageVersion: number; readonly fingerprint: string }
}

const read = Effect.fnUntraced(function* (start: number, end: number) {
  const body = { ...series, start, end, strategy: "auto_backfill" }
  const reply = yield* (yield* Mesh).request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
  return JSON.parse(new TextDecoder().decode(reply.data)) as Answer
})

const rootNow = Effect.gen(function* () {
  const key = Subject.series(series.nodeId, series.interval)
  const stored = yield* (yield* Mesh).read(Stream.coverage.name, keySubject(Stream.coverage, key))
  return Option.getOrThrow(
    Result.getOrThrow(
      readRoot(
        key,
        Option.flatMap(stored, ({ value }) => value)
      )
    )
  )
})

const isSettled = Effect.map(rootNow, ({ unsettled }) => unsettled === undefined)

describe("a bar that changes after it was served", () => {
  it.live("is asked for once more when it has settled, and read with its new value and REVISED", () =>
    Effect.gen(function* () {
      const nowMs = Math.floor((yield* Clock.currentTimeMillis) / secondMs) * secondMs
      const [start, last] = [nowMs - 10 * secondMs, nowMs - secondMs]
      const { asked, source } = sourceOf((bar, count) => (bar === last && count > 1 ? 7 : 1))
      yield* memoryHost.start({ configuration, sources: [source] })
      const before = yield* read(start, nowMs)
      assert.deepStrictEqual(
        before.columns.close,
        Array.from({ length: 10 }, () => 1)
      )
      const first = yield* rootNow
      assert.isDefined(first.unsettled)
      yield* untilTrue("all has settled", isSettled)
      const after = yield* read(start, nowMs)
      assert.deepStrictEqual(after.columns.close, [...Array.from({ length: 9 }, () => 1), 7])
      assert.deepStrictEqual(after.columns.__flags.map((flags) => (flags & RowFlag.revised) > 0).lastIndexOf(false), 8)
      assert.deepStrictEqual(after.columns.__ingest_at.slice(0, 9), before.columns.__ingest_at.slice(0, 9))
      assert.notStrictEqual(after.meta.fingerprint, before.meta.fingerprint)
      const root = yield* rootNow
      assert.deepStrictEqual(toPairs(root.diff.revised!), [[last, nowMs]])
      const changed = Object.fromEntries(fieldNames(ohlcv).map((name) => [name, 1]))
      assert.deepStrictEqual(root.diff.revisedBars, [
        {
          eventTime: last,
          source: "binance",
          before: changed,
          after: Object.fromEntries(fieldNames(ohlcv).map((name) => [name, 7]))
        }
      ])
      assert.deepStrictEqual(
        [root.diff.cause, toPairs(root.diff.added), toPairs(root.diff.removed)],
        ["settle", [], []]
      )
      assert.strictEqual(asked.length, 2, JSON.stringify(asked))
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
