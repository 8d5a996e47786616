/**
 * What does each strategy give when a source or the storage is down or slow, or a host stands still?
 *
 * Real hosts and a real exchange's stand-in, and the rows of `docs/guides/degraded-modes.md` that are about them, each
 * by its name.
 */
import { jetstreamManager } from "@nats-io/jetstream"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { connectAdmin } from "../../client/admin.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as NatsCluster from "../support/NatsCluster.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.fullDay
const { interval, node } = file
const midnightMs = BarFile.read(file).range[0]
const minuteMs = 60_000
const minutes = (from: number, to: number): Range => [midnightMs + from * minuteMs, midnightMs + to * minuteMs]

const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 30_000 } }
/** What an answer may take beyond its deadline on a busy machine. */
const graceMs = 250

/** A host whose exchange is as the settings say, with windows of an hour. */
const start = Effect.fnUntraced(function* (settings: Partial<Cluster.ClusterSettings>) {
  const cluster = yield* Cluster.start({ files: [file], series: { windowBars: 60 }, ...settings })
  const read = (range: Range, options: ReadOptions) => Cluster.readFile(cluster.client, file, range, options)
  const covered = Effect.map(
    Cluster.asking(() => cluster.client.coverage(node, interval)),
    ({ coverageRanges }) => coverageRanges.reduce((sum, [from, to]) => sum + (to - from) / minuteMs, 0)
  )
  return { ...cluster, read, covered }
})

/** Fast enough to see a retry, and not so often that windows are set aside. */
const retry = { baseMs: 500, maxMs: 60_000, attempts: 50 }

describe("sources", () => {
  it.live("A source is down", () =>
    Effect.gen(function* () {
      const { klines, read } = yield* start({ exchange: { faults: { "500": 1 } }, source: { attempts: 1 }, retry })
      const refused = yield* Effect.flip(read(minutes(0, 10), { strategy: "fail_fast" }))
      assert.deepStrictEqual([refused.tag, klines().length], ["CoverageMissing", 0])
      assert.strictEqual(refused.meta?.sourceOutcomes["binance"]?.outcome, "not_asked")

      for (const [strategy, hour] of [
        ["auto_backfill", 0],
        ["seamless", 1]
      ] as const) {
        const range = minutes(hour * 60, hour * 60 + 10)
        const { df, meta } = yield* read(range, { strategy })
        assert.strictEqual(df.length, 0)
        const [missing] = meta.missingRanges
        assert.deepInclude(missing, { start: range[0], end: range[1], state: "missing" })
        assert.match(missing?.reason ?? "", /^binance: .*500/)
        assert.isAbove(missing?.retryAt ?? 0, 0, "it is told when it makes sense to ask again")
        const outcome = meta.sourceOutcomes["binance"]
        assert.deepStrictEqual([outcome?.outcome, outcome?.error?.tag], ["failed", "SourceUnavailable"])
        assert.isAbove(outcome?.requests ?? 0, 0)
        const failure = yield* Effect.flip(read(range, { strategy, sla: { onBackfillFailure: "error" } }))
        assert.deepStrictEqual([failure.tag, failure.code], ["SourceUnavailable", 503], strategy)
      }
      // who does not wait learns it from those who did, unless the next try is under way just then
      yield* untilTrue(
        "it is told why nothing came",
        Effect.map(
          read(minutes(0, 10), { strategy: "partial_fill" }),
          ({ meta }) =>
            meta.missingRanges[0]?.reason.startsWith("binance: ") === true &&
            meta.sourceOutcomes["binance"]?.outcome === "failed"
        )
      )
    })
  )

  it.live("A source is slow", () =>
    Effect.gen(function* () {
      const { covered, klines, read } = yield* start({ exchange: { latencyMs: 3000 } })
      const refused = yield* Effect.flip(read(minutes(0, 10), { strategy: "fail_fast" }))
      assert.deepStrictEqual([refused.tag, klines().length], ["CoverageMissing", 0])
      for (const strategy of ["auto_backfill", "seamless"] as const) {
        const { df, meta } = yield* read(minutes(0, 10), { strategy, sla: { totalDeadlineMs: 1000 } })
        assert.strictEqual(df.length, 0)
        assert.strictEqual(meta.missingRanges[0]?.state, "missing")
        assert.strictEqual(meta.sourceOutcomes["binance"]?.outcome, "timed_out")
        assert.isTrue(meta.slaReport.phases["backfill"]?.timedOut)
        assert.strictEqual(meta.slaReport.violation?.phase, "backfill")
        assert.include(meta.notes.join(), "it goes on, and what it brings is kept")
        assert.isBelow(meta.slaReport.elapsedMs, 1000 + graceMs)
        const sla = { totalDeadlineMs: 500, onViolation: "error" } as const
        const failure = yield* Effect.flip(read(minutes(0, 10), { strategy, sla }))
        assert.deepStrictEqual([failure.tag, failure.code], ["SlaViolated", 504])
      }
      const { meta } = yield* read(minutes(60, 70), { strategy: "partial_fill" })
      assert.include(meta.notes.join(), "10 missing bars are being filled, and were not waited for")
      assert.strictEqual(meta.slaReport.violation, null)
      // nobody waits any more, and it comes
      yield* untilTrue(
        "all has come",
        Effect.map(covered, (bars) => bars === 20),
        20_000
      )
      assert.strictEqual((yield* read(minutes(0, 10), { strategy: "fail_fast" })).df.length, 10)
    })
  )
})

