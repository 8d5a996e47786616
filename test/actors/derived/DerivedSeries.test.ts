/** Is a series that is rolled up what its finer bars make it, and does it stay so? On a host in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { type Field, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { BackfillPlan } from "../../../protocol/history/BackfillPlan.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
import type { Configuration, SeriesSettings } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { flatBars } from "../../support/rows.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const minuteMs = 60_000
const symbol = "A"

/** A source whose bars can be changed, that counts what it is asked, and fails where it is told to. */
const makeMarket = (minutes: ReadonlyArray<number>) => {
  const extra: Readonly<Record<string, (minute: number) => number>> = {}
  const market = { minutes, price: 1, asked: 0, isDown: false, latencyMs: 0, extra }
  const capabilities = { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 }
  const source: DataSource = {
    ...makeMemory({ name: "binance", capabilities, bars: new Map([[symbol, flatBars(minutes)]]) }),
    page: Effect.fnUntraced(function* (request) {
      market.asked += 1
      yield* Effect.sleep(market.latencyMs)
      if (market.isDown) return yield* new RequestFailed({ reason: "busy", retryable: false, retryAfterMs: null })
      const { columns, eventTime } = flatBars(market.minutes)
      const scaled = columns.map(({ name, values }) => ({
        name,
        values: Array.from(values, (value) => Number(value) * market.price)
      }))
      const more = Object.entries(market.extra).map(([name, valueOf]) => ({
        name,
        values: market.minutes.map((minute) => valueOf(minute))
      }))
      const bars = new Map([[request.symbol, { eventTime, columns: [...scaled, ...more] }]])
      return yield* makeMemory({ name: "binance", capabilities, bars }).page(request)
    })
  }
  return { market, source }
}

const node = "a"
const base = { node, intervals: ["1m"], sources: ["binance"], symbol, windowBars: 20 } as const

const configured = (more: ReadonlyArray<SeriesSettings>, first: Partial<SeriesSettings> = {}): Configuration => ({
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ ...base, ...first }, ...more],
  retry: { attempts: 2, baseMs: 100, maxMs: 200 }
})

const five: SeriesSettings = { node, intervals: ["5m"], derivedFrom: "1m", windowBars: 20 }

interface Answer {
  readonly columns: { readonly [name: string]: ReadonlyArray<number> }
  readonly meta: {
    readonly missingRanges: ReadonlyArray<MissingRange>
    readonly coverageVersion: number
    readonly sourceContributions: unknown
    readonly qualitySummary: object
  }
}

const read = Effect.fnUntraced(function* (interval: string, [from, to]: readonly [number, number], nodeId = node) {
  const mesh = yield* Mesh
  const body = {
    nodeId,
    interval,
    start: from * minuteMs,
    end: to * minuteMs,
    strategy: "auto_backfill",
    sla: { totalDeadlineMs: 9000 }
  }
  const reply = yield* mesh.request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
  const answer: Answer = JSON.parse(new TextDecoder().decode(reply.data))
  assert.isDefined(answer.columns, JSON.stringify(answer))
  const { columns, meta } = answer
  return {
    meta,
    columns,
    times: columns["event_time"]!.map((time) => time / minuteMs),
    volume: columns["volume"]!,
    flags: columns["__flags"],
    missing: meta.missingRanges.map(({ end, reason, start, state }) => [
      start / minuteMs,
      end / minuteMs,
      state,
      reason
    ])
  }
})

const count = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, index) => from + index)

const inMemory = Effect.provide(MemoryMesh.layer)

const bars = (from: number, to: number, minutes = 5): ReadonlyArray<number> =>
  count(0, (to - from) / minutes).map((bar) => from + bar * minutes)

const volumes = (times: ReadonlyArray<number>, price = 1): ReadonlyArray<number> =>
  times.map((time) => (time * 5 + 10) * price)

interface Audit {
  readonly verdict: object
  readonly changes: ReadonlyArray<object>
}

