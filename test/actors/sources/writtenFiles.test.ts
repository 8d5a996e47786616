/** Are files read as people write them, and is it said of others what would be right? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describeFiles } from "../../../actors/sources/describeFiles.ts"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import * as Lake from "../../../actors/sources/Lake.ts"
import { localFiles, quoteText } from "../../../actors/sources/Parquet.ts"
import type { Field } from "../../../protocol/frame/DataSchema.ts"
import type { LakeSettings } from "../../../protocol/SourceSettings.ts"
import { barFiles } from "../../support/BarFile.ts"
import { readBars } from "../../support/csv.ts"
import { intervalOf } from "../../support/rows.ts"

const { path: fullDay } = barFiles.fullDay
const expected = readBars(fullDay)
const [header = "", ...rows] = readFileSync(fullDay, "utf8").trimEnd().split("\n")

/** Writes some bytes as a file of that name, and gives a source of it. */
const lakeOf = Effect.fnUntraced(function* (
  content: string | Buffer,
  more: Partial<LakeSettings> = {},
  name = "a.csv"
) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-written-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true }))
  )
  const path = join(folder, name)
  writeFileSync(path, content)
  const settings: LakeSettings = { kind: "lake", path, ...more }
  return { settings, source: yield* Lake.make("lake", settings, dirname(path)) }
})

type Given = Parameters<typeof lakeOf>

const read = (...given: Given) =>
  Effect.flatMap(lakeOf(...given), ({ source }) =>
    source.page({ symbol: "ANY", interval: intervalOf("1m"), start: Date.UTC(2022, 0), end: Date.UTC(2023, 0) })
  )

const refusal = (...given: Given) => Effect.map(Effect.flip(read(...given)), ({ reason }) => reason)

/** The file with other signs between and within its values. */
const written = (delimiter: string, write: (value: string) => string, names = header): string =>
  [names.replaceAll(",", delimiter), ...rows.map((row) => row.split(",").map(write).join(delimiter))].join("\n")

const comma = (value: string): string => value.replace(".", ",")

const isoOf = (row: string): string => new Date(Number(row.split(",")[0])).toISOString()
/** The file with its times written in another way, and of so many rows. */
const timed = (write: (iso: string) => string, count = rows.length): string =>
  [header, ...rows.slice(0, count).map((row) => row.replace(/^\d+/, write(isoOf(row))))].join("\n")

describe("numbers with a comma before their fraction", () => {
  it.live("are read where it is said, as they are with a point", () =>
    Effect.gen(function* () {
      for (const text of [written(";", comma), written(",", (value) => `"${comma(value)}"`)]) {
        const page = yield* read(text, { decimal: ",", columns: { last: "close" } })
        assert.deepStrictEqual(Array.from(page.eventTime, Number), Array.from(expected.eventTime))
        for (const { name, values } of expected.columns) {
          const column = page.columns.find((each) => each.name === name)
          assert.deepStrictEqual(Array.from(column?.values ?? [], Number), Array.from(values), name)
        }
        // of a column of one's own nobody has said that it is numbers
        assert.strictEqual(Number(page.columns.at(-1)?.values[0]), expected.columns[3]?.values[0])
      }
    })
  )

  it.live("are refused with what would be right where it is not, as points are beside them", () =>
    Effect.gen(function* () {
      assert.match(
        yield* refusal(written(";", comma)),
        /row 1: open is no number: 17212,12 \(say decimal: "," where a comma stands before the fraction\)$/
      )
      assert.match(
        yield* refusal(
          written(";", (value) => value),
          { decimal: "," }
        ),
        /row 1: open is no number: 17212.12 \(beside decimal: "," numbers have no points\)$/
      )
      const thousands = written(";", (value) => value.replace(/^(\d\d)(\d{3}\.)/, "$1,$2"))
      assert.match(yield* refusal(thousands), /open is no number: 17,212.12 \(write thousands without signs\)$/)
    })
  )
})

describe("bars without volume", () => {
  const [, ...withoutVolume] = [header, ...rows].map((row) => row.replace(/,[^,]*$/, ""))
  const text = ["ts,open,high,low,close", ...withoutVolume].join("\n")

  it.live("are read where it is said that there is none, and refused where it is not, with how to say it", () =>
    Effect.gen(function* () {
      const page = yield* read(text, { without: ["volume"] })
      assert.deepStrictEqual(
        page.columns.map(({ name }) => name),
        ["open", "high", "low", "close"]
      )
      assert.deepStrictEqual(Array.from(page.columns[3]!.values, Number), Array.from(expected.columns[3]!.values))
      assert.include(yield* refusal(text), "or say without: [volume] where there is none")
    })
  )
})

