/** Does each strategy do about a gap what it promises, on the wire as in the client? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { Range } from "../../protocol/history/Range.ts"
import { Strategy } from "../../protocol/history/Strategy.ts"
import { Header } from "../../protocol/wire/Header.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import * as BarFile from "../support/BarFile.ts"
import { checkAccount } from "../support/checkAccount.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.fullDay
const { interval, node } = file
const record = BarFile.read(file)
const midnightMs = record.range[0]
const minuteMs = 60_000

const minutes = (from: number, to: number): Range => [midnightMs + from * minuteMs, midnightMs + to * minuteMs]

const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 30_000 } }

/** One host, a client and a plain connection. */
const start = Effect.fnUntraced(function* (exchange: Cluster.ClusterSettings["exchange"] = {}) {
  const cluster = yield* Cluster.start({ files: [file], exchange })
  const nc = yield* Cluster.startConnection(cluster.servers)
  const read = (range: Range, options: ReadOptions) => Cluster.readFile(cluster.client, file, range, options)
  const untilCovered = (bars: number) =>
    untilTrue(
      `${bars} bars are covered`,
      Effect.map(
        Cluster.asking(() => cluster.client.coverage(node, interval)),
        ({ coverageRanges }) => coverageRanges.reduce((sum, [from, to]) => sum + (to - from) / minuteMs, 0) === bars
      )
    )
  return { ...cluster, nc, read, untilCovered }
})

describe("fail_fast", () => {
  it.live("refuses a cold range as the specification has it, asks nobody, and gives what is covered", () =>
    Effect.gen(function* () {
      const { klines, nc, read } = yield* start()
      const [from, to] = minutes(0, 3)
      const body = JSON.stringify({ nodeId: node, interval, start: from, end: to, strategy: "fail_fast" })
      const reply = yield* Effect.promise(() => nc.request(Subject.service.read, body))
      assert.strictEqual(reply.headers?.get(Header.error), "CoverageMissing")
      assert.strictEqual(reply.headers?.get(Header.errorCode), "404")
      const { error, meta, ...rest } = reply.json<Readonly<Record<"error" | "meta", object>>>()
      assert.deepStrictEqual(rest, {})
      const missingRanges = [{ start: from, end: to, state: "missing", reason: "not filled yet", retryAt: null }]
      assert.deepStrictEqual(error, {
        tag: "CoverageMissing",
        message: "3 bars of 3 are missing: 2022-12-13T00:00:00Z to 00:03:00Z",
        expectedBars: 3,
        missingBars: 3,
        missingRanges
      })
      assert.containSubset(meta, {
        strategy: "fail_fast",
        strict: false,
        coverageRanges: [],
        missingRanges,
        sourceContributions: {},
        sourceOutcomes: { binance: { outcome: "not_asked" } },
        qualitySummary: { rows: 0, expectedBars: 3, knownEmptyBars: 0 },
        coverageVersion: 0,
        slaReport: { violation: null }
      })
      assert.deepStrictEqual(klines(), [])

      yield* read([from, to], patient)
      const { df, meta: filled } = yield* read([from, to], { strategy: "fail_fast" })
      assert.strictEqual(df.length, 3)
      assert.deepStrictEqual(filled.missingRanges, [])
      const failure = yield* Effect.flip(read(minutes(2, 4), { strategy: "FAIL_FAST" }))
      assert.deepStrictEqual([failure.tag, failure.code], ["CoverageMissing", 404])
      assert.strictEqual(failure.message, "1 bar of 2 is missing: 2022-12-13T00:03:00Z to 00:04:00Z")
    })
  )
})

describe("partial_fill", () => {
  it.live("answers at once with what is missing, and the data comes later", () =>
    Effect.gen(function* () {
      const { klines, read, untilCovered } = yield* start({ latencyMs: 300 })
      yield* read(minutes(0, 10), patient)
      const asked = klines().length
      const { df, meta } = yield* read(minutes(0, 100), { strategy: "partial_fill" })
      assert.strictEqual(df.length, 10)
      assert.deepStrictEqual(
        meta.missingRanges.map(({ end, start, state }) => ({ start, end, state })),
        [{ start: minutes(10, 100)[0], end: minutes(10, 100)[1], state: "missing" }]
      )
      // it did not wait for the exchange, which takes longer than that
      assert.isBelow(meta.slaReport.elapsedMs, 300)
      assert.strictEqual(meta.slaReport.violation, null)
      yield* untilCovered(100)
      assert.isAbove(klines().length, asked)
      const { meta: later } = yield* read(minutes(0, 100), { strategy: "partial_fill" })
      assert.deepStrictEqual(later.missingRanges, [])
    })
  )
})