interface Coverage {
  readonly coverageRanges: ReadonlyArray<readonly [number, number]>
  readonly missingRanges: ReadonlyArray<MissingRange>
  readonly coverageVersion: number
}

/** What is covered of a series, in minutes. */
const covered = Effect.fnUntraced(function* (interval: string, nodeId = node) {
  const mesh = yield* Mesh
  const body = Codec.toJson({ nodeId, interval })
  const reply = yield* mesh.request(Subject.service.coverage, body, { timeoutMs: 10_000 })
  const { coverageRanges }: Coverage = JSON.parse(new TextDecoder().decode(reply.data))
  return coverageRanges.map((pair) => pair.map((time) => time / minuteMs))
})

const invalidate = (interval: string, [from, to]: readonly [number, number]) =>
  memoryHost.askAdmin("invalidate", {
    nodeId: node,
    interval,
    start: from * minuteMs,
    end: to * minuteMs,
    reason: "it was wrong"
  })

const untilCovered = (interval: string, expected: ReadonlyArray<ReadonlyArray<number>>, nodeId = node) =>
  untilTrue(
    `${interval} is covered as ${JSON.stringify(expected)}`,
    Effect.map(covered(interval, nodeId), (ranges) => JSON.stringify(ranges) === JSON.stringify(expected))
  )

