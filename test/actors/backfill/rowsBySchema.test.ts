/** Is a page conformed by the schema and the rules of its series, and is what they leave out not taken for empty? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { Step } from "../../../actors/backfill/AutoBackfiller.ts"
import { pagedBackfiller } from "../../../actors/backfill/pagedBackfiller.ts"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { SchemaSettings } from "../../../protocol/SchemaSettings.ts"
import { flatBars } from "../../support/rows.ts"

const minuteMs = 60_000

const [open, ...others] = ohlcv.fields
const bars: SchemaSettings["fields"] = [open!, ...others]

/** A source that has one page of rows, and nothing behind it. */
const sourceOf = (rows: RawRows): DataSource => ({
  name: "files",
  kind: "BACKFILL",
  capabilities: { barsPerRequest: 100, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 },
  page: ({ start }) => Effect.succeed(start === 0 ? rows : flatBars([]))
})

/** What a refill of the first minutes brings under a schema. */
const refilled = Effect.fnUntraced(function* (
  rows: RawRows,
  settings: SchemaSettings,
  minutes: number,
  source = sourceOf(rows)
) {
  const { find } = SeriesCatalog.make({
    sources: {},
    schemas: { mine: settings },
    series: [{ node: "a", intervals: ["1m"], sources: ["files"], symbol: "A", schema: "mine" }]
  })
  const entry = yield* find("a", "1m")
  const known = { covered: RangeSet.empty, shut: RangeSet.empty, finalUntil: Infinity }
  const steps: Array<Step> = []
  const refill = pagedBackfiller(source).refill(
    {
      entry,
      stretch: [0, minutes * minuteMs],
      known: Effect.succeed(known),
      gate: { enter: Effect.succeed({ end: () => Effect.void }) },
      work: { jobClass: "bulk", cause: "" },
      onRequest: () => undefined
    },
    (step) => Effect.sync(() => steps.push(step))
  )
  return { steps, ended: yield* Effect.result(refill) }
})

const provenBy = (steps: ReadonlyArray<Step>) =>
  toPairs(steps.map(({ proven }) => proven).reduce(RangeSet.union, RangeSet.empty)).map((pair) =>
    pair.map((timeMs) => timeMs / minuteMs)
  )

const timesOf = (steps: ReadonlyArray<Step>) =>
  steps.flatMap(({ rows }) => Array.from(rows.eventTimeMs, (timeMs) => timeMs / minuteMs))

describe("pagedBackfiller()", () => {
  const late = flatBars([0, 1, 6, 2, 5, 7])

  it.effect("pagedBackfiller() proves nothing of bars whose rows were left out as late", () =>
    Effect.gen(function* () {
      const kept = yield* refilled(late, { fields: bars }, 8)
      assert.deepStrictEqual(timesOf(kept.steps), [0, 1, 2, 5, 6, 7])
      assert.deepStrictEqual(provenBy(kept.steps), [[0, 8]])
      const rules = { lateness: { beyond: "drop" } } as const
      const dropped = yield* refilled(late, { fields: bars, rules }, 8)
      assert.deepStrictEqual(timesOf(dropped.steps), [0, 1, 5, 6, 7])
      assert.deepStrictEqual(provenBy(dropped.steps), [
        [0, 2],
        [3, 8]
      ])
      const told = Findings.unionAll(dropped.steps.map(({ findings }) => findings ?? Findings.none))
      assert.deepStrictEqual(Findings.timeOfStep(told, "dropped"), RangeSet.of(2 * minuteMs, 3 * minuteMs))
      assert.deepStrictEqual(Findings.timeOfStep(told, "movedToBar"), RangeSet.empty)
    })
  )

  it.effect("pagedBackfiller() makes bars of a source's trades where the rules say so", () =>
    Effect.gen(function* () {
      const trades: RawRows = {
        eventTime: ["1970-01-01T00:00:10", "1970-01-01T00:00:05", "1970-01-01T00:02:00"],
        columns: [
          { name: "px", values: ["7", "5", "6"] },
          { name: "qty", values: ["0.1", "0.2", "0.3"] }
        ]
      }
      const rules = { rollUp: "trades", tradeColumns: { price: "px", amount: "qty" } } as const
      const fields: SchemaSettings["fields"] = [...bars, { name: "vwap", type: "float64", required: false }]
      const { steps } = yield* refilled(trades, { fields, rules }, 3)
      assert.deepStrictEqual(timesOf(steps), [0, 2])
      assert.deepStrictEqual(provenBy(steps), [[0, 3]])
      const { columns, flags } = steps[0]!.rows
      const values = columns.map((column) => Array.from<number | bigint>(column.values))
      assert.deepStrictEqual(values, [
        [5, 6],
        [7, 6],
        [5, 6],
        [7, 6],
        [0.3, 0.3],
        [1.7 / 0.3, 6]
      ])
      const all = RowFlag.backfilled | RowFlag.rolledUp
      assert.deepStrictEqual(Array.from(flags), [all | RowFlag.outOfOrder, all])
    })
  )

  it.effect("pagedBackfiller() tells its source by which column the rules decide between rows of one time", () =>
    Effect.gen(function* () {
      const rows: RawRows = {
        eventTime: [0, 0],
        columns: [
          { name: "close", values: [1, 2] },
          { name: "rev", values: [2, 1] }
        ]
      }
      const asked: Array<string | undefined> = []
      const source = sourceOf(rows)
      const told: DataSource = {
        ...source,
        page: (request) => Effect.tap(source.page(request), () => Effect.sync(() => asked.push(request.decidedBy)))
      }
      const fields: SchemaSettings["fields"] = [
        { name: "close", type: "float64", required: true },
        { name: "rev", type: "int64", required: false }
      ]
      const rules = { conflict: "version", versionColumn: "rev" } as const
      const { steps } = yield* refilled(rows, { fields, rules }, 1, told)
      assert.deepStrictEqual(Array.from<number | bigint>(steps[0]!.rows.columns[0]!.values), [1])
      assert.strictEqual(asked[0], "rev")
      yield* refilled(rows, { fields }, 1, told)
      assert.isUndefined(asked.at(-1))
    })
  )

  it.effect("pagedBackfiller() refuses rows that do not fit, and says which", () =>
    Effect.gen(function* () {
      const { ended, steps } = yield* refilled(
        flatBars([0, 1], [1, 1.5]),
        { fields: [{ name: "close", type: "int64", required: true }] },
        2
      )
      assert.deepStrictEqual(steps, [])
      assert.containSubset(Result.getOrThrow(Result.flip(ended)), {
        _tag: "NoAnswer",
        tag: "RowsRejected",
        reason: "close, row 1: 1.5 is no whole number of 63 bits (in the row of 1970-01-01T00:01:00Z)"
      })
    })
  )
})
