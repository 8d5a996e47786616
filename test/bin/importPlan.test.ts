/** Is what a file says and what a person says put together rightly? */
import { assert, describe, it } from "@effect/vitest"
import { Option, Result } from "effect"
import { describeFiles, type Described, intervalOf } from "../../actors/sources/describeFiles.ts"
import { asFlags } from "../../bin/asFlags.ts"
import { type ImportFlags, lakeOf, planImport, settingsOf, withImport } from "../../bin/importPlan.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import * as BarFile from "../support/BarFile.ts"
import { intervalOf as interval } from "../support/rows.ts"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"

const flags: ImportFlags = {
  file: "prices/My prices.v2.csv",
  node: Option.none(),
  interval: Option.none(),
  symbol: Option.none(),
  rows: Option.none(),
  columns: [],
  header: Option.none(),
  without: Option.none(),
  decimal: Option.none(),
  timeUnit: Option.none(),
  timeFormat: Option.none(),
  zone: Option.none(),
  stamped: Option.none(),
  whole: Option.none(),
  calendar: Option.none(),
  replace: false
}

const minuteMs = 60_000

const described: Described = {
  files: 1,
  rows: 3,
  kind: "bars",
  columns: [],
  leftOut: [],
  unit: "ms",
  span: [0, 2 * minuteMs],
  symbols: [],
  interval: interval("1m")
}

const planOf = (said: Partial<ImportFlags> = {}, found: Partial<Described> = {}) =>
  planImport({ ...flags, ...said }, { ...described, ...found })

const problemOf = (...given: Parameters<typeof planOf>): string => Result.getOrThrow(Result.flip(planOf(...given)))

describe("planImport()", () => {
  it("names the series after the file, and asks for all of its bars", () => {
    const { configuration, node, range } = Result.getOrThrow(planOf())
    assert.strictEqual(node, "ohlcv:My-prices-v2")
    assert.deepStrictEqual(range, [0, 3 * minuteMs])
    assert.deepStrictEqual(configuration.series, [
      { node, intervals: ["1m"], sources: ["ohlcv-My-prices-v2-1m"], symbol: "My-prices-v2" }
    ])
    assert.containSubset(configuration.sources["ohlcv-My-prices-v2-1m"], { kind: "lake", rows: "bars", interval: "1m" })
  })

  it("takes bars that are stamped with their end from their beginning", () => {
    const stamped = Option.some("close" as const)
    assert.deepStrictEqual(Result.getOrThrow(planOf({ stamped })).range, [-minuteMs, 2 * minuteMs])
    const ending = planOf({ stamped }, { span: [minuteMs - 1, 2 * minuteMs - 1] })
    assert.deepStrictEqual(Result.getOrThrow(ending).range, [0, 2 * minuteMs])
  })

  it("takes the only symbol there is, and asks which where there are several", () => {
    const symbolOf = (...given: Parameters<typeof planOf>) =>
      Result.getOrThrow(planOf(...given)).configuration.series[0].symbol
    assert.strictEqual(symbolOf({}, { symbols: ["SPY"] }), "SPY")
    assert.strictEqual(symbolOf({ symbol: Option.some("QQQ") }, { symbols: ["SPY", "QQQ"] }), "QQQ")
    assert.match(problemOf({}, { symbols: ["SPY", "QQQ"] }), /2 symbols: say by --symbol .* SPY, QQQ$/)
  })

  it("believes who says that bars are shorter than their distance, and not that they are longer", () => {
    const intervalSaid = (text: string) => ({ interval: Option.some(interval(text)) })
    assert.strictEqual(Result.getOrThrow(planOf(intervalSaid("1s"))).interval.text, "1s")
    assert.match(problemOf(intervalSaid("5m")), /its bars are 1m apart, not 5m/)
    assert.match(problemOf({}, { interval: undefined }), /say --interval/)
    assert.strictEqual(Result.getOrThrow(planOf({}, { kind: "trades", interval: undefined })).interval.text, "1m")
  })

  it("gives bars without volume a schema of prices alone, which stays as somebody has changed it since", () => {
    const without = Option.some("volume" as const)
    const plan = Result.getOrThrow(planOf({ without }))
    const { schemas, series, sources } = plan.configuration
    assert.deepStrictEqual(
      schemas?.["prices"]?.fields.map(({ name }) => name),
      ["open", "high", "low", "close"]
    )
    assert.containSubset(series, [{ schema: "prices" }])
    assert.containSubset(sources, { "ohlcv-My-prices-v2-1m": { without: ["volume"] } })
    const changed = { ...plan.configuration, schemas: { prices: { ...schemas!["prices"]!, version: 7 } } }
    const merged = Result.getOrThrow(
      withImport(changed, Result.getOrThrow(planOf({ without, node: Option.some("b") })))
    )
    assert.strictEqual(merged.schemas?.["prices"]?.version, 7)
    assert.lengthOf(merged.series, 2)
    const again = Result.getOrThrow(withImport(changed, Result.getOrThrow(planOf())))
    assert.deepStrictEqual(again, changed)
    // with volume, it has the usual columns again
    const replaced = Result.getOrThrow(withImport(changed, Result.getOrThrow(planOf({ replace: true }))))
    assert.notProperty(replaced.series[0], "schema")
    assert.notProperty(replaced.sources["ohlcv-My-prices-v2-1m"], "without")
  })

  it("keeps what the command line says of the files in their settings", () => {
    const said = lakeOf({
      ...flags,
      columns: [["close", "Last"]],
      header: Option.some(["a", "b"]),
      zone: Option.some("America/New_York"),
      timeFormat: Option.some("%Y"),
      timeUnit: Option.some("s"),
      rows: Option.some("trades")
    })
    assert.containSubset(said, { columns: { close: "Last" }, header: ["a", "b"], zone: "America/New_York" })
    assert.containSubset(said, { timeFormat: "%Y", timeUnit: "s", rows: "trades" })
  })
})

