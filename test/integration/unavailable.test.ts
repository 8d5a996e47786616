/** Is time that can't be had told with reason and evidence, owed by nobody, and asked for once at the most? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runCommand } from "../support/runCommand.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.fullDay
const record = BarFile.read(file)
const [dayMs, dayEndMs] = record.range
const minuteMs = 60_000

/** Minutes of the day that is on record. */
const minutes = (from: number, to: number): Range => [dayMs + from * minuteMs, dayMs + to * minuteMs]

const strict: ReadOptions = { strategy: "auto_backfill", strict: true, sla: { totalDeadlineMs: 20_000 } }

const told = (ranges: ReadonlyArray<Readonly<MissingRange>>): ReadonlyArray<object> =>
  ranges.map(({ end, evidence, reason, retryAt, start, state }) => ({ start, end, state, reason, retryAt, evidence }))

const start = Effect.fnUntraced(function* (settings: Omit<Cluster.ClusterSettings, "files">, of = file) {
  const cluster = yield* Cluster.start({ files: [of], ...settings })
  const { client } = cluster
  return {
    ...cluster,
    read: (range: Range, options = strict) => Cluster.readFile(client, of, range, options),
    ensure: (range: Range) =>
      Cluster.asking(() =>
        client.ensureAvailable(of.node, of.interval, ...range, { sla: { totalDeadlineMs: 20_000 } })
      ),
    coverage: Cluster.asking(() => client.coverage(of.node, of.interval))
  }
})

describe("time outside of a listing that is configured", () => {
  it.live("is unavailable, owed by no strict read, never asked for, and has no bars that are known to be empty", () =>
    Effect.gen(function* () {
      const listing = { listedAt: minutes(10, 20)[0], delistedAt: minutes(10, 20)[1] }
      const { coverage, ensure, klines, read, servers } = yield* start({ series: listing })
      const before = {
        end: listing.listedAt,
        state: "unavailable",
        reason: "before its listing",
        retryAt: null,
        evidence: "configured: listed at 2022-12-13T00:10:00Z"
      }
      const after = {
        start: listing.delistedAt,
        state: "unavailable",
        reason: "after its delisting",
        retryAt: null,
        evidence: "configured: delisted at 2022-12-13T00:20:00Z"
      }
      const outside = yield* read(minutes(0, 5))
      assert.strictEqual(outside.df.length, 0)
      assert.deepStrictEqual(told(outside.meta.missingRanges), [
        { ...before, start: minutes(0, 5)[0], end: minutes(0, 5)[1] }
      ])
      assert.containSubset(outside.meta.qualitySummary, { rows: 0, expectedBars: 0, knownEmptyBars: 0 })
      assert.deepStrictEqual(klines(), [])

      const { df, meta } = yield* read(minutes(0, 30))
      assert.strictEqual(df.length, 10)
      assert.deepStrictEqual(told(meta.missingRanges), [
        { ...before, start: minutes(0, 30)[0] },
        { ...after, end: minutes(0, 30)[1] }
      ])
      assert.containSubset(meta.qualitySummary, { rows: 10, expectedBars: 10, knownEmptyBars: 0 })
      assert.deepStrictEqual(
        klines().map(({ endTime, startTime }): Range => [Number(startTime), Number(endTime) + 1]),
        [minutes(10, 20)]
      )

      const ensured = yield* ensure(minutes(0, 30))
      assert.containSubset(ensured, { available: true, jobs: [], coverageRanges: [minutes(10, 20)] })
      assert.lengthOf(ensured.missingRanges, 2)
      yield* read(minutes(0, 30), { ...strict, strategy: "fail_fast" })
      const report = yield* coverage
      assert.deepStrictEqual(
        told(report.missingRanges.map((range) => ({ ...range, end: Math.min(range.end, dayEndMs) }))),
        [
          { ...before, start: 0 },
          // up to now
          { ...after, end: dayEndMs }
        ]
      )
      // a command that lacks nothing else has got all that there is, and says what there is not
      const ends = [dayMs, minutes(0, 30)[1]].map(String)
      const { code, err } = yield* Effect.promise(() =>
        runCommand(["read", file.node, file.interval, ...ends, "--strict", "--nats", servers])
      )
      assert.strictEqual(code, 0, err)
      assert.include(err, "before its listing (configured: listed at 2022-12-13T00:10:00Z)")
      assert.lengthOf(klines(), 1)
    })
  )
})

