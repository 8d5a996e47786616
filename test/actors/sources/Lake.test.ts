/** Do files give their bars exactly, however they are written, and say truly what is wrong with them? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import * as Lake from "../../../actors/sources/Lake.ts"
import { localFiles, quoteText } from "../../../actors/sources/Parquet.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import type { LakeSettings } from "../../../protocol/SourceSettings.ts"
import { dataSourceSuite } from "../../suites/dataSourceSuite.ts"
import { readBars } from "../../support/csv.ts"
import { intervalOf } from "../../support/rows.ts"

const dataFile = (name: string): string => fileURLToPath(new URL(`../../../examples/data/${name}.csv`, import.meta.url))

const fullDay = dataFile("binance-btcbusd-1m-20221213")
const quiet = dataFile("binance-unittestbtc-1m-20171104")
const spy = dataFile("nyse-spy-1m-20131007")
const trades = dataFile("binance-xrpeth-trades-20191011")
const minute = intervalOf("1m")

/** A folder for one test. */
const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-lake-test-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true }))
)

const lake = (path: string, more: Partial<LakeSettings> = {}): Effect.Effect<DataSource> =>
  Lake.make("lake", { kind: "lake", path, ...more }, dirname(path))

/** Rows of a CSV file as a Parquet file, by what DuckDB makes of them. */
const toParquet = (csv: string, parquet: string, columns = "*") => {
  const rows = `SELECT ${columns} FROM read_csv(${quoteText(csv)}, header = true)`
  return localFiles.ask({ sql: `COPY (${rows}) TO ${quoteText(parquet)} (FORMAT parquet, ROW_GROUP_SIZE 2048)` })
}

const inFolder = (make: (made: string) => Effect.Effect<DataSource, RequestFailed>) => Effect.flatMap(folder, make)

dataSourceSuite({
  name: "lake, CSV",
  make: inFolder((made) => {
    copyFileSync(fullDay, join(made, "BTCBUSD-1m.csv"))
    return lake(join(made, "{symbol}-1m.csv"), { barsPerRequest: 500 })
  }),
  symbol: "BTC/BUSD",
  interval: minute,
  bars: readBars(fullDay),
  tellsFirstBar: false
})

dataSourceSuite({
  name: "lake, Parquet, a quiet market",
  make: inFolder((made) => {
    const file = join(made, "all.parquet")
    const columns = "epoch_ms(ts) AS ts, * EXCLUDE (ts), 'UNITTEST/BTC' AS symbol"
    return Effect.andThen(toParquet(quiet, file, columns), lake(file, { barsPerRequest: 1000 }))
  }),
  symbol: "UNITTEST/BTC",
  interval: minute,
  bars: readBars(quiet),
  tellsFirstBar: false
})

dataSourceSuite({
  name: "lake, trades",
  make: inFolder((made) => {
    copyFileSync(trades, join(made, "XRPETH.csv"))
    return lake(join(made, "{symbol}.csv"), { rows: "trades", barsPerRequest: 700, whole: "days" })
  }),
  symbol: "XRP/ETH",
  interval: minute,
  bars: readBars(dataFile("binance-xrpeth-1m-20191011")),
  tellsFirstBar: false
})

const everything = { start: Date.UTC(2010, 0), end: Date.UTC(2024, 0) }

/** All bars that a source has of a symbol. */
const readAll = (source: DataSource, symbol = "ANY", interval = minute) =>
  source.page({ symbol, interval, ...everything })

const lines = (path: string): readonly [header: string, rows: ReadonlyArray<string>] => {
  const [header = "", ...rows] = readFileSync(path, "utf8").trimEnd().split("\n")
  return [header, rows]
}

const assertSame = (given: RawRows, expected: RawRows): void => {
  assert.deepStrictEqual(Array.from(given.eventTime, Number), Array.from(expected.eventTime, Number))
  for (const { name, values } of expected.columns) {
    const column = given.columns.find((each) => each.name === name)
    assert.deepStrictEqual(Array.from(column?.values ?? [], Number), Array.from(values, Number), name)
  }
}

/** The file's rows with another text in the place of each time. */
const withTimes = (path: string, write: (timeMs: number) => string): string => {
  const [header, rows] = lines(path)
  return [header, ...rows.map((row) => row.replace(/^\d+/, (time) => write(Number(time))))].join("\n")
}

