/** Do files say no more of a symbol than they know: whose rows are whose, where they end, and what they were? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { describeFiles } from "../../../actors/sources/describeFiles.ts"
import * as Lake from "../../../actors/sources/Lake.ts"
import * as LakeIndex from "../../../actors/sources/LakeIndex.ts"
import { localFiles, quoteText } from "../../../actors/sources/Parquet.ts"
import type { Field } from "../../../protocol/frame/DataSchema.ts"
import type { LakeSettings } from "../../../protocol/SourceSettings.ts"
import { intervalOf } from "../../support/rows.ts"

const minute = intervalOf("1m")
const minuteMs = 60_000
const dayMs = 86_400_000
const startMs = Date.UTC(2024, 0, 1)

const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-lake-files-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true }))
)

const lake = (path: string, more: Partial<LakeSettings> = {}, symbols: ReadonlyArray<string> = []) =>
  Lake.make("lake", { kind: "lake", path, ...more }, dirname(path), symbols)

const write = (path: string, header: string, rows: ReadonlyArray<string>): void =>
  writeFileSync(path, [header, ...rows].join("\n"))

const wholeTime = { symbol: "ANY", interval: minute, start: Date.UTC(2000, 0), end: Date.UTC(2030, 0) }

const page = (source: DataSource, symbol = "ANY", interval = minute, fields?: ReadonlyArray<Field>) =>
  source.page({ ...wholeTime, symbol, interval, ...(fields !== undefined && { fields }) })

const reasonOf = (source: DataSource, symbol = "ANY", interval = minute) =>
  Effect.map(Effect.flip(page(source, symbol, interval)), ({ reason }) => reason)

const times = (given: { readonly eventTime: ArrayLike<unknown> }) =>
  Array.from(given.eventTime, (time) => (Number(time) - startMs) / minuteMs)

const barHeader = "ts,open,high,low,close,volume"
const bar = (atMs: number, value = 1): string => `${startMs + atMs},${value},${value},${value},${value},1`
const tradeHeader = "ts,price,amount"
const trade = (minutes: number, price = 1): string => `${startMs + minutes * minuteMs},${price},1`

describe("whose rows are whose", () => {
  it.live("a file of trades has no time whole of a symbol that it does not hold", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const row = (symbol: string) => (minutes: number) => `${trade(minutes)},${symbol}`
      write(
        join(made, "1.csv"),
        `${tradeHeader},symbol`,
        [0, 5, 10].flatMap((at) => [row("A")(at), row("B")(at)])
      )
      write(join(made, "2.csv"), `${tradeHeader},symbol`, [20, 25, 30].map(row("B")))
      const source = yield* lake(join(made, "*.csv"), { rows: "trades" })
      const first = yield* page(source, "A")
      assert.deepStrictEqual(times(first), [0, 5])
      assert.deepStrictEqual(first.whole, [[startMs, startMs + 10 * minuteMs]])
      assert.deepStrictEqual(times(yield* page(source, "B")), [0, 5, 20, 25])
    })
  )

  it.live("each file spells a symbol in its own way, and one that does not say it is refused", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const header = `${barHeader},symbol`
      write(join(made, "1.csv"), header, [`${bar(0)},BTC-USDT`, `${bar(0, 2)},ETH-USDT`])
      write(join(made, "2.csv"), header, [`${bar(minuteMs)},BTCUSDT`])
      const source = yield* lake(join(made, "*.csv"))
      assert.deepStrictEqual(times(yield* page(source, "BTC/USDT")), [0, 1])
      assert.include(yield* reasonOf(source, "XRP/USDT"), "no symbol XRP/USDT; there is BTC-USDT, ETH-USDT, BTCUSDT")
      write(join(made, "3.csv"), barHeader, [bar(2 * minuteMs)])
      assert.include(yield* reasonOf(source, "BTC/USDT"), "3.csv has no column of the symbol, which others have")
    })
  )

  it.live("files that tell no symbols are refused where two are configured, whoever asks first", () =>
    Effect.gen(function* () {
      const made = yield* folder
      write(join(made, "a.csv"), barHeader, [bar(0)])
      const source = yield* lake(join(made, "a.csv"), {}, ["A", "B"])
      assert.include(yield* reasonOf(source, "A"), "asked for A and for B")
      const one = yield* lake(join(made, "a.csv"), {}, ["A", "A"])
      assert.deepStrictEqual(times(yield* page(one, "A")), [0])
    })
  )
})

describe("where files end", () => {
  it.live(
    "an absence of bars before files, behind them and between two that do not follow each other is over a seam",
    () =>
      Effect.gen(function* () {
        const made = yield* folder
        const month = (from: number, days: number) => Array.from({ length: days }, (_, at) => bar((from + at) * dayMs))
        write(join(made, "1.csv"), barHeader, month(0, 31))
        write(join(made, "3.csv"), barHeader, month(60, 31))
        const outer: ReadonlyArray<readonly [number, number]> = [
          [-Infinity, startMs],
          [startMs + 91 * dayMs, Infinity]
        ]
        const { seams } = yield* page(yield* lake(join(made, "*.csv")), "ANY", intervalOf("1d"))
        assert.deepStrictEqual(seams, outer.toSpliced(1, 0, [startMs + 31 * dayMs, startMs + 60 * dayMs]))
        // two days are short beside a month
        write(join(made, "2.csv"), barHeader, month(33, 27))
        assert.deepStrictEqual((yield* page(yield* lake(join(made, "*.csv")), "ANY", intervalOf("1d"))).seams, outer)
      })
  )

  it.live("a bar of trades at an edge is none, unless another file goes on there or files are of whole days", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const rows = (from: number, until: number) =>
        Array.from({ length: (until - from) * 2 }, (_, at) => trade(from + 0.25 + at / 2))
      write(join(made, "1.csv"), tradeHeader, rows(0, 100))
      write(join(made, "2.csv"), tradeHeader, rows(100, 200))
      write(join(made, "4.csv"), tradeHeader, rows(300, 400))
      const path = join(made, "*.csv")
      const withEdges = yield* page(yield* lake(path, { rows: "trades" }))
      const expected = Array.from({ length: 400 }, (_, at) => at).filter((at) => at < 200 || at >= 300)
      assert.deepStrictEqual(
        times(withEdges),
        expected.filter((at) => ![0, 199, 300, 399].includes(at))
      )
      const inner = withEdges.seams?.find((seam) => seam.every(Number.isFinite))
      assert.deepStrictEqual(inner, [startMs + 199 * minuteMs, startMs + 301 * minuteMs])
      const days = yield* page(yield* lake(path, { rows: "trades", whole: "days" }))
      assert.deepStrictEqual(times(days), expected)
      assert.deepStrictEqual(days.whole?.[0], [startMs, startMs + dayMs])
      assert.deepStrictEqual((yield* page(yield* lake(path, { rows: "trades", whole: false }))).whole, [])
    })
  )
})

describe("what rows say", () => {
  it.live("two rows of one bar that differ are refused by their places; those that are alike count once", () =>
    Effect.gen(function* () {
      const made = yield* folder
      write(join(made, "a.csv"), barHeader, [bar(0), bar(minuteMs)])
      write(join(made, "b.csv"), barHeader, [bar(minuteMs), bar(2 * minuteMs)])
      const source = yield* lake(join(made, "*.csv"))
      assert.deepStrictEqual(times(yield* page(source)), [0, 1, 2])
      write(join(made, "b.csv"), barHeader, [bar(minuteMs, 2)])
      const reason = yield* reasonOf(source)
      assert.match(reason, /a\.csv, row 2 and .*b\.csv, row 1 are of one time, and differ: .*\(open is 1 and 2\)/)
      const eastern = "Date,Time (EST),Open,High,Low,Close,Volume"
      write(join(made, "a.csv"), eastern, ["2024-01-02,09:30,1,1,1,1,1", "2024-01-02,09:31,2,2,2,2,2"])
      assert.include(yield* reasonOf(yield* lake(join(made, "a.csv")), "ANY", intervalOf("1d")), "are of one time")
    })
  )

  it.live("of two rows of one bar the one of the highest version stands, wherever they lie", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "*.csv")
      const header = `${barHeader},rev`
      const row = (at: number, value: number, version: string | number) => `${bar(at, value)},${version}`
      const columns = { version: "rev" }
      const closes = Effect.map(page(yield* lake(path, { columns })), ({ columns }) =>
        Array.from(columns.find(({ name }) => name === "close")?.values ?? [])
      )
      const long = 2 ** 53
      write(join(made, "a.csv"), header, [row(0, 1, 10), row(0, 2, 9), row(minuteMs, 3, ""), row(minuteMs, 4, -5)])
      write(join(made, "b.csv"), header, [
        row(0, 1, 10),
        row(2 * minuteMs, 5, `${long}1`),
        row(2 * minuteMs, 6, `${long}2`)
      ])
      assert.deepStrictEqual(yield* closes, [1, 4, 6])
      const day = (value: number, text: string) => row(0, value, text)
      write(join(made, "a.csv"), header, [day(1, "2024-03-01T10:00:00Z"), day(2, "2024-03-01 09:59")])
      write(join(made, "b.csv"), header, [])
      assert.deepStrictEqual(yield* closes, [1])
      const another = yield* lake(path)
      assert.include(yield* reasonOf(another), 'are of one time, and differ: map the newer one\'s column as "version"')
      write(join(made, "a.csv"), header, [row(0, 1, 2), row(0, 2, 2), row(0, 3, 1)])
      const source = yield* lake(path, { columns })
      assert.match(
        yield* reasonOf(source),
        /row 1 and .*row 2 are of one time, and differ: their version is one as well/
      )
      write(join(made, "a.csv"), header, [row(0, 1, "old"), row(0, 2, "new")])
      assert.include(yield* reasonOf(source), "a.csv, row 1: version is neither a number nor a time: old")
    })
  )

  it.live(
    "rows of one bar are all given where the rules of a series decide between them, and refused where they can't",
    () =>
      Effect.gen(function* () {
        const path = join(yield* folder, "a.csv")
        write(path, `${barHeader},rev`, [`${bar(0, 1)},2`, `${bar(0, 2)},1`])
        const rev: Field = { name: "revision", type: "int64", required: false, from: ["rev"] }
        const give = (columns: Readonly<Record<string, string>>) =>
          Effect.flatMap(lake(path, { columns }), (source) =>
            source.page({ ...wholeTime, fields: [rev], decidedBy: "revision" })
          )
        for (const name of ["rev", "revision"]) {
          assert.deepStrictEqual(times(yield* give({ [name]: "rev" })), [0, 0])
        }
        const { reason } = yield* Effect.flip(give({ unknown: "rev" }))
        assert.include(reason, 'map the newer one\'s column as "revision"')
      })
  )

  it.live("bars that are shorter than what is declared of them are refused, whatever stamps they have", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "a.csv")
      const five = intervalOf("5m")
      const stamped = "close"
      write(path, barHeader, [bar(minuteMs), bar(2 * minuteMs), bar(3 * minuteMs)])
      for (const settings of [{ interval: "5m" }, { interval: "5m", stamped }, { stamped }] as const) {
        const source = yield* lake(path, settings)
        assert.include(yield* reasonOf(source, "ANY", five), "has several rows within one bar of 5m")
      }
      // the end of a bar, and its last millisecond
      write(path, barHeader, [bar(5 * minuteMs - 1), bar(5 * minuteMs), bar(10 * minuteMs)])
      assert.deepStrictEqual(times(yield* page(yield* lake(path, { stamped }), "ANY", five)), [0, 5])
    })
  )

  it.live("the unit of times is that of the least as well as of the largest", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "a.csv")
      write(path, barHeader, [`${startMs / 1000},1,1,1,1,1`, bar(minuteMs)])
      assert.include(yield* reasonOf(yield* lake(path)), "are in no one unit all between 1980 and 2100: say timeUnit")
    })
  )

  it.live("trades that one file has in milliseconds and another in microseconds count once", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const trades = Array.from({ length: 40 }, (_, at) => ({ us: startMs * 1000 + at * 300_250, id: at }))
      const header = "id,ts,price,amount"
      write(
        join(made, "ms.csv"),
        header,
        trades.map(({ id, us }) => `${id},${Math.floor(us / 1000)},1,1`)
      )
      write(
        join(made, "us.csv"),
        header,
        trades.map(({ id, us }) => `${id},${us},1,1`)
      )
      const source = yield* lake(join(made, "*.csv"), { rows: "trades", whole: "days" })
      const { columns } = yield* page(source)
      assert.deepStrictEqual(Array.from(columns[4]!.values, Number), [40])
    })
  )

  it.live("bars of trades have what a schema's fields say of trades", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "a.csv")
      write(path, tradeHeader, [trade(0, 1), trade(0.5, 2), trade(1, 3)])
      const fields: ReadonlyArray<Field> = [
        { name: "close", type: "float64", required: true },
        { name: "vwap", type: "float64", required: true },
        { name: "trades", type: "int64", required: true, rollUp: "count" },
        { name: "halted", type: "bool", required: false }
      ]
      const { columns } = yield* page(yield* lake(path, { rows: "trades", whole: "days" }), "ANY", minute, fields)
      const values = Object.fromEntries(columns.map((column) => [column.name, Array.from(column.values, Number)]))
      assert.containSubset(values, { close: [2, 3], volume: [2, 1], vwap: [1.5, 3], trades: [2, 1] })
      assert.notProperty(values, "halted")
    })
  )
})

describe("clocks of a zone", () => {
  it.live("an hour that never comes is refused, as text, as a column of times and by a format", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "a.csv")
      const header = "date,open,high,low,close,volume"
      write(path, header, ["2024-03-10 01:59:00,1,1,1,1,1", "2024-03-10 02:30:00,1,1,1,1,1"])
      const zone = "America/New_York"
      const told = "row 2: never comes in its zone: 2024-03-10 02:30:00"
      assert.include(yield* reasonOf(yield* lake(path, { zone })), told)
      const timeFormat = "%Y-%m-%d %H:%M:%S"
      assert.include(yield* reasonOf(yield* lake(path, { zone, timeFormat })), told)
      const parquet = join(made, "a.parquet")
      const rows = `SELECT * FROM read_csv(${quoteText(path)}, header = true)`
      yield* localFiles.ask({ sql: `COPY (${rows}) TO ${quoteText(parquet)} (FORMAT parquet)` })
      assert.include(yield* reasonOf(yield* lake(parquet, { zone })), told)
      write(path, header, ["2024-03-10 01:59:00,1,1,1,1,1", "2024-03-10 03:00:00,1,1,1,1,1"])
      assert.lengthOf((yield* page(yield* lake(path, { zone }))).eventTime, 2)
    })
  )

  it.live("a date that a zone would make the day before is refused", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "a.csv")
      write(path, "date,open,high,low,close,volume", ["2024-01-02,1,1,1,1,1", "2024-01-03,1,1,1,1,1"])
      const berlin = yield* reasonOf(yield* lake(path, { zone: "Europe/Berlin" }), "ANY", intervalOf("1d"))
      assert.include(berlin, "row 1: 2024-01-01T23:00:00Z would be of the day before")
      write(path, "date,open,high,low,close,volume", ["2024-01-02 16:00,1,1,1,1,1"])
      const closes = yield* page(yield* lake(path, { zone: "America/New_York" }), "ANY", intervalOf("1d"))
      assert.deepStrictEqual(times(closes), [1440 + 21 * 60])
      write(path, "date,open,high,low,close,volume", ["2024-01-02,1,1,1,1,1", "2024-01-03,1,1,1,1,1"])
      const plain = yield* page(yield* lake(path), "ANY", intervalOf("1d"))
      assert.deepStrictEqual(times(plain), [1440, 2880])
    })
  )

  it.live("a unit of numbers says nothing of a column of times", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "a.parquet")
      const rows = `SELECT epoch_ms(${startMs}) AS ts, 1.0 AS open, 1.0 AS high, 1.0 AS low, 1.0 AS close, 1.0 AS volume`
      yield* localFiles.ask({ sql: `COPY (${rows}) TO ${quoteText(path)} (FORMAT parquet)` })
      assert.deepStrictEqual(times(yield* page(yield* lake(path, { timeUnit: "ms" }))), [0])
    })
  )
})

describe("long whole numbers", () => {
  const copy = (path: string, columns: string) => {
    const rows = `SELECT ${startMs}::BIGINT AS ts, 1.0 AS open, 1.0 AS high, 1.0 AS low, 1.0 AS close, ${columns}`
    return localFiles.ask({ sql: `COPY (${rows}) TO ${quoteText(path)} (FORMAT parquet)` })
  }

  it.live("come with all their digits, or are refused where a price or a volume would be rounded", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "a.parquet")
      yield* copy(path, "7::BIGINT AS volume, 9007199254740993::BIGINT AS number, NULL::BIGINT AS none")
      const columns = { number: "number", none: "none" }
      const { columns: read } = yield* page(yield* lake(path, { columns }))
      assert.deepStrictEqual(
        read.slice(-3).map(({ name, values }) => [name, Array.from(values)]),
        [
          ["volume", [7]],
          ["number", [9_007_199_254_740_993n]],
          ["none", [null]]
        ]
      )
      yield* copy(path, "9007199254740993::BIGINT AS volume")
      assert.include(yield* reasonOf(yield* lake(path)), "row 1: volume would be rounded: 9007199254740993")
      yield* copy(path, "7::BIGINT AS volume, 9007199254740993::BIGINT AS number")
      yield* copy(join(made, "b.parquet"), "7::BIGINT AS volume, 1.5::DOUBLE AS number")
      const mixed = yield* lake(join(made, "*.parquet"), { columns: { number: "number" } })
      assert.include(yield* reasonOf(mixed), "number would be rounded: 9007199254740993")
    })
  )
})

describe("dumps without a header line", () => {
  const us = startMs * 1000
  const at = (minutes: number) => us + minutes * minuteMs * 1000 + 123
  const agg = (minutes: number, id: number) => `${id},42000.1,0.5,${id * 3},${id * 3 + 2},${at(minutes)},True,True`
  const single = (minutes: number, id: number) => `${id},42000.1,0.5,21000.05,${at(minutes)},False,True`
  const kline = (minutes: number) => `${at(minutes) - 123},1.5,2,1,1.5,10,${at(minutes) + 59_999_876},15,7,5,7.5,0`

  it.live("are known by their first line, with microseconds, CRLF or not, packed or not", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const ids = [0, 1, 2]
      const cases = [
        ["agg.csv", ids.map((id) => agg(id, id)), "trades"],
        ["agg7.csv", ids.map((id) => agg(id, id).replace(/,True$/, "")), "trades"],
        ["single.csv", ids.map((id) => single(id, id)), "trades"],
        ["single6.csv", ids.map((id) => single(id, id).replace(/,True$/, "")), "trades"],
        ["klines.csv", ids.map(kline), "bars"]
      ] as const
      for (const [name, rows, kind] of cases) {
        for (const newLine of ["\n", "\r\n"]) {
          const path = join(made, name)
          const text = rows.map((row) => row + newLine).join("")
          writeFileSync(path, text)
          writeFileSync(`${path}.gz`, gzipSync(text))
          for (const file of [path, `${path}.gz`]) {
            assert.containSubset(yield* describeFiles({ kind: "lake", path: file }), { kind, rows: 3, unit: "us" })
            const source = yield* lake(file, { rows: kind, ...(kind === "trades" && { whole: "days" }) })
            assert.deepStrictEqual(times(yield* page(source)), [0, 1, 2], `${file} ${JSON.stringify(newLine)}`)
          }
        }
      }
    })
  )

  it.live("are told as what they are where they are of no known form", () =>
    Effect.gen(function* () {
      const made = yield* folder
      const path = join(made, "a.csv")
      writeFileSync(path, "1,42000.1,0.5,a,True,True,7,8,9\n2,42000.1,0.5,b,True,True,7,8,9\n")
      assert.include(yield* reasonOf(yield* lake(path)), "its first line is numbers, not the names of columns")
      write(path, "id,price,qty,time", ["1,1,1,soon", "2,1,1,1704067200000", "3,1,1,1704067200001"])
      const bad = yield* Effect.flip(describeFiles({ kind: "lake", path }))
      assert.include(bad.reason, 'a.csv, row 1: "soon" is no time in ms')
      writeFileSync(join(made, "a.zip"), "PK")
      assert.include(yield* reasonOf(yield* lake(join(made, "a.zip"))), "it is an archive: unpack it")
    })
  )
})

describe("LakeIndex", () => {
  it.live("unchanged() fails, for now, where a file is not what it was when it was learnt", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "a.csv")
      write(path, barHeader, [bar(0)])
      const index = yield* LakeIndex.make({ kind: "lake", path }, dirname(path), localFiles)
      const files = yield* index.filesOf(undefined, [0, startMs * 2])
      yield* index.unchanged(files)
      write(path, barHeader, [bar(0), bar(minuteMs)])
      const failure = yield* Effect.flip(index.unchanged(files))
      assert.isTrue(failure.retryable)
      assert.include(failure.reason, "a.csv changed while it was read")
    })
  )
})
