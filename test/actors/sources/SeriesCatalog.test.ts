/** Is a series found by any spelling, with all that is configured of it? */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { type Configuration, defaults } from "../../../protocol/Settings.ts"
import type { ExchangeSettings } from "../../../protocol/SourceSettings.ts"
import { configuration } from "../../support/requests.ts"

const node = "ohlcv:binance:BTC/BUSD"

const find = (nodeId: string, interval: string) =>
  Effect.flatMap(SeriesCatalog.SeriesCatalog, (catalog) => catalog.find(nodeId, interval))

describe("find()", () => {
  layer(
    SeriesCatalog.layer({
      sources: {},
      schemas: {
        mine: { fields: [{ name: "last", type: "float64", required: true }], rules: { conflict: "ingestTime" } },
        second: { version: 2, fields: [{ name: "last", type: "int64", required: true }] }
      },
      series: [
        { node: "a", intervals: ["1m"], sources: ["s"], symbol: "A", schema: "mine" },
        { node: "b", intervals: ["1m"], sources: ["s"], symbol: "B", schema: "second" },
        { node: "c", intervals: ["1m"], sources: ["s"], symbol: "C" }
      ]
    })
  )("with schemas", (it) => {
    it.effect("find() gives the schema that is named, and its rules; prices and volume without one", () =>
      Effect.gen(function* () {
        const [a, b, c] = yield* Effect.forEach(["a", "b", "c"], (name) => find(name, "1m"))
        const fields = [{ name: "last", type: "float64", required: true }]
        assert.deepEqual<unknown>([a?.schema, a?.rules], [{ version: 1, fields }, { conflict: "ingestTime" }])
        assert.deepEqual([b?.schema.version, b?.rules], [2, {}])
        assert.deepEqual([c?.schema, c?.rules], [ohlcv, {}])
      })
    )
  })

  layer(SeriesCatalog.layer(configuration))("with one node", (it) => {
    it.effect("find() gives the series in canonical form, on its grid, with its sources", () =>
      Effect.gen(function* () {
        const { grid, series, sources, symbol } = yield* find(node, "60s")
        assert.deepEqual(series, { nodeId: node, interval: "1m" })
        assert.deepEqual(grid, { intervalMs: 60_000, anchorMs: 0, windowBars: 10 })
        assert.deepEqual([symbol, ...sources], ["BTC/BUSD", "binance", "kraken"])
      })
    )

    it.effect("find() takes a bar for final when the slowest source does", () =>
      Effect.gen(function* () {
        assert.equal((yield* find(node, "1m")).finalityDelayMs, 5000)
      })
    )

    it.effect("find() knows no bar that may change where nothing is configured", () =>
      Effect.gen(function* () {
        assert.deepEqual((yield* find(node, "1m")).settleMs, {})
      })
    )

    it("find() gives how long bars of each source may change, for the interval or for all", () => {
      const { binance, kraken } = configuration.sources as Record<string, ExchangeSettings>
      const sources = {
        binance: { ...binance!, settleMs: 5000, settleMsByInterval: { "60s": 7000 } },
        kraken: { ...kraken!, settleMs: 3000, settleMsByInterval: { "1m": 0 } }
      }
      const settleMsOf = (interval: string) =>
        Effect.runSync(SeriesCatalog.make({ ...configuration, sources }).find(node, interval)).settleMs
      assert.deepEqual(settleMsOf("1m"), { binance: 7000 })
      assert.deepEqual(settleMsOf("1w"), { binance: 5000, kraken: 3000 })
    })

    it.effect("find() knows no listing and no retention where none is configured, and the waits of the defaults", () =>
      Effect.gen(function* () {
        const { absence, delistedAt, listedAt, retentionMs } = yield* find(node, "1m")
        assert.deepEqual([listedAt, delistedAt, retentionMs], [null, null, null])
        assert.deepEqual(absence, { baseMs: defaults.absenceBaseMs, maxMs: defaults.absenceMaxMs })
      })
    )

    it.effect("find() tells days and weeks apart, since their grids differ", () =>
      Effect.gen(function* () {
        assert.equal((yield* find(node, "1w")).grid.anchorMs, 4 * 24 * 3_600_000)
        assert.equal((yield* Effect.flip(find(node, "7d")))._tag, "UnknownSeries")
      })
    )

    it.effect("find() of what is not kept names the intervals of the node, or else the nodes", () =>
      Effect.gen(function* () {
        assert.deepEqual((yield* Effect.flip(find(node, "5m"))).known, ["1m", "1w"])
        assert.deepEqual((yield* Effect.flip(find("other", "1m"))).known, [node])
        assert.equal((yield* Effect.flip(find(node, "no interval"))).interval, "no interval")
      })
    )
  })
})

describe("series that are derived", () => {
  const [first] = configuration.series
  const given: Configuration = {
    ...configuration,
    sources: { binance: { kind: "exchange", exchange: "binance", retentionMs: 1000 } },
    series: [
      { node, intervals: ["4h", "1h"], derivedFrom: "300s", windowBars: 7 },
      { node, intervals: ["5m"], derivedFrom: "1m" },
      { ...first, intervals: ["1m"], sources: ["binance"], listedAt: 60_000 }
    ]
  }

  layer(SeriesCatalog.layer(given))("of one that is derived, too", (it) => {
    it.effect("find() gives them as what they are made of, but for grid, source and retention", () =>
      Effect.gen(function* () {
        const { series, ...minutes } = yield* find(node, "1m")
        assert.deepEqual([minutes.derivedFrom, minutes.retentionMs], [null, 1000])
        const { grid, interval, series: hours, ...hour } = yield* find(node, "1h")
        assert.deepEqual([hours, grid.windowBars], [{ ...series, interval: "1h" }, 7])
        const own = { derivedFrom: "5m", sources: ["derived:5m"], retentionMs: null, grid, interval }
        assert.deepEqual({ ...hour, grid, interval }, { ...minutes, ...own })
        assert.deepEqual((yield* find(node, "5m")).sources, ["derived:1m"])
      })
    )
  })
})
