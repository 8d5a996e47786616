/**
 * Does a reader get what an exchange has corrected, and an operator what it was before?
 *
 * Bars may change after they were served (Alpaca #281): a real exchange, server and hosts, on bars of just now.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { SeamlessClient } from "../../client/SeamlessClient.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { BarFile } from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runCommand } from "../support/runCommand.ts"
import { untilTrue } from "../support/untilTrue.ts"

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))
const secondMs = 1000
/** The settle window, and the time that another member needs to take over on a busy machine. */
const settledWithinMs = 60_000
const pair = "BTC/BUSD"
const node = `ohlcv:binance:${pair}`

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-revisions-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Files with a bar for each of ten minutes of seconds around now; the price of a bar is 1 unless it is told. */
const makeFiles = Effect.map(Effect.all([folder, Clock.currentTimeMillis]), ([path, nowMs]) => {
  const first = Math.floor(nowMs / secondMs) * secondMs - 120 * secondMs
  return (name: string, prices: Readonly<Record<number, number>> = {}): BarFile => {
    const rows = Array.from({ length: 600 }, (_, bar) => {
      const time = first + bar * secondMs
      const price = prices[time] ?? 1
      return [time, price, price, price, price, price].join(",")
    })
    const file = join(path, `${name}.csv`)
    writeFileSync(file, `ts,open,high,low,close,volume\n${rows.join("\n")}\n`)
    return { path: file, pair, node, interval: "1s" }
  }
})

/** A cluster on an exchange that can be replaced by one that has other bars. */
const setUp = Effect.fnUntraced(function* (settings: { readonly latencyMs?: number } = {}) {
  const fileOf = yield* makeFiles
  let exchange = yield* Cluster.startExchange([fileOf("first")], settings)
  const port = Number(new URL(exchange.url).port)
  const cluster = yield* Cluster.make(
    {
      files: [fileOf("first")],
      // long enough that the exchange is another one by then
      source: { finalityDelayMs: 0, settleMs: 10_000, attempts: 1, breakerFailures: 1000 },
      series: { windowBars: 60 },
      retry: { baseMs: 100, maxMs: 500 }
    },
    { exchanges: [exchange.url] }
  )
  const host = yield* cluster.startHost("a")
  const client = yield* Cluster.startClient(host.servers)
  const restate = (name: string, prices: Readonly<Record<number, number>>) =>
    Effect.gen(function* () {
      yield* exchange.kill
      exchange = yield* Cluster.startExchange([fileOf(name, prices)], { port })
    })
  const command = (...args: ReadonlyArray<string>) =>
    Effect.promise(() =>
      runCommand([...args, "--nats", host.servers, ...(args[0] === "coverage" ? [] : ["--as", "alice"])])
    )
  const asked = () => Cluster.klines(exchange.requests()).length
  return { cluster, host, client, restate, command, asked }
})

/** Stops a command by Ctrl-C when the time has come. */
const stopWhen = (args: ReadonlyArray<string>, isTime: () => boolean) =>
  Effect.gen(function* () {
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] })
    const out: Array<string> = []
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text))
    const ended = once(child, "close")
    yield* untilTrue("it is time", Effect.sync(isTime))
    child.kill("SIGINT")
    const [code] = yield* Effect.promise(() => ended)
    return { code: Number(code), out: out.join("") }
  })

const read = (client: SeamlessClient, [start, end]: Range) =>
  Effect.map(
    Cluster.asking(() =>
      client.read(node, "1s", start, end, { strategy: "auto_backfill", sla: { totalDeadlineMs: 20_000 } })
    ),
    ({ df, meta }) => ({
      notes: meta.notes,
      close: Array.from(df.columns["close"] ?? [], Number),
      flags: Array.from(df.columns["__flags"] ?? [], Number)
    })
  )

const unsettledIn = (client: SeamlessClient) =>
  Effect.map(
    Cluster.asking(() => client.coverage(node, "1s")),
    ({ unsettledRanges = [] }) => unsettledRanges
  )

