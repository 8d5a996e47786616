/** Does a configuration file hear all that is wrong with it, and where? */
import { Effect, Result, SchemaAST } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { configurationHash, load, parse } from "../../bin/configuration.ts"
import { Configuration } from "../../protocol/Settings.ts"

const good = `
sources:
  binance: { kind: exchange, exchange: binance, baseUrl: "http://127.0.0.1:9000", maxEmptyBars: 60 }
series:
  - { node: "ohlcv:binance:BTC/BUSD", intervals: [1m, 5m], sources: [binance], symbol: BTC/BUSD }
`

const exchange = 'kind: exchange, exchange: binance, baseUrl: "http://127.0.0.1:9000", maxEmptyBars: 60'

const configuration = (text: string): Configuration =>
  Result.getOrThrowWith(parse(text), (all) => new Error(JSON.stringify(all)))

const mistakes = (text: string): ReadonlyArray<string> =>
  Result.match(parse(text), {
    onSuccess: () => [],
    onFailure: (all) => all.map(({ path, problem }) => `${path}: ${problem}`)
  })

/** The one mistake of a good configuration in which a piece was replaced. */
const mistakesWith = (piece: string, replacement: string): ReadonlyArray<string> => {
  assert.include(good, piece)
  return mistakes(good.replace(piece, replacement))
}

