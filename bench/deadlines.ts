/**
 * Does an answer come in time, when the source never answers?
 *
 * A whole host, a NATS server and an exchange whose process stands still; reads of what nobody has, with budgets from
 * 50 ms to 2 s, hundreds at once. How much later than its budget an answer arrives is held against timers of a process
 * that does nothing else, at the same time on the same machine. Then the exchange goes on: what was begun for readers
 * who had to leave has to come to its end, and be there for the next one without another request.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import * as Subject from "../protocol/wire/Subject.ts"
import { quantile } from "./ask/quantile.ts"
import { type Ended, type Load, timedReads, unanswered } from "./deadlines/timedReads.ts"
import { toTable } from "./support/measure.ts"
import { startServer } from "./support/natsServer.ts"
import { startProgram } from "./support/startProgram.ts"

const usage = `usage: node bench/deadlines.ts [--once] [--reads N] [--at-once N]

Reads what a hanging source would have, and tells how late the answers come.

  --reads    how many; 10,000 where it is absent
  --at-once  how many wait at the same time; 300 where it is absent
  --once     300 reads, 50 at once: shows that it runs
  --help     this text

Exit code 1: an answer never came, or came too late, or what was begun got lost.`

/** What the answers may be later than idle timers, at the 99.9th of a hundred. */
const allowedMs = 50
const windowBars = 60
const barMs = 60_000
const day = Date.UTC(2022, 11, 13)
const node = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" }

/** One window after the other; the first is filled before the source hangs, so that it has been asked before. */
const windows = Array.from({ length: (24 * 60) / windowBars }, (_, index): readonly [number, number] => [
  day + index * windowBars * barMs,
  day + (index + 1) * windowBars * barMs
])

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-deadlines-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
)

const configurationOf = (baseUrl: string) => ({
  // it is the reader who gives up: a request hangs for as long as it likes
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl, requestTimeoutMs: 600_000 } },
  series: [{ node: node.nodeId, intervals: ["1m"], sources: ["binance"], symbol: "BTC/BUSD", windowBars }]
})

const connection = (servers: string) =>
  Effect.acquireRelease(
    Effect.promise(() => connect({ servers })),
    (nc) => Effect.promise(() => nc.close())
  )

/** The host and the exchange behind it. */
const start = Effect.gen(function* () {
  const path = yield* folder
  const servers = yield* startServer
  const csv = join(import.meta.dirname, "../examples/data/binance-btcbusd-1m-20221213.csv")
  const log = join(path, "requests.jsonl")
  const exchange = yield* startProgram("examples/exchange/exchange.ts", [
    "--csv",
    `BTC/BUSD=${csv}`,
    "--port=0",
    `--log=${log}`
  ])
  const { url }: { readonly url: string } = JSON.parse(exchange.line)
  const config = join(path, "seamless.yaml")
  // JSON is YAML
  writeFileSync(config, JSON.stringify(configurationOf(url)))
  yield* startProgram("bin/seamless.ts", ["up", "--config", config, "--host-id", "a", "--nats", servers])
  return {
    nc: yield* connection(servers),
    exchange: exchange.child,
    klines: () =>
      readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line.includes("/klines")).length
  }
})

/** Reads with all the time in the world; gives how many bars came. */
const readPatiently = async (nc: NatsConnection, [start, end]: readonly [number, number]): Promise<number> => {
  const sla = { totalDeadlineMs: 120_000 }
  const body = JSON.stringify({ ...node, start, end, strategy: "auto_backfill", sla })
  const reply = await nc.request(Subject.service.read, body, { timeout: 130_000 })
  return (
    reply.json<{ readonly columns?: { readonly event_time: ReadonlyArray<number> } }>().columns?.event_time.length ?? 0
  )
}

