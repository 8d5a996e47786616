/**
 * Do the processes of a cluster together keep to the budget of an account, as the exchange sees it?
 *
 * Four hosts, a bulk backfill that wants far more than the budget has, readers who come in between, and a kill of the
 * host that keeps the budget.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import process from "node:process"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import { callerLayer } from "../../cluster/Member.ts"
import type { ActorReport } from "../../protocol/wire/ActorReport.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { ensureMessage } from "../../protocol/messages/Coverage.ts"
import type { Standings } from "../../protocol/messages/Upstream.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { ask } from "../../runtime/ActorSystem.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runCommand } from "../support/runCommand.ts"
import { untilTrue } from "../support/untilTrue.ts"

const { fullDay } = BarFile.barFiles
const [dayStart] = BarFile.read(fullDay).range
const dayMs = 24 * 3_600_000
const minuteMs = 60_000

const requestsPerMinute = 100
const burst = 5
/** How soon one request follows another in the even flow: a minute counts for two seconds more. */
const slotMs = 62_000 / (requestsPerMinute - burst + 1)

const fileOf = (base: string): BarFile.BarFile => ({
  ...fullDay,
  pair: `${base}/BUSD`,
  node: `ohlcv:binance:${base}/BUSD`
})

// more than the workers of three hosts: all four take part, and some workers are left for readers
const bulkFiles = Array.from({ length: 13 }, (_, index) => fileOf(`BULK${index}`))
const readFile = fileOf("READ")
const hostIds = ["a", "b", "c", "d"]

const settings: Cluster.ClusterSettings = {
  files: [readFile, ...bulkFiles],
  source: { account: "main", barsPerRequest: 10 },
  accounts: { main: { requestsPerMinute, burst } }
}

const mostInAMinute = (requests: ReadonlyArray<LogEntry>): number =>
  Math.max(...requests.map(({ at: from }) => requests.filter(({ at }) => from <= at && at < from + minuteMs).length))

/** Has a day of a file filled as bulk work. */
const fillInBulk = Effect.fnUntraced(function* ({ interval, node }: BarFile.BarFile) {
  const series = { nodeId: node, interval }
  const key = Subject.series(node, interval)
  const { jobs } = yield* ask(ensureMessage)(key, {
    series,
    ranges: RangeSet.of(dayStart, dayStart + dayMs),
    sources: ["binance"],
    jobClass: "bulk",
    cause: "test",
    traceParent: ""
  })
  const mesh = yield* Mesh
  // workers take one class today, whatever the job's own is
  for (const { windowStart } of jobs) {
    const entry = { jobClass: "interactive", partition: 0, windowKey: Subject.window(key, windowStart) }
    yield* mesh.enqueue(QueueSubject.queuedJob(entry), new Uint8Array(0))
  }
})

/** What a command of an operator says in JSON. */
const told = <A>(servers: string, ...args: ReadonlyArray<string>): Effect.Effect<A> =>
  Effect.map(
    Effect.promise(() => runCommand([...args, "--format", "json", "--nats", servers])),
    ({ code, err, out }) => {
      assert.deepStrictEqual([code, err], [0, ""])
      return JSON.parse(out)
    }
  )

describe("a budget of 100 requests a minute, four hosts, and a bulk backfill", () => {
  it.live("the exchange never sees more in any minute, and a reader waits for less than two requests", () =>
    Effect.gen(function* () {
      const { client, hosts, requests, servers } = yield* Cluster.start(settings, hostIds)
      const outside = Layer.mergeAll(
        callerLayer({ servers }),
        NatsMesh.layer({ servers, name: "rateBudget", replicas: 1 })
      )
      yield* Effect.forEach(bulkFiles, fillInBulk, { concurrency: "unbounded" }).pipe(Effect.provide(outside))
      yield* untilTrue(
        "the backfill is under way",
        Effect.sync(() => requests().length > 30),
        30_000
      )
      const [main] = (yield* told<Standings>(servers, "upstreams")).accounts
      assert.strictEqual(main?.limits.requestsPerMinute, requestsPerMinute)
      assert.isAbove(main!.waiting.bulk, 8)

      const waits: Array<number> = []
      for (let read = 0; read < 6; read++) {
        const start = dayStart + read * 3_600_000
        const begunAtMs = yield* Clock.currentTimeMillis
        const { df } = yield* Cluster.readFile(client, readFile, [start, start + 10 * minuteMs], {
          strategy: "auto_backfill",
          sla: { totalDeadlineMs: 20_000 }
        })
        assert.strictEqual(df.length, 10)
        const since = requests().filter(({ at }) => at >= begunAtMs)
        const own = since.findIndex(({ symbol }) => symbol === "READBUSD")
        // those before its own are of the backfill
        assert.isBelow(own, 2)
        waits.push(since[own]!.at - begunAtMs)
      }
      process.stdout.write(`readers waited ${waits.join(", ")} ms; a slot is ${Math.round(slotMs)} ms\n`)
      const waitMs = waits.reduce((sum, each) => sum + each, 0) / waits.length
      assert.isBelow(waitMs, 2 * slotMs)

      yield* untilTrue(
        "the readers have gone",
        Effect.sync(() => requests().length > 55),
        60_000
      )
      const [keeper] = (yield* told<{ readonly actors: ReadonlyArray<ActorReport> }>(
        servers,
        "actors",
        "--type",
        "upstream"
      )).actors
      yield* hosts[hostIds.indexOf(keeper!.hostId)]!.kill
      const firstAt = requests()[0]!.at
      yield* untilTrue(
        "a minute and more",
        Effect.sync(() => requests().at(-1)!.at > firstAt + 64_000),
        80_000
      )
      const all = requests()
      process.stdout.write(`${all.length} requests, ${mostInAMinute(all)} in a minute at most\n`)
      assert.isAtMost(mostInAMinute(all), requestsPerMinute)
      // and uses what there is, but for the time until another host keeps the budget
      assert.isAbove(mostInAMinute(all), 0.7 * requestsPerMinute)
      assert.lengthOf(
        all.filter(({ path }) => path.endsWith("/exchangeInfo")),
        hostIds.length
      )
    })
  )
})