describe("parse", () => {
  it("parse() gives what a good file says", () => {
    assert.deepStrictEqual(configuration(good), {
      sources: {
        binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9000", maxEmptyBars: 60 }
      },
      series: [{ node: "ohlcv:binance:BTC/BUSD", intervals: ["1m", "5m"], sources: ["binance"], symbol: "BTC/BUSD" }]
    })
  })

  it.each([
    ["an interval that is none", "5m]", "7x]", /^series\[0\]\.intervals\[1\]: "7x" is no interval: .*such as 1m/],
    [
      "an undeclared source",
      "sources: [binance]",
      "sources: [bybit]",
      /^series\[0\]\.sources\[0\]: "bybit".*: binance$/
    ],
    [
      "a series given twice",
      "5m]",
      "60s]",
      /^series\[0\]\.intervals\[1\]: .*BUSD 1m, which series\[0\]\.intervals\[0\]/
    ],
    ["an unknown key", "maxEmptyBars", "maxEmpty", /^sources\.binance\.maxEmpty: is no setting; known here: kind, /],
    [
      "a wrong kind",
      "kind: exchange",
      "kind: sea",
      /^sources\.binance\.kind: Expected "exchange" \| "lake", got "sea"$/
    ],
    [
      "a kind of rows that there is not",
      exchange,
      "kind: lake, path: a.csv, rows: candles",
      /^sources\.binance\.rows: Expected "bars" \| "trades", got "candles"$/
    ],
    [
      "a zone that there is not",
      exchange,
      "kind: lake, path: a.csv, zone: Mars/Olympus",
      /^sources\.binance\.zone: "Mars\/Olympus" is no zone: /
    ],
    [
      "paths of which some have the symbol",
      exchange,
      'kind: lake, path: ["{symbol}.csv", "all.csv"]',
      /^sources\.binance\.path: some have \{symbol\} in them and some have not: /
    ],
    [
      "a bucket of which nothing is said",
      exchange,
      'kind: lake, path: "s3://bars/a.csv"',
      /^sources\.binance\.s3: s3:\/\/bars\/a\.csv is in a bucket: say s3/
    ],
    [
      "a setting of another kind of source",
      exchange,
      "kind: lake, path: a.csv, baseUrl: here",
      /^sources\.binance\.baseUrl: is no setting; known here: kind, path, format, rows, header, /
    ],
    ["a number out of bounds", "60 }", "-1 }", /^sources\.binance\.maxEmptyBars: .*got -1$/],
    ["an absent field", ", symbol: BTC/BUSD", "", /^series\[0\]\.symbol: is missing$/],
    ["a number for a text", '"ohlcv:binance:BTC/BUSD"', "7", /^series\[0\]\.node: Expected string, got 7$/],
    ["no interval", "[1m, 5m]", "[]", /^series\[0\]\.intervals\[0\]: is missing$/],
    ["an address that is none", "http://127.0.0.1:9000", "127.0.0.1", /^sources\.binance\.baseUrl: .*http:/],
    ["a node id that is too long", "ohlcv:binance:BTC/BUSD", "é".repeat(129), /^series\[0\]\.node: has 258 bytes/],
    [
      "an account that nobody declared",
      "maxEmptyBars: 60 }",
      "account: main }",
      /^sources\.binance\.account: "main" is no account; declared under accounts: none$/
    ],
    [
      "an account that no source has",
      "\nseries:",
      "\naccounts: { binanse: { requestsPerMinute: 60 } }\nseries:",
      /^accounts\.binanse: is no source's account; those are binance$/
    ],
    [
      "an account without a limit",
      "\nseries:",
      "\naccounts: { binance: {} }\nseries:",
      /^accounts\.binance\.requestsPerMinute: is missing$/
    ],
    [
      "an unknown limit",
      "\nseries:",
      "\naccounts: { binance: { requestsPerMinute: 60, speed: 1 } }\nseries:",
      /^accounts\.binance\.speed: is no setting; known here: requestsPerMinute, weightPerMinute, concurrency, burst$/
    ],
    [
      "a burst of more than a minute has",
      "\nseries:",
      "\naccounts: { binance: { requestsPerMinute: 60, burst: 61 } }\nseries:",
      /^accounts\.binance\.burst: is more than a minute has, which is 60$/
    ],
    [
      "a request that weighs more than a minute has",
      "maxEmptyBars: 60 }",
      "requestWeight: 20 }\naccounts: { binance: { requestsPerMinute: 60, weightPerMinute: 10 } }",
      /^accounts\.binance\.weightPerMinute: is less than one request weighs, which is 20$/
    ],
    [
      "an exchange that nobody has",
      "exchange: binance,",
      "exchange: binanze,",
      /^sources\.binance\.exchange: "binanze" is no exchange in ccxt; there is binance, /
    ],
    [
      "a source that a series names twice",
      "sources: [binance]",
      "sources: [binance, binance]",
      /^series\[0\]\.sources\[1\]: "binance" stands at series\[0\]\.sources\[0\] already$/
    ],
    [
      "absences that are left alone longer at first than at most",
      "\nseries:",
      "\nabsence: { baseMs: 900, maxMs: 8 }\nseries:",
      /^absence\.baseMs: the first wait is 900, and the longest, absence\.maxMs, 8: /
    ],
    [
      "a first wait that is longer than the longest is by default",
      "\nseries:",
      "\nretry: { baseMs: 300001 }\nseries:",
      /^retry\.baseMs: the first wait is 300001, and the longest, the default of retry\.maxMs, 300000: /
    ],
    [
      "an interval that is none, for which bars settle otherwise",
      "maxEmptyBars: 60 }",
      "settleMs: 5, settleMsByInterval: { 1m: 7, 1min: 8 } }",
      /^sources\.binance\.settleMsByInterval\.1min: /
    ],
    [
      "a name that a host uses",
      "binance: {",
      "cache: { kind: exchange, exchange: okx }\n  binance: {",
      /^sources\.cache: /
    ],
    [
      "a source of the name of a series",
      "binance: {",
      '"derived:1m": { kind: exchange, exchange: okx }\n  binance: {',
      /^sources\.derived:1m: names that begin with derived: are those of series/
    ],
    [
      "a series that is derived and has a source",
      ", symbol: BTC/BUSD }",
      ', symbol: BTC/BUSD }\n  - { node: "ohlcv:binance:BTC/BUSD", intervals: [1h], derivedFrom: 1m, sources: [binance] }',
      /^series\[1\]\.sources: is not for a series that is derived/
    ],
    ...[
      ["1h", "7x", /^series\[1\]\.derivedFrom: "7x" is no interval: /],
      ["1h", "3m", /^series\[1\]\.derivedFrom: no series of ohlcv:.* is kept at 3m; there is 1m, 5m, 1h$/],
      ["90s", "1m", /^series\[1\]\.intervals\[0\]: 90s is no whole number of 1m$/],
      ["30s", "1m", /^series\[1\]\.intervals\[0\]: 30s is no longer than 1m: name a finer interval$/],
      ["1h", "1h", /^series\[1\]\.intervals\[0\]: 1h can't be made of itself: name a finer interval$/]
    ].map(([interval, from, expected]): [string, string, string, RegExp] => [
      `${String(interval)} derived from ${String(from)}`,
      ", symbol: BTC/BUSD }",
      `, symbol: BTC/BUSD }\n  - { node: "ohlcv:binance:BTC/BUSD", intervals: [${String(interval)}], derivedFrom: ${String(from)} }`,
      new RegExp(expected!)
    ])
  ])("parse() refuses %s, with its path", (_, piece, replacement, expected) => {
    const found = mistakesWith(piece, replacement)
    assert.lengthOf(found, 1)
    assert.match(found[0]!, expected)
  })

  it("parse() reads the times of a listing as the command line does, and knows them as epoch milliseconds", () => {
    const listed = (times: string) => configuration(good.replace("symbol: BTC/BUSD", `symbol: BTC/BUSD, ${times}`))
    const times = { listedAt: Date.UTC(2019, 8, 23), delistedAt: Date.UTC(2023, 11, 15, 2, 30) }
    const [series] = listed("listedAt: 2019-09-23, delistedAt: 2023-12-15T02:30Z").series
    assert.containSubset(series, times)
    const same = listed(`delistedAt: ${times.delistedAt}, listedAt: ${times.listedAt}`)
    assert.deepStrictEqual(same.series[0], series)
    assert.strictEqual(
      configurationHash(same),
      configurationHash(listed("listedAt: 2019-09-23, delistedAt: 2023-12-15T03:30+01:00"))
    )
  })

  it.each([
    ["a listing that is no time", "listedAt: soon", /^series\[0\]\.listedAt: "soon" is no time: ISO 8601 such as/],
    ["a day that no calendar has", "delistedAt: 2023-02-30", /^series\[0\]\.delistedAt: "2023-02-30" is no time/],
    ["a day without dashes", "listedAt: 20190920", /^series\[0\]\.listedAt: .*did you mean 2019-09-20\?$/],
    ["seconds", "listedAt: 1568937600", /^series\[0\]\.listedAt: .*did you mean 2019-09-20T00:00:00Z\?$/],
    ["half a millisecond", "listedAt: 1.5", /^series\[0\]\.listedAt: .*got 1\.5$/],
    ["neither text nor number", "listedAt: [2019]", /^series\[0\]\.listedAt: .*got \[2019\]$/],
    [
      "an end before the start",
      "listedAt: 2023-01-01, delistedAt: 2019-01-01",
      /^series\[0\]\.delistedAt: is 2019-01-01T00:00:00Z, and has to be later than listedAt, .* 2023-01-01T00:00:00Z$/
    ]
  ])("parse() refuses %s", (_, times, expected) => {
    const found = mistakesWith("symbol: BTC/BUSD", `symbol: BTC/BUSD, ${times}`)
    assert.lengthOf(found, 1)
    assert.match(found[0]!, expected)
  })

  it("parse() takes how long absences are left alone, and knows no other setting of them", () => {
    const absence = { baseMs: 1000, maxMs: 60_000 }
    assert.deepStrictEqual(configuration(`${good}absence: { baseMs: 1000, maxMs: 60000 }`).absence, absence)
    assert.match(mistakes(`${good}absence: { base: 6 }`)[0] ?? "", /^absence\.base: .* known here: baseMs, maxMs$/)
    assert.lengthOf(mistakesWith("maxEmptyBars: 60", "retentionMs: 0"), 1)
    assert.deepStrictEqual(mistakesWith("maxEmptyBars: 60", "retentionMs: 1, joinGapsBars: 0"), [])
  })

  it("parse() takes how long superseded roots are kept, which is a day at the least", () => {
    const retention = { rootsMs: 86_400_000, sweepEveryMs: 60_000 }
    const text = `${good}retention: { rootsMs: 86400000, sweepEveryMs: 60000 }`
    assert.deepStrictEqual(configuration(text).retention, retention)
    for (const wrong of ["rootsMs: 86399999", "rootsMs: 0", "sweepEveryMs: 0", "rootsMs: .inf"]) {
      assert.match(mistakes(`${good}retention: { ${wrong} }`)[0] ?? "", /^retention\.(rootsMs|sweepEveryMs): /, wrong)
    }
  })

  it.each([
    ["limits", "maxBars, maxStreamBars, cacheBytes, requestsPerCaller"],
    ["requests", "read, ensure"],
    ["retry", "attempts, baseMs, maxMs"],
    ["absence", "baseMs, maxMs"],
    ["retention", "rootsMs, sweepEveryMs"],
    ["nats", "replicas"],
    ["telemetry", "otlpUrl"]
  ])("parse() names what %s may hold beside a key that it may not", (room, known) => {
    assert.deepStrictEqual(mistakes(`${good}${room}: { foo: 1 }`), [`${room}.foo: is no setting; known here: ${known}`])
  })

  it("parse() names all settings of a series, and of the whole file, beside a key that is none", () => {
    assert.match(mistakesWith("symbol: BTC/BUSD", "symbol: BTC/BUSD, foo: 1")[0]!, /known here: node, .*, windowBars$/)
    assert.match(mistakes(`${good}foo: 1`)[0]!, /^foo: .* known here: sources, series, .*, retry, /)
  })

  it("README names every setting, or a guide that it names", () => {
    const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")
    const readme = textOf("README.md")
    const told = readme.slice(readme.indexOf("## The configuration"), readme.indexOf("## NATS"))
    const guides = Array.from(told.matchAll(/\]\((docs\/guides\/[a-z]+\.md)\)/g), ([, path = ""]) => textOf(path))
    const part = [told, ...guides].join("\n")
    const namesIn = (ast: SchemaAST.AST): ReadonlyArray<string> => {
      if (SchemaAST.isArrays(ast)) return ast.rest.flatMap(namesIn)
      if (SchemaAST.isUnion(ast)) return ast.types.flatMap(namesIn)
      if (!SchemaAST.isObjects(ast)) return []
      const own = ast.propertySignatures.flatMap(({ name, type }) => [String(name), ...namesIn(type)])
      return [...own, ...ast.indexSignatures.flatMap(({ type }) => namesIn(type))]
    }
    const names = new Set(namesIn(Configuration.ast))
    assert.include(Array.from(names), "breakerFailures")
    assert.deepStrictEqual(
      Array.from(names).filter((name) => !new RegExp(`\\b${name}\\b`).test(part)),
      []
    )
  })

  it("parse() takes accounts, which sources name or are called by", () => {
    const accounts = { main: { requestsPerMinute: 60, burst: 2 }, okx: { requestsPerMinute: 20, concurrency: 1 } }
    const sources = `sources:\n  okx: { kind: exchange, exchange: okx }\n`
    const text = good.replace("\nsources:\n", `\n${sources}`).replace("maxEmptyBars: 60 }", "account: main }")
    const given = configuration(`${text}accounts: ${JSON.stringify(accounts)}`)
    assert.deepStrictEqual(given.accounts, accounts)
    assert.strictEqual(given.sources["binance"]?.account, "main")
  })

  it("parse() takes what requests say where they say nothing, and refuses what no request could say", () => {
    const sla = { totalDeadlineMs: 20_000, onBackfillFailure: "error" }
    const read = { strategy: "partial_fill", sourcePriority: ["binance"], sla, slaByStrategy: { seamless: sla } }
    const requests = { read: { ...read, asOf: { time: 5 } }, ensure: { strict: true, consistency: "strict" } }
    assert.deepStrictEqual<unknown>(configuration(`${good}requests: ${JSON.stringify(requests)}`).requests, requests)
    const wrong = (text: string) => mistakes(`${good}requests: { ${text} }`)
    assert.deepStrictEqual(wrong("read: { sourcePriority: [binance, mtgox] }"), [
      'requests.read.sourcePriority[1]: "mtgox" is no source; declared under sources: binance'
    ])
    assert.match(
      wrong("ensure: { sourcePriority: [binance, binance] }")[0]!,
      /\[1\]: "binance" stands at .*\[0\] already$/
    )
    assert.match(wrong("read: { strategy: eager }")[0]!, /^requests\.read\.strategy: Expected "fail_fast" \|/)
    assert.match(
      wrong("read: { slaByStrategy: { eager: {} } }")[0]!,
      /^requests\.read\.slaByStrategy\.eager: .*seamless$/
    )
    assert.match(
      wrong("read: { sla: { total: 1 } }")[0]!,
      /^requests\.read\.sla\.total: .* known here: maxWaitStorageMs,/
    )
    assert.match(wrong("read: { sla: { minCoverage: 2 } }")[0]!, /^requests\.read\.sla\.minCoverage: /)
    assert.match(wrong("ensure: { returnMeta: false }")[0]!, /^requests\.ensure\.returnMeta: is no setting; known here/)
    // they are each request's own
    assert.match(wrong("read: { minVersion: 3 }")[0]!, /^requests\.read\.minVersion: is no setting/)
    assert.match(wrong("read: { asOf: { version: 3 } }")[0]!, /^requests\.read\.asOf\./)
  })

  it("parse() takes from 1 to 5 replicas, and knows no other setting of NATS", () => {
    assert.deepStrictEqual(configuration(`${good}nats: { replicas: 3 }`).nats, { replicas: 3 })
    assert.match(mistakes(`${good}nats: { replicas: 6 }`)[0] ?? "", /^nats\.replicas: /)
    assert.match(mistakes(`${good}nats: { replica: 3 }`)[0] ?? "", /^nats\.replica: .* known here: replicas$/)
  })

  it("parse() finds all mistakes at once, those of the schema and those between fields", () => {
    const found = mistakes(`
sources:
  binance: { kind: exchange, exchange: "", speed: 3 }
series:
  - { node: a, intervals: [1m, 7x, 60s], sources: [binance, q], symbol: A }
  - { node: a, intervals: [1m], sources: nothing, symbol: A, windowBars: 1.5 }
wanted: true
`)
    const places = found.map((text) => text.slice(0, text.indexOf(": ")))
    assert.sameMembers(places, [
      "wanted",
      "sources.binance.exchange",
      "sources.binance.speed",
      "series[0].intervals[1]",
      "series[0].intervals[2]",
      "series[0].sources[1]",
      "series[1].intervals[0]",
      "series[1].sources",
      "series[1].windowBars"
    ])
  })

  it.each([
    ["text that is no YAML", "a: [1\nb: 2", /^line 2, column 1: /],
    ["a key given twice", "a: 1\na: 2", /^line 2, column 1: .*unique/],
    ["an alias of nothing", "a: *b", /alias/],
    ["nothing", "", /Expected object, got null/],
    ["a list", "- 1", /Expected object/]
  ])("parse() refuses %s", (_, text, expected) => assert.match(mistakes(text)[0] ?? "", expected))
})