describe("a series that is rolled up", () => {
  it.live("is read with a cold finer series, which is filled along, and nothing is asked for twice", () =>
    Effect.gen(function* () {
      const { market, source } = makeMarket(count(1000, 1100))
      market.latencyMs = 20
      yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
      const reads = Array.from({ length: 16 }, (_, reader) => read(reader % 4 === 0 ? "1m" : "5m", [1000, 1100]))
      const got = yield* Effect.all(reads, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        got.map(({ missing, times }) => [times.length, missing.length]),
        got.map((_, reader) => [reader % 4 === 0 ? 100 : 20, 0])
      )
      const { meta, times, volume } = yield* read("5m", [1000, 1100])
      assert.deepStrictEqual(times, bars(1000, 1100))
      assert.deepStrictEqual(volume, volumes(times))
      assert.deepStrictEqual(meta.sourceContributions, { "derived:1m": [[1000 * minuteMs, 1100 * minuteMs]] })
      assert.strictEqual(market.asked, 1)
    }).pipe(inMemory)
  )

  it.live("is rolled up from one that is rolled up", () =>
    Effect.gen(function* () {
      const { source } = makeMarket(count(960, 1200))
      const hour: SeriesSettings = { node, intervals: ["1h", "2h"], derivedFrom: "5m" }
      yield* memoryHost.start({ configuration: configured([hour, five]), sources: [source] })
      const got = yield* read("1h", [960, 1200])
      assert.deepStrictEqual(got.times, bars(960, 1200, 60))
      assert.deepStrictEqual(
        got.volume,
        got.times.map((time) => time * 60 + 1770)
      )
      assert.deepStrictEqual(yield* covered("5m"), [[960, 1200]])
      assert.deepStrictEqual(yield* covered("1m"), [[960, 1200]])
    }).pipe(inMemory)
  )

  it.live("has no row where none of its minutes has one, and is covered there where all of them are", () =>
    Effect.gen(function* () {
      // an absence of five minutes is proven, and one of ten is not
      const minutes = [...count(1000, 1005), 1010, ...count(1013, 1020), ...count(1030, 1040)]
      const { source } = makeMarket(minutes)
      yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
      const { missing, times, volume } = yield* read("5m", [1000, 1040])
      assert.deepStrictEqual(times, [1000, 1010, 1015, 1030, 1035])
      assert.deepStrictEqual(volume[1], 1010 + 1013 + 1014)
      assert.deepStrictEqual(
        missing.map(([start, end, state]) => [start, end, state]),
        [[1020, 1030, "deferred"]]
      )
      assert.deepStrictEqual(yield* covered("5m"), [
        [1000, 1020],
        [1030, 1040]
      ])
    }).pipe(inMemory)
  )

  it.live("has the columns of its schema, each as the schema rolls it up, and what rules found below", () =>
    Effect.gen(function* () {
      const { market, source } = makeMarket(count(1000, 1020))
      const fields: readonly [Field, ...Array<Field>] = [
        { name: "vwap", type: "float64", required: true },
        { name: "trades", type: "float64", required: true, rollUp: "sum" },
        ...ohlcv.fields
      ]
      const quality = [{ rule: "jump", name: "leap", column: "trades", share: 0.5 }] as const
      market.extra = { vwap: (minute) => minute + 0.5, trades: (minute) => (minute === 1007 ? 200 : 2) }
      const given = configured([five], { schema: "bars" })
      const configuration = { ...given, schemas: { bars: { fields, rules: { quality } } } }
      yield* memoryHost.start({ configuration, sources: [source] })
      const { columns, flags, meta } = yield* read("5m", [1000, 1020])
      assert.deepStrictEqual(columns["trades"], [10, 208, 10, 10])
      const vwap = bars(1000, 1020).map((bar) => {
        const minutes = count(bar, bar + 5)
        const weighted = minutes.reduce((sum, minute) => sum + (minute + 0.5) * minute, 0)
        return weighted / minutes.reduce((sum, minute) => sum + minute, 0)
      })
      assert.deepStrictEqual(
        columns["vwap"]!.map((each) => each.toFixed(9)),
        vwap.map((each) => each.toFixed(9))
      )
      const isSuspect = (flags ?? []).map((flag) => (flag & RowFlag.suspect) !== 0)
      assert.deepStrictEqual(isSuspect, [false, true, false, false])
      const leap = { count: 1, severity: "flag", examples: [1005 * minuteMs] }
      assert.deepInclude(meta.qualitySummary, { findings: { leap } })
    }).pipe(inMemory)
  )

  it.live("does not keep all workers waiting for the work that they would have to do", () =>
    Effect.gen(function* () {
      const { market, source } = makeMarket(count(1000, 1100))
      market.latencyMs = 100
      const nodes = count(0, 16).map((each) => `n${each}`)
      const series = nodes.flatMap((each): ReadonlyArray<SeriesSettings> => [
        { ...base, node: each },
        { ...five, node: each },
        { ...five, node: each, intervals: ["1h"], derivedFrom: "5m" }
      ])
      yield* memoryHost.start({ configuration: configured(series), sources: [source] })
      // more of them than there are workers, and all are there before any work that they wait for
      const range = { start: 1000 * minuteMs, end: 1100 * minuteMs, reason: "to have it" }
      yield* Effect.forEach(
        nodes,
        (each) => memoryHost.askAdmin("reprocess", { nodeId: each, interval: "5m", ...range }),
        { concurrency: "unbounded" }
      )
      yield* Effect.forEach(nodes, (each) => untilCovered("5m", [[1000, 1100]], each), { concurrency: "unbounded" })
      assert.strictEqual(market.asked, nodes.length)
      const readers = Effect.forEach(nodes, (each) => read("1h", [1020, 1080], each), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        (yield* readers).map(({ times }) => times),
        nodes.map(() => [1020])
      )
    }).pipe(inMemory)
  )
})