describe("seamless", () => {
  it.live("waits for a small gap, and lets a large one be filled behind its back", () =>
    Effect.gen(function* () {
      const { read, untilCovered } = yield* start({ latencyMs: 200 })
      const sla = { maxSyncGapBars: 60, totalDeadlineMs: 20_000 }
      const small = yield* read(minutes(0, 60), { sla })
      assert.strictEqual(small.meta.strategy, "seamless")
      assert.strictEqual(small.df.length, 60)
      assert.deepStrictEqual(small.meta.missingRanges, [])
      const large = yield* read(minutes(0, 121), { sla })
      assert.strictEqual(large.df.length, 60)
      assert.lengthOf(large.meta.missingRanges, 1)
      assert.isBelow(large.meta.slaReport.elapsedMs, 200)
      yield* untilCovered(121)
      const bySize = yield* read(minutes(121, 140), { sla: { ...sla, maxSyncGapMs: 18 * minuteMs } })
      assert.strictEqual(bySize.df.length, 0)
    })
  )
})

/** What each strategy comes to that finds a range covered, with a small gap, or with nothing in it. */
const comes = {
  fail_fast: ["all", "CoverageMissing", "CoverageMissing"],
  partial_fill: ["all", "some", "some"],
  auto_backfill: ["all", "all", "all"],
  seamless: ["all", "all", "some"]
} as const

describe("the account", () => {
  it.live("is complete whatever a strategy comes to, over a real server as in memory", () =>
    Effect.gen(function* () {
      const { read } = yield* start({ latencyMs: 300 })
      // what one strategy has filled must not be what the next one finds
      for (const [index, strategy] of Strategy.literals.entries()) {
        const from = 200 * index
        yield* read(minutes(from, from + 20), patient)
        const sla = { totalDeadlineMs: 20_000, maxSyncGapBars: strategy === "seamless" ? 10 : 60 }
        const ranges = [minutes(from, from + 20), minutes(from + 10, from + 30), minutes(from + 100, from + 130)]
        for (const [found, range] of ranges.entries()) {
          const requestId = `${strategy}-${found}`
          const outcome = yield* Effect.result(read(range, { strategy, sla, requestId }))
          const expected = comes[strategy][found]
          const times = Result.isSuccess(outcome) ? Array.from(outcome.success.df.columns["event_time"]!, Number) : []
          const meta = Result.isSuccess(outcome) ? outcome.success.meta : outcome.failure.meta
          const asked = { range, intervalMs: minuteMs, sources: ["binance"], strategy, requestId }
          // of what is refused only the account comes: these bars are there in the file, each of them
          const covered = (meta?.coverageRanges ?? []).flatMap(([start, end]) =>
            Array.from({ length: (end - start) / minuteMs }, (_, bar) => start + bar * minuteMs)
          )
          checkAccount(meta, asked, Result.isSuccess(outcome) ? times : covered)
          if (Result.isFailure(outcome)) assert.strictEqual(outcome.failure.tag, expected, requestId)
          else
            assert.strictEqual(times.length === (range[1] - range[0]) / minuteMs ? "all" : "some", expected, requestId)
        }
      }
    })
  )
})

describe("strict", () => {
  it.live("tells what was expected, what came and what is absent, as an error or as a finding", () =>
    Effect.gen(function* () {
      const { read } = yield* start()
      yield* read(minutes(0, 10), patient)
      yield* read(minutes(12, 20), patient)
      const strict = { strategy: "partial_fill", strict: true } as const
      const range: Range = minutes(0, 30)
      const failure = yield* Effect.flip(read(range, strict))
      assert.strictEqual(failure.tag, "StrictViolation")
      assert.containSubset(failure.fields, { expectedBars: 30, gotBars: 18 })
      assert.strictEqual(failure.meta?.qualitySummary?.rows, 18)
      const whole = yield* read(range, { ...patient, strict: true })
      assert.strictEqual(whole.df.length, 30)
      const day = record.range[1]
      const flagged = yield* read([day - 10 * minuteMs, day], { ...strict, onStrictViolation: "flag" })
      assert.containSubset(flagged.meta.qualitySummary.strict, { expectedBars: 10, gotBars: 0 })
    })
  )
})

