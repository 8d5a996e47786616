/** Are files a source like any other to a cluster of real processes, and does a newcomer's own file get in at once? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as BarFile from "../support/BarFile.ts"
import { readBars } from "../support/csv.ts"
import * as ReadyProcess from "../support/ReadyProcess.ts"
import { type Run, runCommand } from "../support/runCommand.ts"

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))
const trades = fileURLToPath(new URL("../../examples/data/binance-xrpeth-trades-20191011.csv", import.meta.url))
const { fullDay, outage, rolledUp } = BarFile.barFiles

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-lake-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

const run = (...args: ReadonlyArray<string>): Effect.Effect<Run> => Effect.promise(() => runCommand(args))

interface Answer {
  readonly columns: Readonly<Record<string, ReadonlyArray<number>>>
  readonly meta: { readonly missingRanges: ReadonlyArray<{ readonly state: string; readonly reason: string }> }
}

const answerOf = ({ err, out }: Run): Answer => {
  assert.notStrictEqual(out, "", err)
  return JSON.parse(out) as Answer
}

/** The rows of an answer are just those of a file. */
const assertRows = ({ columns }: Answer, path: string): void => {
  const expected = readBars(path)
  assert.deepStrictEqual(columns["event_time"], Array.from(expected.eventTime))
  for (const { name, values } of expected.columns) assert.deepStrictEqual(columns[name], Array.from(values), name)
}

const rolledUpBit = 1 << 7

describe("a lake in a cluster", () => {
  it.live(
    "is read through seamless read, by two hosts: rows, coverage, what is missing, and a file that is gone",
    () =>
      Effect.gen(function* () {
        const root = yield* folder
        mkdirSync(join(root, "bars"))
        copyFileSync(fullDay.path, join(root, "bars", "BTCBUSD-1m.csv"))
        copyFileSync(outage.path, join(root, "bars", "BTCUSD-1m.csv"))
        copyFileSync(trades, join(root, "trades.csv"))
        const config = join(root, "seamless.yaml")
        const series = [
          { node: "busd", intervals: ["1m"], sources: ["bars"], symbol: "BTC/BUSD" },
          { node: "usd", intervals: ["1m"], sources: ["bars"], symbol: "BTC/USD" },
          { node: "xrp", intervals: ["1m"], sources: ["trades"], symbol: "XRP/ETH" }
        ]
        const sources = {
          bars: { kind: "lake", path: "bars/{symbol}-1m.csv" },
          trades: { kind: "lake", path: "trades.csv", rows: "trades", whole: "days" }
        }
        writeFileSync(config, JSON.stringify({ sources, series }))
        const dataDir = join(root, "data")
        for (const host of ["a", "b"]) {
          yield* ReadyProcess.start({
            program,
            args: ["up", "--config", config, "--data-dir", dataDir, "--host-id", host],
            logFile: join(root, `${host}.log`)
          })
        }
        const read = (node: string, start: string, end: string) =>
          run(
            "read",
            node,
            "1m",
            start,
            end,
            "--strategy",
            "auto_backfill",
            "--deadline",
            "60000",
            "--format",
            "json",
            "--meta",
            "--data-dir",
            dataDir
          )
        const day = yield* read("busd", "2022-12-13", "2022-12-14")
        assert.strictEqual(day.code, 0, day.err)
        assertRows(answerOf(day), fullDay.path)
        const rolled = yield* read("xrp", "2019-10-11", "2019-10-13T11:20Z")
        assert.strictEqual(rolled.code, 0, rolled.err)
        assertRows(answerOf(rolled), rolledUp.path)
        for (const flags of answerOf(rolled).columns["__flags"]!) assert.strictEqual(flags & rolledUpBit, rolledUpBit)
        rmSync(join(root, "bars", "BTCBUSD-1m.csv"))
        const days = yield* read("usd", "2018-04-04", "2018-04-07")
        assert.strictEqual(days.code, 3, days.err)
        assertRows(answerOf(days), outage.path)
        assert.lengthOf(answerOf(days).meta.missingRanges, 1)
        const gone = yield* run(
          "read",
          "busd",
          "1m",
          "2022-12-12",
          "2022-12-13",
          "--deadline",
          "5000",
          "--format",
          "json",
          "--meta",
          "--data-dir",
          dataDir
        )
        assert.strictEqual(gone.code, 3, gone.err)
        assert.lengthOf(answerOf(gone).columns["event_time"]!, 0)
        assert.lengthOf(answerOf(gone).meta.missingRanges, 1)
        assert.notStrictEqual(answerOf(gone).meta.missingRanges[0]?.state, "unavailable")
      }),
    120_000
  )
})

