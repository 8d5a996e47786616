/** Do the schema of a series and the wish for a row in each bar hold from the exchange to the reader? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ReadOptions } from "../../client/requestBody.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"

const file = BarFile.barFiles.quiet
const record = BarFile.read(file)
const minuteMs = 60_000

/** The first covered stretch of the file that is a day long, and what is known of it. */
const day: Range = [record.covered[0]![0], record.covered[0]![0] + 1440 * minuteMs]
const rowsOfDay = record.frame.eventTimeMs.filter((timeMs) => timeMs < day[1]).length

const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 30_000 } }

const start = (settings: Partial<Cluster.ClusterSettings> = {}) =>
  Effect.map(Cluster.start({ files: [file], ...settings }), ({ client }) => ({
    read: (options: ReadOptions) => Cluster.readFile(client, file, day, options)
  }))

describe("fill", () => {
  it.live("gives each bar without trades a row with the last price, and stores none of them", () =>
    Effect.gen(function* () {
      const { read } = yield* start()
      const stored = yield* read(patient)
      const filled = yield* read({ strategy: "fail_fast", fill: "forward" })
      const again = yield* read({ strategy: "fail_fast" })
      assert.isBelow(rowsOfDay, 1440)
      assert.strictEqual(stored.df.length, rowsOfDay)
      assert.deepStrictEqual(again.df.columns, stored.df.columns)
      assert.strictEqual(filled.df.length, 1440)
      assert.strictEqual(filled.meta.fingerprint, stored.meta.fingerprint)
      const { forwardFilledBars, ...quality } = filled.meta.qualitySummary
      assert.strictEqual(forwardFilledBars, 1440 - rowsOfDay)
      assert.deepStrictEqual(quality, stored.meta.qualitySummary)
      const isFilled = Array.from<unknown, boolean>(
        filled.df.columns["__flags"] ?? [],
        (flags) => flags === RowFlag.forwardFilled
      )
      assert.strictEqual(isFilled.filter(Boolean).length, 1440 - rowsOfDay)
      const { close, open, volume } = filled.df.columns
      for (const [row, isMade] of isFilled.entries()) {
        if (!isMade) continue
        assert.deepStrictEqual([open?.[row], close?.[row], volume?.[row]], [close?.[row - 1], close?.[row - 1], 0])
      }
    }).pipe(Effect.scoped)
  )
})

describe("schemas", () => {
  it.live("a series has the columns of its schema, under its names and in its order", () =>
    Effect.gen(function* () {
      const fields = [
        { name: "last", type: "float64", required: true, from: ["close"] },
        { name: "spread", type: "float64", required: false, experimental: true }
      ] as const
      const schemas = { lastPrice: { version: 3, fields, rules: { extraColumns: "drop" } } } as const
      const { read } = yield* start({ series: { schema: "lastPrice" }, rest: { schemas } })
      const { df } = yield* read(patient)
      const names = Object.keys(df.columns).filter((name) => !name.startsWith("__"))
      assert.deepStrictEqual(names, ["event_time", "last", "spread"])
      const close = record.frame.columns.find(({ name }) => name === "close")!.values
      assert.deepEqual(Array.from(Cluster.numbersOf(df, "last")), Array.from(close.slice(0, rowsOfDay), Number))
    }).pipe(Effect.scoped)
  )

  it.live("rows that do not fit a schema are refused, and the reader is told which", () =>
    Effect.gen(function* () {
      const fields = [{ name: "volume", type: "int64", required: true }] as const
      const settings = { series: { schema: "whole" }, rest: { schemas: { whole: { fields } } }, retry: { attempts: 1 } }
      const { read } = yield* start(settings)
      const { df, meta } = yield* read(patient)
      assert.strictEqual(df.length, 0)
      const [missing] = meta.missingRanges
      assert.strictEqual(missing?.state, "quarantined")
      assert.match(
        missing?.reason ?? "",
        /^binance: volume, row \d+: .+ is no whole number of 63 bits \(in the row of .+Z\)$/
      )
    }).pipe(Effect.scoped)
  )
})