/** The name of the server that has the only copy of the chunks. */
const chunksHolder = Effect.fnUntraced(function* (servers: string) {
  const nc = yield* Cluster.startConnection(servers)
  const info = yield* Effect.promise(async () => (await jetstreamManager(nc)).streams.info(Stream.chunks.name))
  return info.cluster?.leader
})

describe("storage", () => {
  it.live(
    "The storage is slow",
    () =>
      Effect.gen(function* () {
        const { servers } = yield* NatsCluster.start()
        const exchange = yield* Cluster.startExchange([file])
        // nothing that was decoded is kept: every read goes to the storage
        const settings = { files: [file], series: { windowBars: 60 }, rest: { limits: { cacheBytes: 1 } } }
        const at = (url: string) => Cluster.make(settings, { server: { url }, exchanges: [exchange.url] })
        // the servers choose which of them has a stream; a host at another one stays in touch
        const seed = yield* Effect.flatMap(at(servers[0]!.url), ({ startHost }) => startHost("seed"))
        const holder = yield* chunksHolder(servers[0]!.url)
        yield* seed.stop
        const slow = servers.find(({ port }) => holder === `test-${port}`)!
        const { url } = servers.find((server) => server !== slow)!
        yield* Effect.flatMap(at(url), ({ startHost }) => startHost("a"))
        const client = yield* Cluster.startClient(url)
        const read = (range: Range, options: ReadOptions) => Cluster.readFile(client, file, range, options)
        assert.strictEqual((yield* read(minutes(0, 60), patient)).df.length, 60)

        yield* slow.freeze
        const refused = yield* Effect.flip(read(minutes(0, 60), { strategy: "fail_fast" }))
        assert.deepStrictEqual([refused.tag, refused.code], ["SlaViolated", 504])
        assert.match(refused.meta?.missingRanges[0]?.reason ?? "", /^stored, but not read/)
        for (const strategy of ["partial_fill", "auto_backfill", "seamless"] as const) {
          const { df, meta } = yield* read(minutes(0, 60), { strategy, sla: { maxWaitStorageMs: 200 } })
          assert.strictEqual(df.length, 0, strategy)
          assert.strictEqual(meta.missingRanges[0]?.state, "missing")
          assert.match(meta.missingRanges[0]?.reason ?? "", /^stored, but not read/)
          assert.strictEqual(meta.sourceOutcomes["storage"]?.outcome, "timed_out")
          assert.strictEqual(
            meta.sourceOutcomes["binance"]?.outcome,
            "not_asked",
            "what is stored is not fetched again"
          )
          assert.strictEqual(meta.slaReport.violation?.phase, "storage")
          const sla = { maxWaitStorageMs: 200, onViolation: "error" } as const
          assert.strictEqual((yield* Effect.flip(read(minutes(0, 60), { strategy, sla }))).tag, "SlaViolated")
        }
        yield* slow.thaw
        yield* untilTrue(
          "it is read again",
          Effect.map(read(minutes(0, 60), { strategy: "seamless" }), ({ df }) => df.length === 60)
        )
      }),
    120_000
  )
})

describe("hosts", () => {
  it.live(
    "A host stands still",
    () =>
      Effect.gen(function* () {
        const cluster = yield* Cluster.start({ files: [file], series: { windowBars: 60 } }, ["a", "b", "c"])
        const admin = yield* Effect.acquireRelease(
          Effect.promise(() => connectAdmin({ servers: cluster.servers, who: "alice" })),
          (client) => Effect.promise(() => client.close())
        )
        const read = (range: Range, options: ReadOptions) => Cluster.readFile(cluster.client, file, range, options)
        yield* read(minutes(0, 10), patient)
        const { actors } = yield* Cluster.asking(() => admin.ask("actors", { type: "coverage" }))
        const ownerId = actors[0]?.hostId ?? ""
        const owner = cluster.hosts[["a", "b", "c"].indexOf(ownerId)]!
        yield* owner.freeze
        // what the one that stands still was given nobody answers: who asks again gets to another
        const sla = { totalDeadlineMs: 400 }
        const left = yield* read(minutes(60, 70), { strategy: "partial_fill", sla }).pipe(
          Effect.retry({ times: 20 }),
          Effect.map(({ meta }) => meta)
        )
        assert.match(left.notes.join(), /could not be queued|being filled/)
        assert.strictEqual(left.missingRanges[0]?.state, "missing")
        assert.strictEqual(left.sourceOutcomes["binance"]?.outcome, "not_asked")
        const stored = yield* Effect.retry(read(minutes(0, 10), { strategy: "fail_fast" }), { times: 20 })
        assert.strictEqual(stored.df.length, 10)
        // another has the coverage of the series within some seconds, and fills what is waited for
        const filled = yield* Effect.retry(read(minutes(60, 70), { strategy: "auto_backfill" }), { times: 20 })
        assert.strictEqual(filled.df.length, 10)
        yield* owner.thaw
        yield* untilTrue(
          "it takes part again",
          Effect.map(
            Cluster.asking(() => admin.ask("hosts", {})),
            ({ hosts }) => hosts.length === 3 && hosts.every(({ state }) => state === "serving")
          ),
          30_000
        )
      }),
    120_000
  )
})
