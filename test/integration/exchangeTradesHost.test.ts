/** Does a host that asks an exchange for trades answer with that exchange's own bars, and know when nothing was traded? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { FaultName } from "../../examples/exchange/Faults.ts"
import type { HistoryResult } from "../../client/HistoryResult.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { readTrades } from "../support/csv.ts"

const file = BarFile.barFiles.rolledUp
const record = BarFile.read(file)
const path = fileURLToPath(new URL("../../examples/data/binance-xrpeth-trades-20191011.csv", import.meta.url))
const trades = { [file.pair]: path }

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 60_000 } } as const

/** A host that makes bars of trades, at an exchange that goes wrong as it is told. */
const start = (exchange: Cluster.ClusterSettings["exchange"], settings: Partial<Cluster.ClusterSettings> = {}) =>
  Cluster.start({
    files: [file],
    exchange: { trades, ...exchange },
    ...settings,
    source: { rows: "trades", ...settings.source }
  })

const assertBars = ({ df }: HistoryResult): void => {
  assert.deepStrictEqual(Cluster.numbersOf(df, "event_time"), record.frame.eventTimeMs)
  for (const { name, values } of record.frame.columns) {
    assert.deepStrictEqual(Array.from(Cluster.numbersOf(df, name)), Array.from(values, Number), name)
  }
}

const pathsOf = (requests: ReadonlyArray<{ readonly path: string }>): ReadonlyArray<string> =>
  Array.from(new Set(requests.map((request) => request.path))).toSorted()

describe("a host that asks an exchange for trades", () => {
  it.live("answers with the exchange's own bars, and with what else a schema asks for", () =>
    Effect.gen(function* () {
      const prices = ["open", "high", "low", "close", "volume"]
      const fields = [
        { name: "vwap", type: "float64", required: true },
        { name: "trades", type: "int64", required: true, rollUp: "count" },
        ...prices.map((name) => ({ name, type: "float64", required: true }) as const)
      ] as const
      const { client, requests } = yield* start(
        {},
        { series: { schema: "traded" }, rest: { schemas: { traded: { fields } } } }
      )
      const result = yield* Cluster.readFile(client, file, record.range, { ...patient, strict: true })
      assertBars(result)
      assert.deepStrictEqual(result.meta.missingRanges, [])
      assert.deepStrictEqual(pathsOf(requests()), ["/api/v3/aggTrades", "/api/v3/exchangeInfo"])
      const rolledUp = RowFlag.rolledUp | RowFlag.backfilled
      for (const flags of Cluster.numbersOf(result.df, "__flags")) assert.strictEqual(flags & rolledUp, rolledUp)
      const { eventTimeMs } = readTrades(path)
      const counts = Map.groupBy(eventTimeMs, (time) => Math.floor(time / minuteMs))
      assert.deepStrictEqual(
        result.df.columns["trades"],
        Array.from(counts.values(), ({ length }) => BigInt(length))
      )
      const [low, high, vwap] = ["low", "high", "vwap"].map((name) => Cluster.numbersOf(result.df, name))
      for (const [row, average] of vwap!.entries()) {
        assert.isAtLeast(average, low![row]!)
        assert.isAtMost(average, high![row]!)
      }
    })
  )

  it.live("knows hours without a trade to be empty, where bars alone would not prove it", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "quiet-trades-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const quiet: Range = [record.range[0] + 10 * hourMs, record.range[0] + 16 * hourMs]
      const [header = "", ...rows] = readFileSync(path, "utf8").trimEnd().split("\n")
      const isHeard = (row: string): boolean =>
        Number.parseInt(row, 10) < quiet[0] || Number.parseInt(row, 10) >= quiet[1]
      const quietFile = join(folder, "trades.csv")
      writeFileSync(quietFile, [header, ...rows.filter(isHeard)].join("\n"))
      const { client, requests } = yield* start({ trades: { [file.pair]: quietFile } })
      const inside: Range = [quiet[0] + hourMs, quiet[1] - hourMs]
      const alone = yield* Cluster.readFile(client, file, inside, { ...patient, strict: true })
      assert.strictEqual(alone.df.length, 0)
      assert.deepStrictEqual(alone.meta.missingRanges, [])
      const whole = yield* Cluster.readFile(client, file, record.range, { ...patient, strict: true })
      assert.deepStrictEqual(whole.meta.missingRanges, [])
      assert.deepStrictEqual(
        Cluster.numbersOf(whole.df, "event_time"),
        record.frame.eventTimeMs.filter((time) => time < quiet[0] || time >= quiet[1])
      )
      const asked = requests().length
      yield* Cluster.readFile(client, file, inside, patient)
      assert.lengthOf(requests(), asked)
    })
  )

  const faults: ReadonlyArray<readonly [FaultName, number]> = [
    ["429", 1],
    ["500", 2],
    ["truncate", 3],
    ["truncate", 4],
    ["hang", 5]
  ]

  for (const [fault, seed] of faults) {
    it.live(`has every bar of a day on which a fifth of the requests end with ${fault} (seed ${seed})`, () =>
      Effect.gen(function* () {
        const { client, requests } = yield* start(
          { faults: { [fault]: 0.2 }, seed },
          { source: { requestTimeoutMs: 500, barsPerRequest: 300 } }
        )
        const result = yield* Cluster.readFile(client, file, record.range, patient)
        assert.isAbove(requests().filter((request) => request.fault === fault).length, 0)
        assert.deepStrictEqual(result.meta.missingRanges, [])
        assertBars(result)
      })
    )
  }
})
