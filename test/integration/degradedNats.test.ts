/**
 * What is read of a cluster whose NATS has lost its quorum?
 *
 * Three servers of which two are killed: nothing can be written, and what stands can't be known, while messages go on
 * between those who are at the third.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { connectAdmin } from "../../client/admin.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as NatsCluster from "../support/NatsCluster.ts"
import * as NatsServer from "../support/NatsServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.fullDay
const { interval, node } = file
const midnightMs = BarFile.read(file).range[0]
const minuteMs = 60_000
const minutes = (from: number, to: number): Range => [midnightMs + from * minuteMs, midnightMs + to * minuteMs]

const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 60_000 } }
/** What an answer may take beyond its deadline on a busy machine. */
const graceMs = 250

describe("NATS", () => {
  it.live(
    "NATS has no quorum",
    () =>
      Effect.gen(function* () {
        const { servers } = yield* NatsCluster.start()
        const [first, second, third] = servers
        const cluster = yield* Cluster.make(
          { files: [file], rest: { nats: { replicas: 3 } } },
          { server: { url: first!.url } }
        )
        yield* cluster.startHost("a")
        const client = yield* Cluster.startClient(first!.url)
        const read = (range: Range, options: ReadOptions) => Cluster.readFile(client, file, range, options)
        const { meta: before } = yield* read(minutes(0, 100), patient)
        assert.isUndefined(before.staleMs)
        yield* Effect.all([second!.kill, third!.kill], { concurrency: 2 })

        // what was read within the last seconds is trusted, and then what stands is asked for in vain
        yield* untilTrue(
          "the coverage is told to be old",
          Effect.map(
            read(minutes(0, 100), { strategy: "fail_fast" }),
            ({ meta }) => meta.staleMs !== undefined && meta.staleMs > 5000
          ),
          60_000
        )
        for (const [strategy, deadlineMs] of [
          ["fail_fast", 1000],
          ["partial_fill", 500],
          ["auto_backfill", 8000],
          ["seamless", 5000]
        ] as const) {
          const { df, meta } = yield* read(minutes(0, 100), { strategy })
          assert.strictEqual(df.length, 100, strategy)
          assert.deepStrictEqual([meta.missingRanges, meta.coverageVersion], [[], before.coverageVersion])
          assert.strictEqual(meta.fingerprint, before.fingerprint)
          assert.isAbove(meta.staleMs ?? 0, 5000)
          assert.isTrue(Number.isInteger(meta.staleMs), "milliseconds are whole")
          assert.match(meta.notes.join(), /could not be read: this is what stood \d+ ms ago/)
          assert.isBelow(meta.slaReport.elapsedMs, 1000 + graceMs, "a gap would be waited for, and there is none")

          if (strategy === "fail_fast") continue
          const gap = yield* read(minutes(50, 150), { strategy })
          assert.strictEqual(gap.df.length, 50, strategy)
          assert.isBelow(gap.meta.slaReport.elapsedMs, deadlineMs + graceMs)
          const [missing] = gap.meta.missingRanges
          assert.strictEqual(missing?.state, "missing")
          assert.match(missing?.reason ?? "", /^it could not be asked for/)
          assert.strictEqual(gap.meta.sourceOutcomes["binance"]?.outcome, "not_asked")
          const failure = yield* Effect.flip(read(minutes(50, 150), { strategy, sla: { onBackfillFailure: "error" } }))
          assert.deepStrictEqual([failure.tag, failure.code], ["MeshUnavailable", 503], strategy)
        }
        const missing = yield* Effect.flip(read(minutes(50, 150), { strategy: "fail_fast" }))
        assert.strictEqual(missing.tag, "CoverageMissing")
        // who has written has to read that, or be told that it can't be
        const own = yield* Effect.flip(read(minutes(0, 100), { strategy: "seamless", minVersion: 1 }))
        assert.include(["MeshUnavailable", "DeadlineExceeded"], own.tag)
        // who has something filled wants to know that it is there, which nobody can
        const [from, to] = minutes(0, 100)
        const ensured = yield* Effect.flip(
          Cluster.asking(() => client.ensureAvailable(node, interval, from, to, { sla: { totalDeadlineMs: 2000 } }))
        )
        assert.include(["MeshUnavailable", "DeadlineExceeded"], ensured.tag)

        yield* Effect.all([second!.start, third!.start], { concurrency: 2 })
        yield* untilTrue(
          "the gap is filled",
          Effect.match(read(minutes(0, 150), patient), {
            onFailure: () => false,
            onSuccess: ({ df, meta }) => df.length === 150 && meta.staleMs === undefined
          }),
          60_000
        )
        const { coverageVersion } = yield* Cluster.asking(() => client.coverage(node, interval))
        assert.isAbove(coverageVersion, before.coverageVersion)
      }),
    240_000
  )

  it.live(
    "A host is cut off alone",
    () =>
      Effect.gen(function* () {
        const server = yield* NatsServer.start()
        const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: server.port })
        const exchange = yield* Cluster.startExchange([file])
        const settings = { files: [file], series: { windowBars: 60 } }
        const at = (url: string) => Cluster.make(settings, { server: { url }, exchanges: [exchange.url] })
        const [near, behind] = [yield* at(server.url), yield* at(proxy.url)]
        yield* Effect.all([near.startHost("a"), near.startHost("b"), behind.startHost("c")], { concurrency: 3 })
        const client = yield* Cluster.startClient(server.url)
        const read = (range: Range, options: ReadOptions) => Cluster.readFile(client, file, range, options)
        const { meta: before } = yield* read(minutes(0, 10), patient)

        yield* proxy.cut
        const again = { times: 20 }
        for (const strategy of ["fail_fast", "partial_fill", "auto_backfill", "seamless"] as const) {
          const { df, meta } = yield* Effect.retry(read(minutes(0, 10), { strategy }), again)
          assert.strictEqual(df.length, 10, strategy)
          assert.strictEqual(meta.fingerprint, before.fingerprint)
        }
        const untilRefused = { times: 20, while: ({ tag }: { readonly tag: string }) => tag !== "CoverageMissing" }
        const absent = Effect.retry(read(minutes(60, 70), { strategy: "fail_fast" }), untilRefused)
        assert.strictEqual((yield* Effect.flip(absent)).tag, "CoverageMissing")
        // whatever the one that is cut off had, others have within some seconds
        const filled = yield* Effect.retry(read(minutes(60, 70), { strategy: "auto_backfill" }), again)
        assert.strictEqual(filled.df.length, 10)
        assert.isUndefined(filled.meta.staleMs)

        yield* proxy.restore()
        const admin = yield* Effect.acquireRelease(
          Effect.promise(() => connectAdmin({ servers: server.url, who: "alice" })),
          (opened) => Effect.promise(() => opened.close())
        )
        yield* untilTrue(
          "the host takes part again",
          Effect.map(
            Cluster.asking(() => admin.ask("hosts", {})),
            ({ hosts }) => hosts.length === 3 && hosts.every(({ state }) => state === "serving")
          ),
          60_000
        )
      }),
    180_000
  )
})