/** Lateness of timers in another process, from now on. */
const idleTimers = async ({
  atOnce,
  count
}: Pick<Load, "count" | "atOnce">): Promise<() => Promise<ReadonlyArray<number>>> => {
  const child = fork(join(import.meta.dirname, "deadlines/idleTimers.ts"), [String(count), String(atOnce)])
  await once(child, "message")
  const late = once(child, "message")
  child.send("go")
  return async () => {
    const [lateMs]: ReadonlyArray<ReadonlyArray<number>> = await late
    return lateMs ?? []
  }
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

const row = (title: string, values: ReadonlyArray<number>): ReadonlyArray<string> => [
  title,
  values.length.toLocaleString("en"),
  ...[0.5, 0.99, 0.999, 1].map((part) => ms(quantile(values, part)))
]

const tally = (ended: ReadonlyArray<Ended>): string =>
  Array.from(
    Map.groupBy(ended, ({ outcome }) => outcome),
    ([outcome, all]) => `${all.length} ${outcome}`
  ).join(", ")

/** How a read may end: with what there is, or, where the time did not suffice to know even that, with that error. */
const outcomes = new Set(["whole", "partial", "untold", "DeadlineExceeded", unanswered])

/** What of the claims does not hold. */
const problemsOf = (
  ended: ReadonlyArray<Ended>,
  lateMs: ReadonlyArray<number>,
  isOnce: boolean
): ReadonlyArray<string> => {
  const lost = ended.filter(({ outcome }) => outcome === unanswered).length
  const untold = ended.filter(({ outcome }) => outcome === "untold").length
  const others = ended.filter(({ outcome }) => !outcomes.has(outcome)).length
  const overshootMs = quantile(
    ended.map(({ budgetMs, tookMs }) => tookMs - budgetMs),
    0.999
  )
  const limitMs = quantile(lateMs, 0.999) + allowedMs
  return [
    ...(lost > 0 ? [`${lost} reads were never answered`] : []),
    ...(untold > 0 ? [`${untold} answers lack bars and name no violation`] : []),
    ...(others > 0 ? [`${others} reads were refused`] : []),
    // a few hundred have no 999th of a thousand
    ...(!isOnce && overshootMs > limitMs
      ? [`p99.9 of the overshoot is ${ms(overshootMs)}, at most ${ms(limitMs)}`]
      : [])
  ]
}

/** Reads of what is stored, before anything is measured: a host that has just started is compiled as it goes. */
const warmUpReads = 1500

const bench = Effect.fnUntraced(function* (load: Load, isOnce: boolean) {
  const { exchange, klines, nc } = yield* start
  yield* Effect.promise(() => readPatiently(nc, windows[0]!))
  const stored: Load = { ...load, ranges: windows.slice(0, 1), count: isOnce ? 100 : warmUpReads }
  yield* Effect.promise(() => timedReads(nc, { ...stored, atOnce: 20 }))
  exchange.kill("SIGSTOP")
  const timers = yield* Effect.promise(() => idleTimers(load))
  const startedMs = performance.now()
  const ended = yield* Effect.promise(() => timedReads(nc, load))
  const tookMs = performance.now() - startedMs
  const lateMs = yield* Effect.promise(timers)
  exchange.kill("SIGCONT")
  const thawedMs = performance.now()
  const bars = yield* Effect.promise(() => readPatiently(nc, [day, windows.at(-1)![1]]))
  const filledMs = performance.now() - thawedMs
  const asked = klines()
  const again = yield* Effect.promise(() => readPatiently(nc, [day, windows.at(-1)![1]]))
  console.log(
    toTable(
      ["later than its budget", "count", "p50", "p99", "p99.9", "worst"],
      [
        row(
          "an answer",
          ended.map(({ budgetMs, tookMs }) => tookMs - budgetMs)
        ),
        row("a timer of an idle process", lateMs)
      ]
    )
  )
  console.log(
    `\n${(ended.length / (tookMs / 1000)).toFixed(0)} reads a second, ${load.atOnce} at once: ${tally(ended)}.\n` +
      `The source went on: ${bars} bars after ${ms(filledMs)}, by ${asked} requests; read again: ${again} bars, ` +
      `${klines() - asked} requests.`
  )
  const left = 24 * 60 - bars
  return [
    ...problemsOf(ended, lateMs, isOnce),
    ...(left > 0 ? [`${left} bars did not come when the source went on`] : []),
    ...(klines() > asked || again !== bars ? ["what had come was asked for again"] : [])
  ]
})

const { values } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    reads: { type: "string" },
    "at-once": { type: "string" },
    help: { type: "boolean", default: false }
  }
})

if (values.help) console.log(usage)
else {
  const load: Load = {
    ...node,
    ranges: windows.slice(1),
    count: Number(values.reads ?? (values.once ? 300 : 10_000)),
    atOnce: Number(values["at-once"] ?? (values.once ? 50 : 300))
  }
  NodeRuntime.runMain(
    Effect.scoped(bench(load, values.once)).pipe(
      Effect.map((problems) => {
        for (const problem of problems) console.error(problem)
        process.exitCode = problems.length === 0 ? 0 : 1
      })
    )
  )
}