describe("time that the finer series does not have", () => {
  it.live("makes just the bars that lack it missing, in the same state and for the same reason", () =>
    Effect.gen(function* () {
      const { source } = makeMarket(count(1002, 1100))
      yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
      const { missing, times } = yield* read("5m", [995, 1020])
      assert.deepStrictEqual(times, [1005, 1010, 1015])
      assert.deepStrictEqual(missing, [[995, 1005, "unavailable", "before its first bar"]])
      const again = yield* read("5m", [900, 1020])
      assert.deepStrictEqual(again.missing, [[900, 1005, "unavailable", "before its first bar"]])
    }).pipe(inMemory)
  )

  it.live("is known to have no bar before a listing, so that the first bar is made of what there is", () =>
    Effect.gen(function* () {
      const { source } = makeMarket(count(1002, 1100))
      const configuration = configured([five], { listedAt: 1002 * minuteMs })
      yield* memoryHost.start({ configuration, sources: [source] })
      const { missing, times, volume } = yield* read("5m", [995, 1010])
      assert.deepStrictEqual(times, [1000, 1005])
      assert.deepStrictEqual(volume, [1002 + 1003 + 1004, ...volumes([1005])])
      assert.deepStrictEqual(missing, [[995, 1000, "unavailable", "before its listing"]])
    }).pipe(inMemory)
  )

  it.live("is quarantined above while it is below, and is to be had again when it is there", () =>
    Effect.gen(function* () {
      const { market, source } = makeMarket(count(1000, 1100))
      market.isDown = true
      yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
      yield* untilTrue(
        "it is told as quarantined",
        Effect.map(read("5m", [1000, 1010]), ({ missing }) => missing[0]?.[2] === "quarantined")
      )
      const { missing } = yield* read("1m", [1000, 1010])
      assert.deepStrictEqual(yield* Effect.map(read("5m", [1000, 1010]), (got) => got.missing), missing)
      market.isDown = false
      yield* memoryHost.askAdmin("retry", {
        nodeId: node,
        interval: "1m",
        start: 1000 * minuteMs,
        end: 1010 * minuteMs
      })
      yield* untilTrue(
        "it is read",
        Effect.map(read("5m", [1000, 1010]), ({ times }) => times.length === 2)
      )
    }).pipe(inMemory)
  )
})

describe("a minute that changes below", () => {
  it.live("takes out just the bar above it, which comes back as the source says by then", () =>
    Effect.gen(function* () {
      const { market, source } = makeMarket(count(1000, 1100))
      yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
      yield* read("5m", [1000, 1100])
      market.price = 2
      yield* invalidate("1m", [1033, 1034])
      yield* untilCovered("5m", [
        [1000, 1030],
        [1035, 1100]
      ])
      const { missing, times, volume } = yield* read("5m", [1000, 1100])
      assert.deepStrictEqual(missing, [])
      // the one minute has twice the volume
      assert.deepStrictEqual(
        volume,
        times.map((time) => time * 5 + 10 + (time === 1030 ? 1033 : 0))
      )
      assert.deepStrictEqual(yield* covered("5m"), [[1000, 1100]])
    }).pipe(inMemory)
  )

  it.live(
    "takes out just the bar above it also where it is revised, and what is compared above is the same again",
    () =>
      Effect.gen(function* () {
        const { market, source } = makeMarket(count(1000, 1100))
        yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
        yield* read("5m", [1000, 1100])
        market.price = 3
        const minute = { nodeId: node, interval: "1m", start: 1047 * minuteMs, end: 1048 * minuteMs }
        const { repairedBars } = yield* memoryHost.askAdmin<{ repairedBars: number }>("repair", {
          ...minute,
          reason: "the exchange has corrected it"
        })
        assert.strictEqual(repairedBars, 1)
        assert.deepStrictEqual(yield* covered("1m"), [[1000, 1100]])
        yield* untilCovered("5m", [
          [1000, 1045],
          [1050, 1100]
        ])
        const { flags, times, volume } = yield* read("5m", [1000, 1100])
        const expected = times.map((time) => time * 5 + 10 + (time === 1045 ? 2 * 1047 : 0))
        assert.deepStrictEqual(volume, expected)
        const isRevised = (flags ?? []).map((flag) => (flag & RowFlag.revised) !== 0)
        assert.deepStrictEqual(
          isRevised,
          times.map((time) => time === 1045)
        )
        // above, the source is what is stored below: that has not changed since
        const window = { nodeId: node, interval: "5m", start: 1000 * minuteMs, end: 1100 * minuteMs }
        const { parts } = yield* memoryHost.askAdmin<Verified>("verify", window)
        assert.deepStrictEqual(
          parts.map(({ changedBars, failure, sameBars, source: name }) => [name, sameBars, changedBars, failure]),
          [["derived:1m", 20, 0, null]]
        )
      }).pipe(inMemory)
  )

  it.live("is looked for again where what was said of it does not hold any more", () =>
    Effect.gen(function* () {
      const { market, source } = makeMarket([...count(1000, 1020), ...count(1030, 1040)])
      yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
      const before = yield* read("5m", [1000, 1040])
      assert.deepStrictEqual(
        before.missing.map(([start, end]) => [start, end]),
        [[1020, 1030]]
      )
      // what was asked about in vain is asked about again once somebody says that it is to be
      market.minutes = count(1000, 1040)
      yield* invalidate("1m", [1020, 1030])
      yield* read("1m", [1020, 1030])
      yield* untilTrue(
        "it is read above",
        Effect.map(read("5m", [1000, 1040]), ({ times }) => times.length === 8)
      )
    }).pipe(inMemory)
  )

  it.live("is taken over by another host where the one that had it is gone", () =>
    Effect.gen(function* () {
      const { market, source } = makeMarket(count(1000, 1100))
      const configuration = configured([five])
      yield* Effect.gen(function* () {
        yield* memoryHost.start({ configuration, sources: [source] }, "first")
        yield* read("5m", [1000, 1100])
        market.price = 2
        yield* invalidate("1m", [1033, 1034])
      }).pipe(Effect.scoped)
      yield* memoryHost.start({ configuration, sources: [source] }, "second")
      yield* untilCovered("5m", [
        [1000, 1030],
        [1035, 1100]
      ])
      const { volume } = yield* read("5m", [1030, 1035])
      assert.deepStrictEqual(volume, [1030 * 5 + 10 + 1033])
    }).pipe(inMemory)
  )
})