describe("bars that change after they were served", () => {
  it.live(
    "are read as they are in the end, also where the member that stored them was killed; the audit has both",
    () =>
      Effect.gen(function* () {
        const { client, cluster, command, host, restate } = yield* setUp()
        const end = Math.floor((yield* Clock.currentTimeMillis) / secondMs) * secondMs
        const range: Range = [end - 10 * secondMs, end]
        const bar = end - secondMs
        const before = yield* read(client, range)
        assert.deepStrictEqual(
          before.close,
          Array.from({ length: 10 }, () => 1)
        )
        assert.match(before.notes.join(), /may still be changed by binance/)
        assert.isNotEmpty(yield* unsettledIn(client))

        yield* restate("restated", { [bar]: 7 })
        yield* host.kill
        yield* cluster.startHost("b")
        yield* untilTrue(
          "all has settled",
          Effect.map(
            Effect.orElseSucceed(unsettledIn(client), () => [{}]),
            ({ length }) => length === 0
          ),
          settledWithinMs
        )

        const after = yield* read(client, range)
        assert.deepStrictEqual(after.close, [...Array.from({ length: 9 }, () => 1), 7])
        assert.deepStrictEqual(
          after.flags.map((flags) => (flags & RowFlag.revised) > 0),
          [...Array.from({ length: 9 }, () => false), true]
        )
        assert.deepStrictEqual(after.notes, [])

        const audit = yield* command("audit", node, "1s", "--verify")
        assert.strictEqual(audit.code, 0, audit.err)
        const change = "open 1 -> 7, high 1 -> 7, low 1 -> 7, close 1 -> 7, volume 1 -> 7"
        assert.include(audit.out, `${new Date(bar).toISOString().replace(".000Z", "Z")}  binance  ${change}`)
        assert.match(audit.out, /settle/)
        assert.match(audit.out, /the history holds/)
      }).pipe(Effect.scoped)
  )

  it.live("are found by seamless verify, which changes nothing, and made a revision by --repair", () =>
    Effect.gen(function* () {
      const { client, command, restate } = yield* setUp()
      // long settled: nobody asks for them again by itself
      const start = Math.floor((yield* Clock.currentTimeMillis) / secondMs) * secondMs - 60 * secondMs
      const range: Range = [start, start + 10 * secondMs]
      const before = yield* read(client, range)
      const [first, second] = range.map(String) as [string, string]
      const same = yield* command("verify", node, "1s", first, second)
      assert.deepStrictEqual([same.code, same.err], [0, ""])
      assert.match(same.out, /^all \d covered windows?\n10 bars are the same, 0 changed/)

      yield* restate("restated", { [start + secondMs]: 3 })
      const found = yield* command("verify", node, "1s", "--windows", "5", "--seed", "1")
      assert.strictEqual(found.code, 3, found.err)
      assert.match(found.out, /9 bars are the same, 1 changed, 0 are absent in the source, 0 are extra/)
      assert.match(found.out, /close 1 -> 3/)
      assert.deepStrictEqual((yield* read(client, range)).close, before.close)

      const unsaid = yield* command("verify", node, "1s", "--repair")
      assert.deepStrictEqual([unsaid.code, /--repair without --reason/.test(unsaid.err)], [2, true])
      const repaired = yield* command(
        "verify",
        node,
        "1s",
        "--repair",
        "--reason",
        "they corrected it",
        "--format",
        "json"
      )
      assert.strictEqual(repaired.code, 0, repaired.err)
      assert.strictEqual(JSON.parse(repaired.out).totals.repairedBars, 1)
      assert.deepStrictEqual((yield* read(client, range)).close, [1, 3, ...Array.from({ length: 8 }, () => 1)])
      const audit = yield* command("audit", node, "1s", "--verify")
      assert.match(audit.out, /repaired by alice: they corrected it/)
      assert.match(audit.out, /the history holds/)
      const far = [start + 300 * secondMs, start + 310 * secondMs].map(String)
      const uncovered = yield* command("verify", node, "1s", ...far)
      assert.deepStrictEqual([uncovered.code, /nothing of it is covered/.test(uncovered.err)], [3, true])
      const nothing = yield* command("verify", "no:such", "1s")
      assert.deepStrictEqual([nothing.code, /UnknownSeries/.test(nothing.err)], [4, true])
    }).pipe(Effect.scoped)
  )

  it.live("are told as far as they were found by a verification that is stopped", () =>
    Effect.gen(function* () {
      const { asked, client, host } = yield* setUp({ latencyMs: 300 })
      const end = Math.floor((yield* Clock.currentTimeMillis) / (60 * secondMs)) * 60 * secondMs
      yield* read(client, [end - 60 * secondMs, end])
      const windows = yield* Effect.map(
        Cluster.asking(() => client.coverage(node, "1s")),
        ({ coverageRanges }) => coverageRanges
      )
      assert.deepStrictEqual(windows, [[end - 60 * secondMs, end]])
      const before = asked()
      const { code, out } = yield* stopWhen(
        ["verify", node, "1s", "--nats", host.servers, "--as", "alice"],
        () => asked() > before
      )
      assert.strictEqual(code, 130)
      assert.match(out, /^all 1 covered window; looked at 0\n/)
    }).pipe(Effect.scoped)
  )
})
