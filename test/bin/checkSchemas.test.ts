/** Does a configuration hear what is wrong with its schemas, before a single row has come? */
import { Result } from "effect"
import { assert, describe, expect, it } from "vitest"
import { checkSchemas } from "../../bin/checkSchemas.ts"
import { parse } from "../../bin/configuration.ts"

const fileWith = (schema: string, series = "schema: bars"): string => `
sources:
  binance: { kind: exchange, exchange: binance }
series:
  - { node: a, intervals: [1m], sources: [binance], symbol: A, ${series} }
schemas:
  bars: ${schema}
`

const mistakes = (text: string): ReadonlyArray<string> =>
  Result.match(parse(text), {
    onSuccess: () => [],
    onFailure: (all) => all.map(({ path, problem }) => `${path}: ${problem}`)
  })

const close = "{ name: close, type: float64, required: true }"

const good = `{ version: 2, fields: [${close},
    { name: halted, type: bool, required: false, spellings: { true: [H], false: ["-"] } },
    { name: trades, type: int64, required: false, from: [n], missing: [-1, "N/A"], default: 0, rollUp: count }],
    rules: { time: { zone: America/New_York, unit: auto, ambiguous: later }, lateness: { bars: 5, beyond: drop },
      conflict: version, versionColumn: trades, rollUp: bars, sources: { binance: { time: { stamped: close } } } } }`

describe("checkSchemas() of files without volume", () => {
  const sources = { files: { kind: "lake", path: "a.csv", without: ["volume"] } }
  const series = { node: "a", intervals: ["1m"], sources: ["files"], symbol: "A" }
  const volume = (required: boolean) => ({ fields: [{ name: "volume", type: "float64", required }] })

  it("checkSchemas() tells a series that demands one, and takes one that does not", () => {
    const problem = "demands a volume, and files has none: say a schema in which it is not required"
    const mistake = [{ path: "series[0].schema", problem }]
    assert.deepStrictEqual(checkSchemas({ sources, series: [series] }), mistake)
    const of = (required: boolean) =>
      checkSchemas({ sources, series: [{ ...series, schema: "own" }], schemas: { own: volume(required) } })
    assert.deepStrictEqual([of(true), of(false)], [mistake, []])
  })
})

