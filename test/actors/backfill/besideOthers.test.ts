/** What becomes of the bars of a second source, beside those of the first? With two exchanges' bars of one day. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { barFiles } from "../../support/BarFile.ts"
import { rootOf } from "../../support/changingSource.ts"
import { readBars } from "../../support/csv.ts"
import * as memoryHost from "../../support/memoryHost.ts"

const series = { nodeId: "btc", interval: "1m" }
const minuteMs = 60_000
const start = Date.UTC(2022, 11, 13)
const end = start + 1440 * minuteMs
const names = ["open", "high", "low", "close", "volume"] as const

const bars = { binance: readBars(barFiles.fullDay.path), bybit: readBars(barFiles.otherExchange.path) }

type Exchange = keyof typeof bars

const sourceOf = (name: Exchange): DataSource =>
  makeMemory({
    name,
    capabilities: { barsPerRequest: 1000, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 },
    bars: new Map([["BTC", bars[name]]])
  })

/** The first of the sources is the preferred one; windows are longer than the day. */
const configurationOf = (...sources: readonly [Exchange, Exchange]): Configuration => ({
  sources: {
    binance: { kind: "exchange", exchange: "binance", finalityDelayMs: 0 },
    bybit: { kind: "exchange", exchange: "bybit", finalityDelayMs: 0 }
  },
  series: [{ node: "btc", intervals: ["1m"], sources, symbol: "BTC", windowBars: 1440 }]
})

type Values = Readonly<Record<(typeof names)[number], ReadonlyArray<number>>>

interface Answer {
  readonly columns: Values & {
    readonly event_time: ReadonlyArray<number>
    readonly __flags: ReadonlyArray<number>
    readonly __source: ReadonlyArray<string>
  }
  readonly meta: { readonly sourceContributions: Readonly<Record<string, ReadonlyArray<readonly [number, number]>>> }
}

const read = Effect.fnUntraced(function* (more: { readonly sourcePriority?: ReadonlyArray<string> } = {}) {
  const body = { ...series, start, end, strategy: "auto_backfill", ...more }
  const reply = yield* (yield* Mesh).request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
  return JSON.parse(new TextDecoder().decode(reply.data)) as Answer
})

const columnsOf = (exchange: Exchange): Values =>
  Object.fromEntries(
    bars[exchange].columns.map(({ name, values }) => [name, Array.from(values, Number)])
  ) as unknown as Values

const valuesOf = ({ columns }: Answer) => Object.fromEntries(names.map((name) => [name, columns[name]]))

/** Minutes whose bars the exchanges do not have alike. */
const differing = Array.from({ length: 1440 }, (_, row) => row).filter((row) =>
  names.some((name) => columnsOf("binance")[name][row] !== columnsOf("bybit")[name][row])
)

const named = { ...series, start, end, source: "bybit" }

describe("two sources of one series", () => {
  it.live("verify of the one that has stored nothing tells its bars as extra, and changes nothing", () =>
    Effect.gen(function* () {
      yield* memoryHost.start({
        configuration: configurationOf("binance", "bybit"),
        sources: [sourceOf("binance"), sourceOf("bybit")]
      })
      const before = yield* read()
      assert.deepStrictEqual(valuesOf(before), columnsOf("binance"))
      const { parts, repairedBars } = yield* memoryHost.askAdmin<Verified>("verify", named)
      assert.deepStrictEqual(
        parts.map((part) => [part.source, part.extraBars, part.sameBars, part.changedBars, part.absentBars]),
        [["bybit", 1440, 0, 0, 0]]
      )
      assert.deepStrictEqual([repairedBars, (yield* rootOf(series)).version], [0, 1])
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live(
    "repair stores its bars beside the others: a reader is given those of whom it prefers, minute by minute",
    () =>
      Effect.gen(function* () {
        yield* memoryHost.start({
          configuration: configurationOf("binance", "bybit"),
          sources: [sourceOf("binance"), sourceOf("bybit")]
        })
        const before = yield* read()
        const { repairedBars } = yield* memoryHost.askAdmin<Verified>("repair", {
          ...named,
          reason: "a second opinion"
        })
        assert.strictEqual(repairedBars, 1440)
        // whoever prefers nobody else is given what was there, to the last bit
        const after = yield* read()
        assert.deepStrictEqual(after.columns, before.columns)
        assert.deepStrictEqual(after.meta.sourceContributions, { binance: [[start, end]] })
        const root = yield* rootOf(series)
        assert.deepStrictEqual([root.diff.cause, root.diff.revised], ["repaired by alice: a second opinion", undefined])
        const other = yield* read({ sourcePriority: ["bybit", "binance"] })
        assert.deepStrictEqual(valuesOf(other), columnsOf("bybit"))
        assert.deepStrictEqual(other.meta.sourceContributions, { bybit: [[start, end]] })
        assert.isTrue(other.columns.__flags.every((flags) => (flags & RowFlag.revised) === 0))
        assert.deepStrictEqual(
          other.columns.event_time.flatMap((_, row) =>
            names.some((name) => other.columns[name][row] !== after.columns[name][row]) ? [row] : []
          ),
          differing
        )
        // by now it is what both of them give
        const again = yield* memoryHost.askAdmin<Verified>("verify", { ...series, start, end })
        assert.deepStrictEqual(Object.fromEntries(again.parts.map(({ sameBars, source }) => [source, sameBars])), {
          binance: 1440,
          bybit: 1440
        })
      }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("repair by the preferred one tells which bars a reader is given otherwise", () =>
    Effect.gen(function* () {
      // only binance answers at first
      yield* Effect.scoped(
        Effect.gen(function* () {
          const configuration = configurationOf("binance", "bybit")
          yield* memoryHost.start({ configuration, sources: [sourceOf("binance")] }, "first")
          yield* read()
        })
      )
      yield* memoryHost.start(
        { configuration: configurationOf("bybit", "binance"), sources: [sourceOf("binance"), sourceOf("bybit")] },
        "second"
      )
      const [from, until] = [start + 60 * minuteMs, start + 120 * minuteMs]
      const repair = { ...named, start: from, end: until, reason: "it is the better one" }
      const { repairedBars } = yield* memoryHost.askAdmin<Verified>("repair", repair)
      assert.strictEqual(repairedBars, 60)
      const after = yield* read()
      assert.deepStrictEqual(after.meta.sourceContributions, {
        bybit: [[from, until]],
        binance: [
          [start, from],
          [until, end]
        ]
      })
      for (const name of names) {
        const [ours, theirs] = [columnsOf("binance")[name], columnsOf("bybit")[name]]
        assert.deepStrictEqual(after.columns[name], [
          ...ours.slice(0, 60),
          ...theirs.slice(60, 120),
          ...ours.slice(120)
        ])
      }
      assert.isTrue(after.columns.__flags.every((flags) => (flags & RowFlag.revised) === 0))
      const { diff } = yield* rootOf(series)
      assert.deepStrictEqual(
        toPairs(diff.revised ?? RangeSet.empty),
        toPairs(
          RangeSet.make(
            differing
              .filter((row) => row >= 60 && row < 120)
              .map((row) => [start + row * minuteMs, start + (row + 1) * minuteMs] as const)
          )
        )
      )
      assert.strictEqual(diff.revisedBars?.[0]?.after?.["close"], columnsOf("bybit").close[60])
      assert.strictEqual(diff.revisedBars?.[0]?.before?.["close"], columnsOf("binance").close[60])
      assert.deepStrictEqual(toPairs(diff.added), [])
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