describe("times that people write", () => {
  it.live("with the year first are read, whatever stands between their parts", () =>
    Effect.gen(function* () {
      for (const sign of [".", "/", "-"]) {
        const text = timed((iso) => iso.slice(0, 16).replaceAll("-", sign).replace("T", " "))
        const { eventTime } = yield* read(text)
        assert.deepStrictEqual(Array.from(eventTime, Number), Array.from(expected.eventTime), sign)
        const zoned = yield* read(text, { zone: "Asia/Seoul" })
        assert.strictEqual(Number(zoned.eventTime[0]), expected.eventTime[0]! - 9 * 3_600_000)
      }
    })
  )

  it.live("with the day or the month first are refused with the format that reads them", () =>
    Effect.gen(function* () {
      const text = timed((iso) => iso.replace(/^(\d+)-(\d+)-(\d+)T(\d+:\d+).*$/, "$2/$3/$1 $4"), 5)
      const reason = yield* refusal(text)
      const timeFormat = /say timeFormat: "([^"]*)"$/.exec(reason)?.[1] ?? ""
      assert.strictEqual(timeFormat, "%m/%d/%Y %H:%M", reason)
      assert.lengthOf((yield* read(text, { timeFormat })).eventTime, 5)
    })
  )
})

describe("what is no CSV file", () => {
  it.live("is told as what it is, and without a word of how it was read", () =>
    Effect.gen(function* () {
      const text = [header, ...rows].join("\n")
      const cases: ReadonlyArray<readonly [Given, RegExp]> = [
        [[""], /a\.csv: it is empty$/],
        [["\uFEFF\n"], /a\.csv: it is empty$/],
        [
          [Buffer.from(`\uFEFF${text}`, "utf16le")],
          /a\.csv: it is no text in UTF-8, but perhaps in UTF-16: save it as/
        ],
        [["PK\u0003\u0004rest"], /a\.csv: it is an archive or a workbook: unpack it, or save its sheet as CSV$/],
        [[text, {}, "a.xlsx"], /a\.xlsx: it is a workbook: save its sheet as CSV$/],
        [[`${text}\n1670976000000,1,2`], /a\.csv: .*Line: 1442 .*Expected Number of Columns: 6 Found: 3$/],
        [[text.replaceAll("\n", "\r\n").replace(/\r\n1670970000000/, "\n1670970000000")], /lines do not all end alike$/]
      ]
      for (const [given, pattern] of cases) {
        const reason = yield* refusal(...given)
        assert.match(reason, pattern)
        assert.notMatch(reason, /strict_mode|SELECT|Possible fixes/)
      }
    })
  )
})

describe("columns that a schema names", () => {
  const fields: ReadonlyArray<Field> = [
    { name: "close", type: "float64", required: true },
    { name: "trades", type: "int64", required: false, from: ["n"] },
    { name: "venue", type: "category", required: false },
    { name: "absent", type: "bool", required: false }
  ]
  const text = [`${header},n,venue,note`, ...rows.map((row, at) => `${row},${at},X${at % 2},?`)].join("\n")

  it.live("are read without another word, by any of their names, and nothing else is", () =>
    Effect.gen(function* () {
      const pageOf = (source: DataSource) =>
        source.page({
          symbol: "A",
          interval: intervalOf("1m"),
          start: Date.UTC(2022, 0),
          end: Date.UTC(2023, 0),
          fields
        })
      const { settings, source } = yield* lakeOf(text)
      const parquet = String(settings.path).replace(/csv$/, "parquet")
      yield* localFiles.ask({
        sql: `COPY (SELECT * FROM read_csv(${quoteText(String(settings.path))})) TO ${quoteText(parquet)}`
      })
      for (const each of [source, yield* Lake.make("lake", { kind: "lake", path: parquet }, "/")]) {
        const { columns } = yield* pageOf(each)
        const names = ["open", "high", "low", "close", "volume", "n", "venue"]
        assert.sameMembers(
          columns.map(({ name }) => name),
          names
        )
        const valuesOf = (name: string) => Array.from(columns.find((column) => column.name === name)!.values, String)
        assert.deepStrictEqual([valuesOf("n").slice(0, 3), valuesOf("venue")[1]], [["0", "1", "2"], "X1"])
      }
      // what the source maps is not read twice
      const mapped = yield* lakeOf(text, { columns: { trades: "n" } })
      const { columns } = yield* pageOf(mapped.source)
      assert.sameMembers(
        columns.slice(5).map(({ name }) => name),
        ["trades", "venue"]
      )
    })
  )
})

describe("describeFiles()", () => {
  it.live("tells which columns are left out", () =>
    Effect.gen(function* () {
      const text = [`${header},Adj Close,note`, ...rows.map((row) => `${row},1,x`)].join("\n")
      const { settings } = yield* lakeOf(text)
      assert.deepStrictEqual((yield* describeFiles(settings)).leftOut, ["Adj Close", "note"])
      const taken = { ...settings, columns: { adjusted: "Adj Close" } }
      assert.deepStrictEqual((yield* describeFiles(taken)).leftOut, ["note"])
    })
  )
})