describe("withImport()", () => {
  const merge = (...given: Parameters<typeof withImport>) => Result.getOrThrow(withImport(...given))

  it("keeps what was imported before, but what was imported as the same series", () => {
    const first = Result.getOrThrow(planOf({ node: Option.some("a") }))
    const second = Result.getOrThrow(planOf({ node: Option.some("b") }))
    const both = merge(first.configuration, second)
    assert.deepStrictEqual(
      both.series.map(({ node }) => node),
      ["b", "a"]
    )
    assert.hasAllKeys(both.sources, ["a-1m", "b-1m"])
    const other = { node: Option.some("a"), file: "other.csv" }
    const refused = Result.getOrThrow(Result.flip(withImport(both, Result.getOrThrow(planOf(other)))))
    assert.match(
      refused,
      /^a 1m was imported from .*My prices\.v2\.csv: say --replace to have .*other\.csv in its place/
    )
    const again = merge(both, Result.getOrThrow(planOf({ ...other, replace: true })))
    assert.deepStrictEqual(
      again.series.map(({ node }) => node),
      ["a", "b"]
    )
    assert.containSubset(again.sources["a-1m"], { path: lakeOf({ ...flags, file: "other.csv" }).path })
  })
})

describe("what an import leaves as it was", () => {
  const merge = (...given: Parameters<typeof withImport>) => Result.getOrThrow(withImport(...given))

  const node = Option.some("a")
  const before = Result.getOrThrow(planOf({ node })).configuration
  const [series] = before.series
  const set = { maxEmptyBars: 7, zone: "Europe/Berlin", whole: false, columns: { close: "Last" } } as const
  const ours: LakeSettings = { ...(before.sources["a-1m"] as LakeSettings), ...set }
  const changed: Configuration = {
    sources: { "a-1m": ours, b: { kind: "lake", path: "b.csv" } },
    series: [
      { ...series, intervals: ["1m", "5m"], sources: ["a-1m", "b"], symbol: "BTC/USDT", calendar: "nyse-regular" }
    ]
  }

  /** The configuration after the same file was imported again, by a command that says so much. */
  const importedAgain = (said: Partial<ImportFlags> = {}) => {
    const asked = { ...flags, node, ...said }
    return merge(changed, Result.getOrThrow(planImport(asked, described, settingsOf(asked, changed))))
  }

  it("withImport() keeps what somebody has set of a series and of its source, but for what is said anew", () => {
    assert.deepStrictEqual(importedAgain(), changed)
    const said = { zone: Option.some("UTC"), symbol: Option.some("ETH"), calendar: Option.some("24x7") }
    assert.deepStrictEqual(importedAgain(said), {
      sources: { ...changed.sources, "a-1m": { ...ours, zone: "UTC" } },
      series: [{ ...changed.series[0], symbol: "ETH", calendar: "24x7" }]
    })
  })

  it("withImport() keeps nothing of how files were read that others take the place of", () => {
    const { series: now, sources } = importedAgain({ replace: true, file: "other.csv" })
    assert.deepStrictEqual(now, changed.series)
    const { path } = lakeOf({ ...flags, file: "other.csv" })
    const expected: LakeSettings = { kind: "lake", path, rows: "bars", interval: "1m", maxEmptyBars: 7 }
    assert.deepStrictEqual(sources, { ...changed.sources, "a-1m": expected })
  })

  it("settingsOf() has files read as they were when they were imported before, and as is said now", () => {
    const asked = { ...flags, node, zone: Option.some("UTC") }
    assert.deepStrictEqual(settingsOf(asked, changed), { ...ours, zone: "UTC" })
    const others = [
      settingsOf(asked, undefined),
      settingsOf({ ...asked, replace: true }, changed),
      settingsOf({ ...asked, node: Option.some("c") }, changed)
    ]
    for (const settings of others) assert.deepStrictEqual(settings, lakeOf(asked))
    assert.notProperty(settingsOf({ ...asked, file: "other.csv" }, changed), "columns")
  })

  it("withImport() gives series whose names differ by their signs sources of their own", () => {
    const [first, second] = ["x/y", "x-y"].map((node) => Result.getOrThrow(planOf({ node: Option.some(node) })))
    const both = merge(first!.configuration, second!)
    assert.hasAllKeys(both.sources, ["x-y-1m", "x-y-1m-2"])
    assert.deepStrictEqual(both.series[0].sources, ["x-y-1m-2"])
  })

  it("planImport() asks for the bars of trades that are there whole, and tells how to have those at the edges", () => {
    const found = { kind: "trades", interval: undefined, span: [30_000, 270_000] } as const
    const rangeOf = (said: Partial<ImportFlags>) => Result.getOrThrow(planOf(said, found)).range
    assert.deepStrictEqual(rangeOf({}), [minuteMs, 4 * minuteMs])
    assert.deepStrictEqual(rangeOf({ whole: Option.some("days") }), [0, 5 * minuteMs])
    assert.match(problemOf({ interval: Option.some(interval("1h")) }, found), /no bar of 1h .* say --whole days/)
  })

  it("lakeOf() takes time for the time, and asFlags() settings for flags", () => {
    assert.deepStrictEqual(lakeOf({ ...flags, columns: [["time", "When"]] }).columns, { eventTime: "When" })
    const problem = 'could be days or seconds: say timeUnit: s, or timeFormat: "%Y%m%d" for days'
    assert.strictEqual(
      asFlags(problem),
      'could be days or seconds: say --time-unit s, or --time-format "%Y%m%d" for days'
    )
    assert.strictEqual(asFlags("name it under columns as close"), "say --column close=ITS_NAME")
    assert.strictEqual(asFlags("or say without: [volume] where"), "or say --without volume where")
    assert.strictEqual(asFlags('say decimal: "," where'), "say --decimal , where")
    assert.strictEqual(
      asFlags("nor Parquet: say which by format"),
      "nor Parquet: rename it, so that it ends with .csv or .parquet"
    )
  })
})

