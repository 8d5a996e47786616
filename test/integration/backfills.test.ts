/** Does a backfill with a name do what an operator tells it, whatever dies meanwhile, and does the operator see it? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { connectAdmin } from "../../client/admin.ts"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import type { BackfillPlan } from "../../protocol/history/BackfillPlan.ts"
import type { BackfillReport } from "../../protocol/history/NamedBackfill.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as NatsServer from "../support/NatsServer.ts"
import * as ReadyProcess from "../support/ReadyProcess.ts"
import { type Run, runCommand } from "../support/runCommand.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import { untilTrue } from "../support/untilTrue.ts"

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))

// a bar for every minute of a day: what is asked for is what is missing, with no look beyond it
const file = BarFile.barFiles.fullDay
const { covered, range } = BarFile.read(file)
const bars = (range[1] - range[0]) / 60_000
const windowBars = 5
const windows = bars / windowBars
const latencyMs = 150

const configurationOf = (baseUrl: string) => ({
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl, barsPerRequest: 10 } },
  series: [{ node: file.node, intervals: [file.interval], sources: ["binance"], symbol: file.pair, windowBars }]
})

const makeFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-backfills-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

/** An exchange, a server, a host on it that can be started, and the command line. */
const setUp = Effect.gen(function* () {
  const folder = yield* makeFolder
  const exchange = yield* Cluster.startExchange([file], { latencyMs })
  const server = yield* NatsServer.start()
  const config = join(folder, "seamless.yaml")
  writeFileSync(config, JSON.stringify(configurationOf(exchange.url)))
  const address = ["--nats", server.url]
  const startHost = ReadyProcess.start({
    program,
    args: ["up", "--config", config, "--host-id", "a", ...address],
    logFile: join(process.env["SEAMLESS_TEST_LOGS"] ?? folder, "a.log")
  })
  const seamless = (...args: ReadonlyArray<string>) =>
    Effect.promise(() => runCommand([...args, ...address], { SEAMLESS_OPERATOR: "alice" }))
  return { server, startHost, seamless, klines: () => Cluster.klines(exchange.requests()) }
})

type Seamless = Effect.Success<typeof setUp>["seamless"]

const json = <A>(seamless: Seamless, ...args: ReadonlyArray<string>): Effect.Effect<A> =>
  Effect.map(seamless(...args, "--format", "json"), ({ code, err, out }) => {
    assert.deepStrictEqual([code, err], [0, ""])
    return JSON.parse(out)
  })

/** What an operator's client is told, without a process for each question. */
const startShow = (servers: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => connectAdmin({ servers, who: "bob" })),
      (client) => Effect.promise(() => client.close())
    ),
    (client) => Effect.promise(() => client.ask("backfill", { name: "day" }))
  )

const rangeArguments = [file.node, file.interval, ...range.map(String)]
const rangeFlags = [
  "--node",
  file.node,
  "--interval",
  file.interval,
  "--from",
  String(range[0]),
  "--to",
  String(range[1])
]
// workers of this build take one class only
const createFlags = [...rangeFlags, "--priority", "interactive", "--newest-first"]

/** The time that a request was answered about: so many bars from its start. */
const answered = ({ rows, startTime }: LogEntry): Range => [Number(startTime), Number(startTime) + (rows ?? 0) * 60_000]

const answeredBars = (requests: ReadonlyArray<LogEntry>): number =>
  requests.reduce((sum, { rows }) => sum + (rows ?? 0), 0)

const distinctBars = (requests: ReadonlyArray<LogEntry>): number =>
  RangeMeasure.bars(RangeSet.make(requests.map(answered)), 60_000)

const refused = ({ code, err, out }: Run, expected: RegExp): void => {
  assert.deepStrictEqual([code, out], [4, ""], err)
  assert.match(err, expected)
}

const seeBefore = Effect.fnUntraced(function* (seamless: Seamless) {
  const plan = yield* json<BackfillPlan>(seamless, "plan", ...rangeArguments)
  assert.deepInclude(plan, { bars, windows, coveredBars: 0, seconds: null })
  const text = yield* seamless("backfill", "dry-run", ...rangeFlags)
  assert.match(text.out, /^bars +1,440 to bring\nwindows +288\nrequests +144\nseconds +-/m)
  refused(yield* seamless("backfill", "show", "day"), /^UnknownBackfill: there is no backfill day/)
  return plan
})

