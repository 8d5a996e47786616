/** What becomes of the bars of a second source, beside those of the first? With two exchanges' bars of one day. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { HistoryDiff } from "../../../protocol/history/HistoryDiff.ts"
import type { Range } from "../../../protocol/history/Range.ts"
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

const sourceOf = (name: Exchange, barsPerRequest = 1000): DataSource =>
  makeMemory({
    name,
    capabilities: { barsPerRequest, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 },
    bars: new Map([["BTC", bars[name]]])
  })

const minute = (at: number): number => start + at * minuteMs

/** A source that is down whenever it is asked about time from that minute on. */
const downFrom = (name: Exchange, at: number): DataSource => {
  const source = sourceOf(name, 100)
  const page: DataSource["page"] = (request) =>
    request.start < minute(at)
      ? source.page(request)
      : Effect.fail(new RequestFailed({ reason: "HTTP 500", retryable: true, retryAfterMs: null }))
  return { ...source, page }
}

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
  readonly meta: {
    readonly sourceContributions: Readonly<Record<string, ReadonlyArray<Range>>>
    readonly missingRanges: ReadonlyArray<object>
    readonly fingerprint: string
  }
}

const ask = Effect.fnUntraced(function* <A>(subject: string, more: object) {
  const body = Codec.toJson({ ...series, ...more })
  const reply = yield* (yield* Mesh).request(subject, body, { timeoutMs: 10_000 })
  return JSON.parse(new TextDecoder().decode(reply.data)) as A
})

const read = (more: object = {}) =>
  ask<Answer>(Subject.service.read, { start, end, strategy: "auto_backfill", ...more })

/** The bars of a day that is one exchange's but for some minutes of the other. */
const splice = (ours: Exchange, theirs: Exchange, [from, to]: readonly [number, number]) =>
  Object.fromEntries(
    names.map((name) => [
      name,
      columnsOf(ours)[name].map((value, row) => (row >= from && row < to ? columnsOf(theirs)[name][row]! : value))
    ])
  )

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
      assert.deepStrictEqual(valuesOf(after), splice("binance", "bybit", [60, 120]))
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

      // and so do the two versions, compared: each minute that the exchanges do not have alike, and no other
      const { changes } = yield* ask<HistoryDiff>(Subject.service.diff, { fromVersion: 1, toVersion: 2, limit: 1000 })
      assert.deepStrictEqual(
        changes.map(({ eventTime }) => (eventTime - start) / minuteMs),
        differing.filter((row) => row >= 60 && row < 120)
      )
      for (const { after: now = null, before: then = null, eventTime } of changes) {
        const row = (eventTime - start) / minuteMs
        const [ours, theirs] = (["binance", "bybit"] as const).map((exchange) => columnsOf(exchange))
        assert.deepStrictEqual(Object.keys(then ?? {}), Object.keys(now ?? {}))
        for (const name of names.filter((each) => then?.[each] !== undefined)) {
          assert.deepStrictEqual([then?.[name], now?.[name]], [ours?.[name][row], theirs?.[name][row]])
        }
      }
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("time that the preferred one does not answer for comes from the other, and both make one account", () =>
    Effect.gen(function* () {
      yield* memoryHost.start({
        configuration: configurationOf("binance", "bybit"),
        sources: [downFrom("binance", 400), sourceOf("bybit")]
      })
      const cold = yield* read({ strict: true })
      // no source alone has all of it, and together they lack nothing
      const stored = yield* read({ strategy: "fail_fast", strict: true })
      for (const { columns, meta } of [cold, stored]) {
        assert.deepStrictEqual(valuesOf({ columns, meta }), splice("binance", "bybit", [400, 1440]))
        assert.deepStrictEqual(meta.sourceContributions, {
          binance: [[start, minute(400)]],
          bybit: [[minute(400), end]]
        })
        assert.deepStrictEqual(
          columns.__source,
          columns.event_time.map((_, row) => (row < 400 ? "binance" : "bybit"))
        )
        assert.deepStrictEqual(meta.missingRanges, [])
      }
      assert.strictEqual(stored.meta.fingerprint, cold.meta.fingerprint)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