describe("the range of a request", () => {
  it.live("is refused where it is not on the grid, with the one that is; or widened where that is wanted", () =>
    Effect.gen(function* () {
      const { klines, nc, read } = yield* start()
      const crooked: Range = [midnightMs + 1000, midnightMs + 3 * minuteMs - 1]
      const failure = yield* Effect.flip(read(crooked, patient))
      assert.deepStrictEqual([failure.tag, failure.code], ["UnalignedRange", 400])
      const [alignedStart, alignedEnd] = minutes(0, 3)
      assert.containSubset(failure.fields, { alignedStart, alignedEnd })
      assert.include(failure.message, "[2022-12-13T00:00:00Z, 2022-12-13T00:03:00Z)")
      assert.deepStrictEqual(klines(), [])
      assert.isUndefined(yield* StoredRoots.standing(nc, file))
      const { df } = yield* read(crooked, { ...patient, align: "expand" })
      assert.strictEqual(df.length, 3)
    })
  )
})

describe("minVersion", () => {
  it.live("gives what one has written oneself, and waits no longer than the deadline for what never comes", () =>
    Effect.gen(function* () {
      const { client, hosts, read } = yield* start()
      assert.lengthOf(hosts, 1)
      const filled = yield* Cluster.asking(() => client.ensureAvailable(node, interval, ...minutes(0, 60), patient))
      assert.isTrue(filled.available)
      const { meta } = yield* read(minutes(0, 60), { strategy: "fail_fast", minVersion: filled.coverageVersion })
      assert.isAtLeast(meta.coverageVersion, filled.coverageVersion)
      const startedMs = performance.now()
      const failure = yield* Effect.flip(
        read(minutes(0, 60), { strategy: "fail_fast", minVersion: 1000, sla: { totalDeadlineMs: 400 } })
      )
      assert.isAtMost(performance.now() - startedMs, 1200)
      assert.strictEqual(failure.code, 504)
    })
  )
})

describe("two sources", () => {
  it.live("take over from one another, in the order that is asked for", () =>
    Effect.gen(function* () {
      const failing = yield* Cluster.startExchange([file], { faults: { "500": 1 } })
      const healthy = yield* Cluster.startExchange([file])
      const cluster = yield* Cluster.make(
        { files: [file], source: { attempts: 1 } },
        { exchanges: [failing.url, healthy.url] }
      )
      const { servers } = yield* cluster.startHost("a")
      const client = yield* Cluster.startClient(servers)
      const asked = () => Cluster.klines(failing.requests()).length
      const read = (range: Range, options: ReadOptions) => Cluster.readFile(client, file, range, options)

      const preferred = yield* read(minutes(0, 60), { ...patient, sourcePriority: ["second"] })
      assert.strictEqual(preferred.df.length, 60)
      assert.strictEqual(asked(), 0)
      assert.deepStrictEqual(preferred.meta.sourceContributions, { second: [minutes(0, 60)] })

      const taken = yield* read(minutes(60, 120), patient)
      assert.strictEqual(taken.df.length, 60)
      assert.isAbove(asked(), 0)
      assert.deepStrictEqual(taken.meta.sourceContributions, { second: [minutes(60, 120)] })
      assert.strictEqual(taken.meta.sourceOutcomes["binance"]?.outcome, "failed")
      assert.strictEqual(taken.meta.sourceOutcomes["binance"]?.error?.tag, "SourceUnavailable")
      assert.deepStrictEqual(taken.meta.sourceOutcomes["second"], { outcome: "ok", requests: 1 })

      const failure = yield* Effect.flip(read(minutes(0, 60), { ...patient, sourcePriority: ["third"] }))
      assert.deepStrictEqual([failure.tag, failure.code], ["InvalidRequest", 400])
    })
  )
})