describe("operators of a series that is rolled up", () => {
  it.live("see what filling it takes, fill it under a name, have it made anew, and its history holds", () =>
    Effect.gen(function* () {
      const { source } = makeMarket(count(1000, 1100))
      yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
      const range = { start: 1000 * minuteMs, end: 1100 * minuteMs }
      const plan = yield* memoryHost.askAdmin<BackfillPlan>("plan", { nodeId: node, interval: "5m", ...range })
      assert.deepInclude(plan, { bars: 20, windows: 1, requests: 1, seconds: null })
      assert.deepStrictEqual(
        plan.sources.map(({ requests, source: name }) => [name, requests]),
        [["binance", 1]]
      )
      yield* memoryHost.askAdmin("createBackfill", { name: "all", nodeId: node, interval: "5m", ...range })
      yield* untilCovered("5m", [[1000, 1100]])
      yield* memoryHost.askAdmin("reprocess", { nodeId: node, interval: "5m", ...range, reason: "to see" })
      yield* untilCovered("5m", [[1000, 1100]])
      const { jobs } = yield* memoryHost.askAdmin<{ jobs: ReadonlyArray<{ sources: unknown }> }>("jobs", {
        nodeId: node,
        interval: "5m"
      })
      assert.isAbove(jobs.length, 0)
      const audit = { nodeId: node, interval: "5m", verify: true }
      const before = yield* memoryHost.askAdmin<Audit>("audit", audit)
      assert.deepInclude(before.verdict, { holds: true })
      const bar = { ...range, start: 1098 * minuteMs, reason: "to see" }
      yield* memoryHost.askAdmin("invalidate", { nodeId: node, interval: "1m", ...bar })
      yield* untilCovered("5m", [[1000, 1095]])
      const { changes, verdict } = yield* memoryHost.askAdmin<Audit>("audit", audit)
      assert.deepInclude(verdict, { holds: true })
      const removed = [[1095 * minuteMs, 1100 * minuteMs]]
      const cause = "invalidated by derived:1m: version 2"
      assert.deepInclude(changes.at(-1), { source: "derived:1m", cause, removed, added: [] })
    }).pipe(inMemory)
  )
})