describe("checkSchemas()", () => {
  it("checkSchemas() is content with a schema that can be used", () => {
    assert.deepStrictEqual(mistakes(fileWith(good)), [])
  })

  it.each([
    [
      "a schema that nobody declared",
      fileWith(`{ fields: [${close}] }`, "schema: trades"),
      'series[0].schema: "trades" is no schema; declared under schemas: bars'
    ],
    [
      "a column that stands twice",
      fileWith(`{ fields: [${close}, { name: last, type: float64, required: false, from: [close] }] }`),
      'schemas.bars.fields[1]: "close" stands at schemas.bars.fields[0] already'
    ],
    [
      "a column of time",
      fileWith("{ fields: [{ name: event_time, type: timestamp, required: true }] }"),
      "schemas.bars.fields[0]: event_time is a column of time or lineage"
    ],
    [
      "a default that is of another type",
      fileWith("{ fields: [{ name: n, type: int64, required: false, default: 0.5 }] }"),
      "schemas.bars.fields[0].default: 0.5 can't stand in a column of type int64"
    ],
    [
      "a default that is spelt in a way that is not known",
      fileWith("{ fields: [{ name: n, type: bool, required: false, default: maybe }] }"),
      `schemas.bars.fields[0].default: "maybe" can't stand in a column of type bool`
    ],
    [
      "spellings of numbers",
      fileWith("{ fields: [{ name: n, type: int64, required: false, spellings: { '1': [one] } }] }"),
      "schemas.bars.fields[0].spellings: is for columns of type bool or category"
    ],
    [
      "a unit of numbers",
      fileWith("{ fields: [{ name: n, type: int64, required: false, unit: s }] }"),
      "schemas.bars.fields[0].unit: is for columns of type timestamp"
    ],
    [
      "an experiment that is required",
      fileWith("{ fields: [{ name: n, type: int64, required: true, experimental: true }] }"),
      "schemas.bars.fields[0].experimental: is for columns that are not required"
    ],
    [
      "a promised column that is dropped",
      fileWith(`{ fields: [${close}], rules: { drop: [close] } }`),
      "schemas.bars.rules.drop[0]: close is a column of the schema"
    ],
    [
      "versions without a column of them",
      fileWith(`{ fields: [${close}], rules: { conflict: version } }`),
      "schemas.bars.rules.conflict: version is no column of the schema; there is close"
    ],
    [
      "trades that are stamped with their end",
      fileWith(`{ fields: [${close}], rules: { rollUp: trades, time: { stamped: close } } }`),
      "schemas.bars.rules.time.stamped: is for bars: a trade has no end"
    ],
    [
      "rules of an unknown source",
      fileWith(`{ fields: [${close}], rules: { sources: { bybit: { rollUp: bars } } } }`),
      "schemas.bars.rules.sources.bybit: is no source; declared under sources: binance"
    ],
    [
      "a required column that can't be rolled up",
      fileWith("{ fields: [{ name: mood, type: float64, required: true }], rules: { rollUp: trades } }"),
      "schemas.bars: mood is required, and nothing says what trades have of it: name its rollUp"
    ],
    [
      "one that can't be for one source",
      fileWith(
        "{ fields: [{ name: m, type: bool, required: true }], rules: { sources: { binance: { rollUp: bars } } } }"
      ),
      "schemas.bars.rules.sources.binance: m is required, and nothing says what a longer bar has of it: name its rollUp"
    ],
    [
      "a zone that is none",
      fileWith(`{ fields: [${close}], rules: { time: { zone: Mars/Olympus } } }`),
      "schemas.bars.rules.time.zone: is a time zone by its IANA name: America/New_York"
    ],
    [
      "an unknown rule",
      fileWith(`{ fields: [${close}], rules: { times: {} } }`),
      "schemas.bars.rules.times: is no setting; known here: time, order, rollUp, tradeColumns, drop, " +
        "extraColumns, onLoss, lateness, conflict, versionColumn, quality, sources"
    ],
    [
      "a quality rule on a column that is not there",
      fileWith(`{ fields: [${close}], rules: { quality: [{ rule: jump }, { rule: negativeVolume }] } }`),
      "schemas.bars.rules.quality[1]: looks at volume, which the schema does not have; it has: close"
    ],
    [
      "a parameter that a quality rule does not have",
      fileWith(`{ fields: [${close}], rules: { quality: [{ rule: jump, limit: 3 }] } }`),
      "schemas.bars.rules.quality[0].limit: is no setting; known here: rule, name, severity, column, share, maxGapBars"
    ],
    [
      "a quality rule of an unknown kind",
      fileWith(`{ fields: [${close}], rules: { quality: [{ rule: spike }] } }`),
      "schemas.bars.rules.quality[0]: is a rule with its kind: { rule: jump }; the kinds are negativeVolume, " +
        "ohlcOrder, nonFinite, zeroPrice, jump, zScore, reversal, timeBackwards, staleRepeat, barCount"
    ],
    [
      "versions that have no order",
      fileWith(
        `{ fields: [${close}, { name: version, type: category, required: false }], rules: { conflict: version } }`
      ),
      "schemas.bars.rules.conflict: version is category: versions are of type int64, float64, timestamp"
    ],
    [
      "a column that longer bars would be without",
      fileWith(
        `{ fields: [${close}, { name: mood, type: category, required: true }, { name: n, type: int64, required: false }] }`,
        "schema: bars }\n  - { node: a, intervals: [5m], derivedFrom: 1m }\n  - { node: a, intervals: [1h], derivedFrom: 5m"
      ),
      "series[1].derivedFrom: mood is required, and nothing says what a longer bar has of it: name its rollUp in " +
        "schemas.bars; series[2].derivedFrom: mood is required, and nothing says what a longer bar has of it: name its " +
        "rollUp in schemas.bars"
    ]
  ])("checkSchemas() tells of %s", (_what, text, expected) => {
    assert.strictEqual(mistakes(text).join("; "), expected)
  })
})

describe("checkSchemas() of rules that files have no use for", () => {
  const fields = [{ name: "close", type: "float64", required: true }]
  const sources = {
    files: { kind: "lake", path: "a.csv" },
    feed: { kind: "exchange", exchange: "binance" },
    ticks: { kind: "exchange", exchange: "binance", rows: "trades" }
  }
  const foundIn = (rules: object, asked: ReadonlyArray<string>) =>
    checkSchemas({
      sources,
      schemas: { bars: { fields, rules } },
      series: [
        { node: "a", intervals: ["1m"], sources: asked, symbol: "A", schema: "bars" },
        { node: "b", intervals: ["1m"], sources: asked, symbol: "B", schema: "bars" }
      ]
    })

  it("refuses them once, with what to say of the source instead", () => {
    const found = foundIn({ time: { stamped: "close" } }, ["feed", "files"])
    expect(found.map(({ path }) => path)).toEqual(["schemas.bars.rules.time"])
    expect(found[0]?.problem).toMatch(
      /^is not for files, and series\[0\] has files, which is a lake: say it of the source/
    )
    expect(foundIn({ sources: { files: { order: "newestFirst" } } }, ["files"]).map(({ path }) => path)).toEqual([
      "schemas.bars.rules.sources.files.order"
    ])
  })

  it("refuses them for trades of an exchange, of which bars come", () => {
    expect(foundIn({ rollUp: "trades" }, ["ticks"])).toEqual([
      {
        path: "schemas.bars.rules.rollUp",
        problem:
          "is not for trades of an exchange, and series[0] has ticks, which is asked for trades: " +
          "bars come of them as they are; what is of other sources stands under rules.sources"
      }
    ])
    const own = foundIn({ sources: { ticks: { time: { stamped: "close" } } } }, ["ticks", "feed"])
    expect(own.map(({ path }) => path)).toEqual(["schemas.bars.rules.sources.ticks.time"])
  })

  it("leaves them to other sources", () => {
    expect(foundIn({ sources: { feed: { time: { stamped: "close" } } } }, ["feed", "files"])).toEqual([])
    expect(foundIn({ time: { stamped: "close" } }, ["feed"])).toEqual([])
  })
})