describe("intervalOf()", () => {
  const dayMs = 86_400_000
  it.each([
    [[0, 1, 2, 5], minuteMs, "1m"],
    [[0, 60, 120], minuteMs, "1h"],
    [[0, 1, 4, 5], dayMs, "1d"],
    [[4, 11, 18], dayMs, "1w"],
    // months, of which the shortest is no divisor; and steps that are multiples of none that there is
    [[0, 31, 59, 90], dayMs, undefined],
    [[0, 2, 5], minuteMs, undefined],
    [[0, 1, 2], 100, undefined],
    [[7], minuteMs, undefined]
  ])("times %j of %i ms are bars of %s", (times, unitMs, expected) => {
    assert.strictEqual(intervalOf(times.map((time) => time * unitMs))?.text, expected)
  })
})

describe("describeFiles()", () => {
  it.live("tells bars from trades, their columns, how their times are written and how long they are", () =>
    Effect.gen(function* () {
      const { fiveMinutes } = BarFile.barFiles
      const bars = yield* describeFiles({ kind: "lake", path: fiveMinutes.path })
      assert.containSubset(bars, { files: 1, rows: 706, kind: "bars", unit: "ms", symbols: [] })
      assert.strictEqual(bars.interval?.text, "5m")
      assert.deepStrictEqual(bars.columns[0], ["time", "ts"])
      const path = fileURLToPath(new URL("../../examples/data/binance-xrpeth-trades-20191011.csv", import.meta.url))
      const trades = yield* describeFiles({ kind: "lake", path })
      assert.containSubset(trades, { kind: "trades", rows: 12_477 })
      assert.isUndefined(trades.interval)
    })
  )
})