describe("time before the first bar of an exchange that can tell it", () => {
  /** The request for the first bar of all. */
  const isProbe = ({ limit, startTime }: LogEntry): boolean => limit === 1 && startTime === 1

  it.live("is unavailable by its word, which is asked for once, however often and wherever it is read", () =>
    Effect.gen(function* () {
      const { coverage, hosts, klines, read, servers, startHost } = yield* start({})
      const { df, meta } = yield* read(minutes(-100, 0))
      assert.strictEqual(df.length, 0)
      const evidence = "binance's first bar of BTC/BUSD is at 2022-12-13T00:00:00Z"
      const never = { end: dayMs, state: "unavailable", reason: "before its first bar", retryAt: null, evidence }
      assert.deepStrictEqual(told(meta.missingRanges), [{ ...never, start: minutes(-100, 0)[0] }])
      assert.lengthOf(klines().filter(isProbe), 1)
      assert.deepStrictEqual(meta.sourceOutcomes["binance"], { outcome: "ok", requests: klines().length })
      assert.strictEqual((yield* read(minutes(0, 10))).df.length, 10)
      const asked = klines()

      // windows that nobody had asked for before, too
      for (let day = 1; day <= 8; day++) {
        const earlier = yield* read(minutes(-1440 * day, 10))
        assert.deepStrictEqual(told(earlier.meta.missingRanges), [{ ...never, start: minutes(-1440 * day, 0)[0] }])
      }
      assert.deepStrictEqual(told((yield* coverage).missingRanges), [{ ...never, start: 0 }])

      yield* hosts[0]!.stop
      yield* startHost("b")
      const client = yield* Cluster.startClient(servers)
      const again = yield* Cluster.readFile(client, file, minutes(-40_000, 10), strict)
      assert.lengthOf(again.meta.missingRanges, 1)
      assert.strictEqual(klines().length, asked.length)
    })
  )
})

describe("time that is older than what the sources keep", () => {
  it.live("is unavailable, and never asked for", () =>
    Effect.gen(function* () {
      const { coverage, klines, read } = yield* start({ source: { retentionMs: 30 * 24 * 3600_000 } })
      const { df, meta } = yield* read(minutes(0, 10))
      assert.strictEqual(df.length, 0)
      const never = {
        state: "unavailable",
        reason: "longer ago than its sources keep bars",
        retryAt: null,
        evidence: "configured: binance keep bars for 30d at the most"
      }
      assert.deepStrictEqual(told(meta.missingRanges), [{ ...never, start: dayMs, end: minutes(0, 10)[1] }])
      const [known] = (yield* coverage).missingRanges
      assert.containSubset(known, { ...never, start: 0 })
      const keptMs = Date.now() - (known?.end ?? 0)
      assert.isTrue(keptMs > 29.9 * 24 * 3600_000 && keptMs <= 30 * 24 * 3600_000, `${keptMs} ms are kept`)
      assert.deepStrictEqual(klines(), [])
    })
  )
})

describe("an absence that proves nothing", () => {
  const outage = BarFile.barFiles.outage
  const { open, range } = BarFile.read(outage)

  it.live("is asked about again after waits that double, up to the longest; and no earlier", () =>
    Effect.gen(function* () {
      const absence = { baseMs: 200, maxMs: 800 }
      const { klines, read } = yield* start({ rest: { absence } }, outage)
      const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 20_000 } }
      yield* read(range, patient)
      const [from, to] = open[0]!
      /** How often the hole was answered about, and when the exchange was asked about it last before that. */
      const seen: Array<{ readonly answers: number; readonly atMs: number }> = []
      const look = Effect.map(read([from, to], patient), ({ meta: { missingRanges } }) => {
        const [hole, ...others] = missingRanges
        assert.lengthOf(others, 0)
        assert.strictEqual(hole?.state, "deferred")
        const answers = hole?.answers ?? 0
        const last = seen.at(-1)
        if (last?.answers === answers) return false
        assert.strictEqual(answers, last === undefined ? answers : last.answers + 1)
        assert.strictEqual(hole?.evidence, answers === 1 ? "answered once" : `answered ${answers} times in a row`)
        const about = klines().findLast(({ endTime, startTime }) => Number(startTime) < to && Number(endTime) >= from)
        seen.push({ answers, atMs: Number(about?.at) })
        return answers === 5
      })
      yield* untilTrue("the hole is answered about five times", look, 20_000)
      assert.isAtLeast(seen.length, 4)
      for (const [index, { answers, atMs }] of seen.slice(1).entries()) {
        const waitedMs = atMs - seen[index]!.atMs
        assert.isAtLeast(waitedMs, Math.min(800, 200 * 2 ** (answers - 2)), `before answer ${answers}`)
      }
    })
  )
})