describe("seamless import", () => {
  it.live(
    "stores a file as it is, says what it understood and what is missing; a file that has changed is stored anew",
    () =>
      Effect.gen(function* () {
        const root = yield* folder
        const dataDir = join(root, "data")
        const file = join(root, basename(fullDay.path))
        copyFileSync(fullDay.path, file)
        const first = yield* run("import", file, "--node", "mine", "--data-dir", dataDir)
        assert.strictEqual(first.code, 0, first.err)
        assert.match(first.err, /1440 bars in 1 file[^]*ts: milliseconds since 1970[^]*2022-12-13T23:59:00Z[^]*mine 1m/)
        assert.match(first.out, /^stored 1440 of 1440 bars of mine 1m/)
        const second = yield* run("import", outage.path, "--data-dir", dataDir, "--format", "json")
        assert.strictEqual(second.code, 3, second.err)
        assert.containSubset(JSON.parse(second.out), { bars: 3887, stored: 3887, interval: "1m" })
        assert.lengthOf((JSON.parse(second.err) as Answer["meta"]).missingRanges, 1)
        const lines = readFileSync(file, "utf8").split("\n")
        const changed = lines.map((line, at) => (at === 100 ? line.replace(/[^,]*$/, "0.5") : line))
        writeFileSync(file, changed.filter((_, at) => at < 50 || at > 60).join("\n"))
        const again = yield* run("import", file, "--node", "mine", "--data-dir", dataDir)
        assert.match(again.out, /^stored 1429 of 1429 bars of mine 1m/)
        const doubtful = join(root, "doubtful.csv")
        writeFileSync(doubtful, lines.map((line, at) => (at === 100 ? line.replace(/[^,]*$/, "-1") : line)).join("\n"))
        const told = yield* run("import", doubtful, "--data-dir", dataDir)
        assert.match(told.err, /negativeVolume +1 +marked SUSPECT +2022-12-13T01:39:00Z/)
        const config = join(dataDir, "imported.yaml")
        yield* ReadyProcess.start({
          program,
          args: ["up", "--config", config, "--data-dir", dataDir],
          logFile: join(root, "host.log")
        })
        const read = yield* run(
          "read",
          "mine",
          "1m",
          "2022-12-13",
          "2022-12-14",
          "--format",
          "json",
          "--data-dir",
          dataDir
        )
        assertRows(answerOf(read), file)
      }),
    120_000
  )

  it.live(
    "reads a dump of trades without a header line by one command, and no other file in its place unawares",
    () =>
      Effect.gen(function* () {
        const root = yield* folder
        const dataDir = join(root, "data")
        const startUs = Date.UTC(2025, 0, 2) * 1000
        const row = (id: number) => `${id},94.5,0.25,${id},${id},${startUs + 500_000 + id * 20_000_123},True,True\r\n`
        const dump = (name: string) => {
          mkdirSync(join(root, name))
          const path = join(root, name, "BTCUSDT-aggTrades-2025-01-02.csv")
          writeFileSync(path, Array.from({ length: 4319 }, (_, id) => row(id)).join(""))
          return path
        }
        const path = dump("a")
        const first = yield* run("import", path, "--data-dir", dataDir)
        assert.strictEqual(first.code, 0, first.err)
        assert.match(first.out, /^stored 1438 of 1438 bars of ohlcv:BTCUSDT-aggTrades-2025-01-02 1m/)
        assert.match(first.err, /4319 trades in 1 file[^]*transact_time: microseconds since 1970/)
        const days = yield* run("import", path, "--whole", "days", "--data-dir", dataDir)
        assert.strictEqual(days.code, 0, days.err)
        assert.match(days.out, /^stored 1440 of 1440 bars/)
        const second = dump("b")
        const refused = yield* run("import", second, "--data-dir", dataDir)
        assert.strictEqual(refused.code, 4, refused.err)
        assert.match(refused.err, /was imported from .*: say --replace to have .* in its place, or --node/)
        const replaced = yield* run("import", second, "--replace", "--data-dir", dataDir)
        assert.strictEqual(replaced.code, 0, replaced.err)
      }),
    120_000
  )

  it.live("refuses what it can't read, with what would be right, and stores nothing of it", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const dataDir = join(root, "data")
      const lines = readFileSync(fullDay.path, "utf8").trimEnd().split("\n")
      const write = (name: string, text: ReadonlyArray<string>): string => {
        writeFileSync(join(root, name), text.join("\n"))
        return join(root, name)
      }
      const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [[join(root, "absent.csv")], /no file matches .*absent\.csv/],
        [[root], /is a folder, and its files are .*\*\.csv/],
        [[write("bare.csv", lines.slice(1))], /its first line is numbers/],
        [[write("bad.csv", [...lines.slice(0, 99), `${lines[99]}.0.0`])], /bad\.csv, row 99: volume is no number/],
        [[write("one.csv", lines.slice(0, 2))], /how long its bars are can't be told.*--interval/]
      ]
      for (const [args, expected] of wrong) {
        const { code, err, out } = yield* run("import", ...args, "--data-dir", dataDir)
        assert.deepStrictEqual([code, out], [4, ""], err)
        assert.match(err, expected)
        assert.notMatch(err, /^\s+at .+:\d+:\d+\)?$/m)
      }
    })
  )
})