const inNewYork = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "America/New_York",
  dateStyle: "short",
  timeStyle: "medium"
})

const failureOf = (source: DataSource, symbol = "ANY", interval = minute) =>
  Effect.flip(readAll(source, symbol, interval))

describe("Lake", () => {
  it.live("rolls trades up to just the bars that the exchange made of them, flagged as rolled up", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const parquet = join(made, "trades.parquet")
      yield* toParquet(trades, parquet)
      for (const path of [trades, parquet]) {
        const source = yield* lake(path, { rows: "trades", whole: "days" })
        for (const interval of ["1m", "5m"]) {
          const expected = readBars(dataFile(`binance-xrpeth-${interval}-20191011`))
          assertSame(yield* readAll(source, "XRP/ETH", intervalOf(interval)), expected)
        }
        assert.strictEqual(source.capabilities.rowFlags, RowFlag.rolledUp)
      }
    })
  )

  it.live("more trades than are sorted at once come as several pages of whole bars, and none is lost", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "busy.parquet")
      const rows = "SELECT 1640995200000 + i * 2 AS ts, i AS id, 1.5 AS price, 1.0 AS amount FROM range(400000) t(i)"
      yield* localFiles.ask({ sql: `COPY (${rows}) TO ${quoteText(path)} (FORMAT parquet)` })
      const source = yield* lake(path, { rows: "trades", whole: "days" })
      const [start, end] = [1_640_995_200_000, 1_640_995_200_000 + 3_600_000]
      const first = yield* source.page({ symbol: "ANY", interval: minute, start, end })
      const last = Number(first.eventTime.at(-1))
      const second = yield* source.page({ symbol: "ANY", interval: minute, start: last + 1, end })
      assert.lengthOf(first.eventTime, 8)
      const volumes = [first, second].flatMap(({ columns }) => Array.from(columns[4]!.values, Number))
      assert.deepStrictEqual(volumes, [...Array.from({ length: 13 }, () => 30_000), 10_000])
    })
  )

  it.live("a file of trades has its time whole, from its first whole bar to its last; a file of bars does not", () =>
    Effect.gen(function* () {
      const page = (path: string, rows: "bars" | "trades", at: number) =>
        Effect.flatMap(lake(path, { rows }), (source) =>
          source.page({ symbol: "ANY", interval: minute, start: at, end: at + 3_600_000 })
        )
      const whole: ReadonlyArray<Range> = [[Date.UTC(2019, 9, 11, 0, 1), Date.UTC(2019, 9, 13, 11, 19)]]
      assert.deepStrictEqual((yield* page(trades, "trades", Date.UTC(2019, 9, 11))).whole, whole)
      assert.isUndefined((yield* page(trades, "trades", Date.UTC(2019, 9, 14))).whole)
      assert.isUndefined((yield* page(fullDay, "bars", Date.UTC(2022, 11, 13))).whole)
    })
  )

  it.live("trades in any order, cut into files that overlap, with or without numbers, give the same bars", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const [header, rows] = lines(trades)
      const half = rows.length >> 1
      const parts = [rows.slice(half - 500).toReversed(), rows.slice(0, half + 500)]
      for (const [at, part] of parts.entries()) writeFileSync(join(made, `${at}.csv`), [header, ...part].join("\n"))
      const expected = readBars(dataFile("binance-xrpeth-1m-20191011"))
      const settings = { rows: "trades", whole: "days" } as const
      assertSame(yield* readAll(yield* lake(join(made, "*.csv"), settings)), expected)
      const unnumbered = (row: string): string => row.replace(/^(\d+),\d+/, "$1")
      const inOrder = [rows.slice(half - 500), rows.slice(0, half + 500)]
      for (const [at, part] of inOrder.entries()) {
        writeFileSync(join(made, `${at}.csv`), ["ts,side,price,amount", ...part.map(unnumbered)].join("\n"))
      }
      const volumes = (table: RawRows) => Array.from(table.columns.find(({ name }) => name === "volume")!.values)
      const source = yield* lake(join(made, "*.csv"), settings)
      assert.deepStrictEqual(volumes(yield* readAll(source)), volumes(expected))
    })
  )

  it.live("times in s, ms, us, ns, ISO 8601, in a zone and as clocks of a zone give the same rows", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const expected = readBars(spy)
      const ways: ReadonlyArray<readonly [string, (timeMs: number) => string, Partial<LakeSettings>]> = [
        ["s", (ms) => `${ms / 1000}`, {}],
        ["fractions", (ms) => `${ms / 1000}.0`, { timeUnit: "s" }],
        ["ms", (ms) => `${ms}`, {}],
        ["us", (ms) => `${ms}000`, {}],
        ["ns", (ms) => `${ms}000000`, {}],
        ["iso", (ms) => new Date(ms).toISOString(), {}],
        ["plain", (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " "), {}],
        ["offset", (ms) => new Date(ms + 7_200_000).toISOString().replace("Z", "+02:00"), {}],
        ["zone", (ms) => inNewYork.format(ms), { zone: "America/New_York" }],
        ["named", (ms) => new Date(ms).toISOString(), { zone: "America/New_York" }],
        [
          "format",
          (ms) => new Date(ms).toISOString().replace(/(\d+)-(\d+)-(\d+)T([\d:]+).*/, "$3.$2.$1 $4"),
          { timeFormat: "%d.%m.%Y %H:%M:%S" }
        ],
        ["close", (ms) => `${ms + 60_000}`, { stamped: "close" }],
        ["closing", (ms) => `${ms + 59_999}`, { stamped: "close" }]
      ]
      for (const [name, write, settings] of ways) {
        const path = join(made, `${name}.csv`)
        writeFileSync(path, withTimes(spy, write))
        assertSame(yield* readAll(yield* lake(path, settings)), expected)
      }
    })
  )

  it.live("columns of Parquet that are times, with a zone or without, give the same rows", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const expected = readBars(spy)
      const ways = [
        ["epoch_ms(ts) AS time", {}],
        ["to_timestamp(ts / 1000) AS time", { zone: "America/New_York" }],
        ["epoch_ms(ts)::TIMESTAMP_NS AS time", {}],
        ["epoch_ms(ts)::TIMESTAMP_S AS time", {}],
        ["timezone('America/New_York', to_timestamp(ts / 1000)) AS time", { zone: "America/New_York" }],
        ["ts * 1000 AS time", {}],
        ["(ts / 1000)::DOUBLE AS time", {}]
      ] as const
      for (const [at, [time, settings]] of ways.entries()) {
        const path = join(made, `${at}.parquet`)
        yield* toParquet(spy, path, `${time}, * EXCLUDE (ts)`)
        const source = yield* lake(path, settings)
        assertSame(yield* readAll(source), expected)
        const start = Number(expected.eventTime[2000])
        const page = yield* source.page({ symbol: "ANY", interval: minute, start, end: start + 600_000 })
        assert.strictEqual(page.eventTime[0], start, time)
      }
    })
  )

  it.live("an hour that comes twice on the clocks of a zone is refused, and no other", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "autumn.csv")
      const row = (time: string): string => `${time},1,1,1,1,1`
      const header = "date,open,high,low,close,volume"
      writeFileSync(path, [header, row("2013-11-03 00:59:00"), row("2013-11-03 02:00:00")].join("\n"))
      const settings = { zone: "America/New_York" }
      const times = (yield* readAll(yield* lake(path, settings))).eventTime
      assert.deepStrictEqual(Array.from(times, Number), [Date.UTC(2013, 10, 3, 4, 59), Date.UTC(2013, 10, 3, 7)])
      writeFileSync(path, [header, row("2013-11-03 00:59:00"), row("2013-11-03 01:30:00")].join("\n"))
      const { reason } = yield* failureOf(yield* lake(path, settings))
      assert.include(reason, "autumn.csv, row 2: comes twice in its zone: 2013-11-03 01:30:00")
    })
  )

  it.live("files that overlap are read as one; what they have twice counts once", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const [header, rows] = lines(fullDay)
      writeFileSync(join(made, "a.csv"), [header, ...rows.slice(0, 800)].join("\n"))
      writeFileSync(join(made, "b.csv"), [header, ...rows.slice(600)].join("\n"))
      mkdirSync(join(made, "below"))
      const columns = "volume, ts, open, high, low, close"
      yield* toParquet(fullDay, join(made, "below", "c.parquet"), `${columns}, 'x' AS other`)
      const source = yield* Lake.make("lake", { kind: "lake", path: ["*.csv", "**/*.parquet"] }, made)
      assertSame(yield* readAll(source), readBars(fullDay))
    })
  )

  it.live("symbols of one column are told apart, however they are spelt, and never by a text in SQL", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "all.csv")
      const [, rows] = lines(fullDay)
      const [, others] = lines(quiet)
      const named =
        (symbol: string) =>
        (row: string): string =>
          `${row},"${symbol}"`
      const odd = "it's; DROP --"
      const text = [
        ...others.map(named("UNITTESTBTC")),
        ...rows.map(named("BTC-BUSD")),
        ...rows.slice(9).map(named(odd))
      ]
      writeFileSync(path, ["Open time,Open,High,Low,Close,Volume,Symbol", ...text].join("\n"))
      const source = yield* lake(path, { barsPerRequest: 20_000 })
      assertSame(yield* readAll(source, "BTC/BUSD"), readBars(fullDay))
      assertSame(yield* readAll(source, "UNITTEST/BTC"), readBars(quiet))
      assert.lengthOf((yield* readAll(source, odd)).eventTime, rows.length - 9)
      const { reason } = yield* failureOf(source, "ETH/BTC")
      assert.strictEqual(reason, `no symbol ETH/BTC; there is BTC-BUSD, UNITTESTBTC, ${odd}`)
    })
  )

  it.live("a file without a header line, with the unusual names, is read by what is configured", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "klines.csv")
      const [, rows] = lines(fullDay)
      writeFileSync(path, rows.join("\n"))
      const { reason } = yield* failureOf(yield* lake(path))
      assert.include(reason, "its first line is numbers, not the names of columns")
      const header = ["begins", "o", "h", "l", "c", "turnover"] as const
      const unnamed = yield* failureOf(yield* lake(path, { header }))
      assert.include(unnamed.reason, "no column is known as the volume; there are begins, o, h, l, c, turnover")
      const columns = { eventTime: "begins", volume: "turnover", quote: "c" }
      const read = yield* readAll(yield* lake(path, { header, columns }))
      assertSame(read, readBars(fullDay))
      assert.deepStrictEqual(read.columns.at(-1)?.name, "quote")
    })
  )

  it.live("a file that is damaged, or cut off, is a failure, and never a file without bars", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const whole = join(made, "whole.parquet")
      yield* toParquet(fullDay, whole)
      const bytes = readFileSync(whole)
      const path = join(made, "damaged.parquet")
      const damages: ReadonlyArray<readonly [Buffer, RegExp]> = [
        [bytes.subarray(0, bytes.length - 100), /No magic bytes/],
        [Buffer.concat([bytes.subarray(0, 2000), Buffer.alloc(8000, 7), bytes.subarray(10_000)]), /damaged\.parquet/],
        [Buffer.alloc(0), /too small/]
      ]
      for (const [damaged, expected] of damages) {
        writeFileSync(path, damaged)
        const { reason } = yield* failureOf(yield* lake(path))
        assert.match(reason, expected)
      }
      const csv = join(made, "cut.csv")
      writeFileSync(csv, readFileSync(fullDay).subarray(0, 40_010))
      assert.match((yield* failureOf(yield* lake(csv))).reason, /cut\.csv.*Line: \d+ .*Expected Number of Columns: 6/)
      writeFileSync(csv, "")
      assert.include((yield* failureOf(yield* lake(csv))).reason, "cut.csv: it is empty")
    })
  )

  it.live("a file that is gone is missed about its time, until it is back or others have its time", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const [header, rows] = lines(fullDay)
      const write = (name: string, from: number, to: number) =>
        writeFileSync(join(made, name), [header, ...rows.slice(from, to)].join("\n"))
      write("a.csv", 0, 700)
      write("b.csv", 700, 1440)
      const source = yield* lake(join(made, "*.csv"))
      assert.lengthOf((yield* readAll(source)).eventTime, 1440)
      rmSync(join(made, "b.csv"))
      const failure = yield* failureOf(source)
      assert.isTrue(failure.retryable)
      assert.match(failure.reason, /b\.csv is gone, which had 2022-12-13T11:40:00Z to 2022-12-13T23:59:00Z/)
      const [start, end] = [Number(rows[0]!.split(",")[0]), Number(rows[700]!.split(",")[0])]
      assert.lengthOf((yield* source.page({ symbol: "ANY", interval: minute, start, end })).eventTime, 700)
      write("all.csv", 0, 1440)
      assert.lengthOf((yield* readAll(source)).eventTime, 1440)
      rmSync(made, { recursive: true })
      const empty = yield* failureOf(source)
      assert.isTrue(empty.retryable)
      assert.include(empty.reason, "no file matches")
      mkdirSync(made)
    })
  )

  it.live("a file that changes is read anew", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "a.csv")
      const [header, rows] = lines(fullDay)
      writeFileSync(path, [header, ...rows.slice(0, 10)].join("\n"))
      const source = yield* lake(path)
      assert.lengthOf((yield* readAll(source)).eventTime, 10)
      writeFileSync(path, [header, ...rows].join("\n"))
      assert.lengthOf((yield* readAll(source)).eventTime, 1440)
    })
  )

  it.live("what can't be read is told with its file, its row and its text", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "odd.csv")
      const header = "ts,open,high,low,close,volume"
      const row = (minutes: number, close = "1"): string => `${1_670_889_600_000 + minutes * 60_000},1,1,1,${close},1`
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, Partial<LakeSettings>, string]> = [
        [[header, row(0), row(1, "1.0.0")], {}, "odd.csv, row 2: close is no number: 1.0.0"],
        [[header, row(0), row(1), "soon,1,1,1,1,1"], {}, 'odd.csv, row 3: "soon" is no time in ms'],
        [[header, row(0), row(1), ",1,1,1,1,1"], {}, 'odd.csv, row 3: "" is no time in ms'],
        [["ts,open,high,low,close", "1670889600000,1,1,1,1"], {}, "no column is known as the volume"],
        [
          ["ts,open_price,Open Price,high,low,close,volume", "1670889600000,1,1,1,1,1,1"],
          {},
          "open_price, Open Price could each be the openprice"
        ],
        [[header, "20221213,1,1,1,1,1"], {}, 'say timeUnit: s, or timeFormat: "%Y%m%d" for days'],
        [[header, "13.12.2022,1,1,1,1,1"], {}, '"13.12.2022" is no time in ISO 8601'],
        [[header, row(0)], { columns: { close: "Last" } }, 'there is no column "Last", which columns.close names'],
        [[header, row(0)], { timeUnit: "iso" }, "is no time"],
        [[header, "2022-12-13,1,1,1,1,1"], { zone: "Mars/Olympus" }, "Unknown TimeZone 'Mars/Olympus'"],
        [[header, row(0), row(0.5), row(1)], {}, "has several rows within one bar of 1m"],
        [[header, ...Array.from({ length: 30 }, (_, at) => row(at * 60))], {}, "has bars 3600 s apart, not 1m"]
      ]
      for (const [text, settings, expected] of cases) {
        writeFileSync(path, text.join("\n"))
        const failure = yield* failureOf(yield* lake(path, settings))
        assert.include(failure.reason, expected)
        assert.isFalse(failure.retryable)
      }
      const declared = yield* failureOf(yield* lake(path, { interval: "1h" }))
      assert.include(declared.reason, "no interval 1m; the files have bars of 1h")
      const unknown = join(made, "odd.dat")
      writeFileSync(unknown, header)
      assert.include((yield* failureOf(yield* lake(unknown))).reason, "its ending says neither CSV nor Parquet")
    })
  )

  it.live("keys of a bucket are read from the environment, and are in no failure", () =>
    Effect.gen(function* () {
      const s3 = {
        endpoint: "127.0.0.1:1",
        tls: false,
        keyIdVariable: "SEAMLESS_TEST_KEY",
        secretVariable: "SEAMLESS_TEST_SECRET"
      }
      const unset = yield* failureOf(yield* lake("s3://bucket/*.parquet", { s3 }))
      assert.include(unset.reason, "the environment variable SEAMLESS_TEST_KEY is not set")
      process.env["SEAMLESS_TEST_KEY"] = "its-key"
      process.env["SEAMLESS_TEST_SECRET"] = "its-secret"
      const { reason } = yield* failureOf(yield* lake("s3://bucket/*.parquet", { s3 }))
      delete process.env["SEAMLESS_TEST_KEY"]
      delete process.env["SEAMLESS_TEST_SECRET"]
      assert.notMatch(reason, /its-key|its-secret/)
    })
  )
})