describe("seamless backfill", () => {
  it.live(
    "fills a range, stands still when told to, outlives host and server, and fetches nothing twice",
    () =>
      Effect.gen(function* () {
        const { klines, seamless, server, startHost } = yield* setUp
        const first = yield* startHost
        const show = yield* startShow(server.url)
        const plan = yield* seeBefore(seamless)

        const created = yield* seamless("backfill", "create", "day", ...createFlags)
        assert.match(created.out, /^day\n +status +running, 0%\n/)
        yield* untilTrue(
          "a fifth of it is there",
          Effect.sync(() => answeredBars(klines()) > bars / 5),
          20_000
        )
        const paused = yield* json<BackfillReport>(seamless, "backfill", "pause", "day")
        assert.deepInclude(paused, { status: "paused", by: "alice", order: "newest_first" })
        assert.match((yield* seamless("backfill", "create", "day", ...createFlags)).out, /^day\n +status +paused/)
        refused(yield* seamless("backfill", "create", "day", ...rangeFlags), /^BackfillExists: .*interactive, paused/)
        yield* untilTrue(
          "what was under way is finished",
          Effect.map(show, ({ outstandingWindows }) => outstandingWindows === 0),
          20_000
        )
        const standing = yield* show
        assert.isAbove(standing.figures.leftWindows, 0)
        const asked = klines().length
        assert.strictEqual(answeredBars(klines()), bars - standing.figures.leftBars)

        yield* first.kill
        yield* server.kill
        yield* server.start
        yield* startHost
        const again = yield* json<BackfillReport>(seamless, "backfill", "show", "day")
        assert.deepInclude(again, { status: "paused", createdAt: standing.createdAt })
        assert.strictEqual(again.figures.leftBars, standing.figures.leftBars)
        assert.lengthOf(klines(), asked)

        yield* seamless("backfill", "resume", "day")
        yield* untilTrue(
          "it is done",
          Effect.map(show, ({ status }) => status === "done"),
          30_000
        )
        assert.deepInclude((yield* show).figures, { bars, leftBars: 0, leftWindows: 0, quarantinedBars: 0 })
        const nc = yield* Cluster.startConnection(server.url)
        assert.deepStrictEqual((yield* StoredRoots.standing(nc, file))?.covered, RangeSet.make(covered))
        assert.strictEqual(answeredBars(klines()), bars)
        assert.strictEqual(distinctBars(klines()), bars)
        process.stdout.write(`planned ${plan.requests} requests, sent ${klines().length}\n`)
        refused(yield* seamless("backfill", "cancel", "day"), /^BackfillEnded: backfill day is done/)
        const listed = yield* seamless("backfill", "list")
        assert.match(listed.out, /^day +done +100% +0 +0 /m)
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "goes on by itself when host and server are killed in the middle of it, and whoever follows it sees its end",
    () =>
      Effect.gen(function* () {
        const { klines, seamless, server, startHost } = yield* setUp
        const first = yield* startHost
        const nc = yield* Cluster.startConnection(server.url)
        let looks = 0
        nc.subscribe(ActorSubject.admin("alice", "backfill"), { callback: () => void looks++ })
        yield* seamless("backfill", "create", "day", ...createFlags)
        const following = yield* Effect.forkScoped(seamless("backfill", "show", "day", "--follow"))
        yield* untilTrue(
          "somebody follows it",
          Effect.sync(() => looks > 1 && klines().length > 8),
          20_000
        )
        const atKill = (yield* StoredRoots.standing(nc, file))?.covered ?? RangeSet.empty
        yield* first.kill
        yield* server.kill
        const before = klines().length
        yield* server.start
        yield* startHost

        const { code, err, out } = yield* Fiber.join(following)
        assert.strictEqual(code, 0, err)
        assert.match(out, /^day\n +status +done, 100%\n/)
        assert.deepStrictEqual((yield* StoredRoots.standing(nc, file))?.covered, RangeSet.make(covered))
        // but for what was in flight at the kill
        const later = RangeSet.make(klines().slice(before).map(answered))
        assert.deepStrictEqual(RangeSet.intersect(later, atKill), RangeSet.empty)
        assert.strictEqual(distinctBars(klines()), bars)
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "cancelled it asks for no more, and says what is left; progress is told on the error output",
    () =>
      Effect.gen(function* () {
        const { klines, seamless, startHost } = yield* setUp
        yield* startHost
        yield* seamless("backfill", "create", "day", ...createFlags)
        yield* untilTrue(
          "it has begun",
          Effect.sync(() => klines().length > 4),
          20_000
        )
        const cancelled = yield* json<BackfillReport>(seamless, "backfill", "cancel", "day")
        assert.strictEqual(cancelled.status, "cancelled")
        assert.isAbove(cancelled.figures.leftBars, 0)
        refused(yield* seamless("backfill", "resume", "day"), /^BackfillEnded: backfill day is cancelled/)
        const followed = yield* seamless("backfill", "show", "day", "--follow")
        assert.strictEqual(followed.code, 3)

        // the rest by a command that waits: newest first went the other way, so the oldest are left
        const { code, err, out } = yield* seamless(
          "ensure",
          ...rangeArguments,
          "--deadline",
          "30000",
          "--format",
          "json",
          "--progress"
        )
        assert.strictEqual(code, 0)
        assert.isTrue(JSON.parse(out).available)
        assert.match(err, /^(\d+%, [\d,]+ of [\d,]+ bars, .*\n)*$/)
        assert.strictEqual(answeredBars(klines()), bars)
      }).pipe(Effect.scoped),
    120_000
  )
})