const failure = (file: string): Promise<string> =>
  Effect.runPromise(Effect.map(Effect.flip(load(file)), ({ message }) => message))

describe("load", () => {
  it("load() names the file that is not there", async () => {
    assert.strictEqual(await failure("/none/such.yaml"), "/none/such.yaml: there is no such file")
  })

  it("load() says when it's given a folder", async () => {
    assert.match(await failure(tmpdir()), /folder/)
  })

  it("load() tells each mistake on a line of its own", async () => {
    const folder = mkdtempSync(join(tmpdir(), "seamless-"))
    const file = join(folder, "a.yaml")
    writeFileSync(file, good.replace("5m", "7x").replace("60 }", "-1 }"))
    const lines = (await failure(file)).split("\n")
    rmSync(folder, { recursive: true })
    assert.strictEqual(lines[0], `${file}:`)
    assert.lengthOf(lines, 3)
  })
})

describe("configurationHash", () => {
  it("configurationHash() is the same however the file is laid out", () => {
    const other = `
series:
  - symbol: BTC/BUSD # the exchange's name
    sources: [binance]
    node: ohlcv:binance:BTC/BUSD
    intervals: [1m, 5m]
sources: { binance: { maxEmptyBars: 60, exchange: binance, kind: exchange, baseUrl: "http://127.0.0.1:9000" } }
`
    assert.strictEqual(configurationHash(configuration(other)), configurationHash(configuration(good)))
  })

  it("configurationHash() differs where a value does", () => {
    const other = configuration(good.replace("60 }", "61 }"))
    assert.notStrictEqual(configurationHash(other), configurationHash(configuration(good)))
  })
})
