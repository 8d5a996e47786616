/** Does conforming do what the rules of a schema say, and does nothing pass where a step breaks off? */
import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { chunkColumns } from "../../../actors/conformance/chunkColumns.ts"
import { conform, type Conformed } from "../../../actors/conformance/conform.ts"
import type { ConformanceFailed } from "../../../actors/conformance/ConformanceFailed.ts"
import type { ConformanceRules } from "../../../protocol/frame/ConformanceRules.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import { type DataSchema, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { planQuality } from "../../../protocol/frame/planQuality.ts"
import type { Frame } from "../../../protocol/frame/Frame.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { planOf } from "../../support/candles.ts"
import { law } from "../../support/law.ts"
import { conformed, flatBars, intervalOf, nothingFound, options, pickRows, rawRows } from "../../support/rows.ts"

const under = (rows: RawRows, rules: ConformanceRules, interval = "1m"): Conformed =>
  conformed(rows, { rules, interval: intervalOf(interval) })

const failureOf = (rows: RawRows, changes: object): ConformanceFailed =>
  Result.getOrThrow(Result.flip(conform(rows, { ...options, ...changes })))

const minutesOf = ({ eventTimeMs }: Frame): ReadonlyArray<number> =>
  Array.from(eventTimeMs, (timeMs) => timeMs / 60_000)

/** Rows at moments in milliseconds, each of one price. */
const at = (...rows: ReadonlyArray<readonly [timeMs: number, price: number]>): RawRows => ({
  eventTime: Float64Array.from(rows, ([timeMs]) => timeMs),
  columns: ohlcv.fields.map(({ name }) => ({ name, values: Float64Array.from(rows, ([, price]) => price) }))
})

const valuesOf = (frame: Frame, name: string): ReadonlyArray<number | bigint> =>
  Array.from<number | bigint>(frame.columns.find((column) => column.name === name)!.values)

describe("conform() again", () => {
  const schema: DataSchema = {
    version: 1,
    fields: [
      ...ohlcv.fields,
      { name: "version", type: "int64", required: false, onLoss: "missing" },
      { name: "mood", type: "category", required: false, default: "calm" }
    ]
  }
  const rules = fc.record<ConformanceRules>(
    {
      lateness: fc.record({ bars: fc.nat(3), beyond: fc.constantFrom("keep", "drop") }),
      onLoss: fc.constantFrom("missing", "fail"),
      extraColumns: fc.constantFrom("keep", "drop"),
      conflict: fc.constantFrom("priority", "version", "ingestTime"),
      drop: fc.constantFrom([], ["venue"]),
      time: fc.constant({ zone: "America/New_York", ambiguous: "later" })
    },
    { requiredKeys: [] }
  )
  const extras = fc.array(fc.tuple(fc.constantFrom(1, 2.5, null, "9007199254740993"), fc.constantFrom("wild", null)), {
    minLength: 30,
    maxLength: 30
  })

  law(
    "conform() of what it gave changes nothing, whatever the rules",
    [rawRows, extras, rules],
    (rows, drawn, rules) => {
      const given = drawn.slice(0, rows.eventTime.length)
      const columns = [
        ...rows.columns,
        { name: "version", values: given.map(([version]) => version) },
        { name: "mood", values: given.map(([, mood]) => mood) },
        { name: "venue", values: given.map(() => "x") }
      ]
      const { frame } = conformed({ eventTime: rows.eventTime, columns }, { schema, rules })
      const again = conformed({ eventTime: frame.eventTimeMs, columns: frame.columns }, { schema, rules })
      expect(contentHash(again.frame)).toBe(contentHash(frame))
      expect(again.frame.eventTimeMs).toEqual(frame.eventTimeMs)
      expect(again.steps).toEqual({})
    }
  )
})

describe("conform() tells what steps did", () => {
  const schema: DataSchema = {
    version: 1,
    fields: [...ohlcv.fields, { name: "trades", type: "int64", required: false, onLoss: "missing", default: 7 }]
  }
  const stepsOf = (rows: RawRows, trades: ReadonlyArray<number | null>, rules: ConformanceRules) => {
    const columns = [...rows.columns, { name: "trades", values: trades }]
    const { steps } = conformed({ eventTime: rows.eventTime, columns }, { schema, rules })
    return Object.fromEntries(
      Object.entries(Findings.split(steps).steps).map(([step, ranges]) => [
        step,
        toPairs(ranges).map((range) => range.map((timeMs) => timeMs / 60_000))
      ])
    )
  }

  it("conform() tells it by the bars of the rows, in whichever order and with whichever stamps they come", () => {
    const rows = at([0, 1], [60_000, 2], [120_500, 3], [180_000, 4])
    const trades = [1, 0.5, 2, null]
    expect(stepsOf(rows, trades, {})).toEqual({ loss: [[1, 2]], default: [[3, 4]], movedToBar: [[2, 3]] })
    const newestFirst = pickRows(rows, [3, 2, 1, 0])
    expect(stepsOf(newestFirst, trades.toReversed(), { order: "newestFirst" })).toEqual(stepsOf(rows, trades, {}))
    expect(stepsOf(rows, trades, { time: { stamped: "close" } })).toEqual({
      loss: [[0, 1]],
      default: [[2, 3]],
      movedToBar: [[2, 3]]
    })
    expect(stepsOf(rows, [1, 2, 3, 4], { rollUp: "bars" })).toEqual({})
  })

  it("conform() tells of rows that are late whether or not they are left out, and rules see them all", () => {
    const rows = flatBars([0, 2, 1, 6, 2])
    const trades = [1, 1, 1, 1, 1]
    expect(stepsOf(rows, trades, {})).toEqual({ late: [[2, 3]] })
    const lateness = { beyond: "drop" } as const
    expect(stepsOf(rows, trades, { lateness })).toEqual({ late: [[2, 3]], dropped: [[2, 3]] })
    const quality = planQuality([], { schema: ohlcv, intervalMs: 60_000 })
    const { report } = conformed(rows, { rules: { lateness }, quality })
    expect(report.findings.map(({ rule }) => rule)).toContain("timeBackwards")
  })

  it("conform() has rules find a row that is late also where its bar is left without a row", () => {
    const backwards = (severity: "flag" | "reject", rules: ConformanceRules, asked: Range = [-Infinity, Infinity]) =>
      conform(flatBars([0, 1, 3, 4, 9, 2]), {
        ...options,
        rules,
        asked,
        quality: planOf([{ rule: "timeBackwards", severity }])
      })
    const finding = {
      rule: "timeBackwards",
      count: 1,
      ranges: RangeSet.of(120_000, 180_000),
      examples: [{ timeMs: 120_000, column: "event_time", value: 120_000 }]
    }
    for (const beyond of ["keep", "drop"] as const) {
      const lateness = { beyond }
      const { report } = Result.getOrThrow(backwards("flag", { lateness }))
      expect(report.findings, beyond).toMatchObject([finding])
      expect(backwards("reject", { lateness }), beyond).toMatchObject({
        failure: { message: expect.stringContaining("1 bar: event_time is 120000 at 1970-01-01T00:02:00Z") }
      })
      // what was not asked about is not judged
      expect(backwards("reject", { lateness }, [180_000, 600_000]), beyond).toMatchObject({ _tag: "Success" })
    }
  })
})

describe("conform() by rules of lateness", () => {
  // rows 3 and 2 are one and two bars behind 4, and row 1 three
  const late = flatBars([0, 4, 3, 2, 1, 5])
  const { outOfOrder } = RowFlag

  it("conform() absorbs rows that are late, flags them and counts those beyond two bars", () => {
    const { frame, report } = under(late, {})
    expect(minutesOf(frame)).toEqual([0, 1, 2, 3, 4, 5])
    expect(Array.from(frame.flags)).toEqual([0, outOfOrder, outOfOrder, outOfOrder, 0, 0])
    expect(report).toEqual({ ...nothingFound, rows: 6, outOfOrderCount: 3, lateCount: 1 })
  })

  it("conform() leaves out rows beyond the tolerance where the rules drop them, and counts them", () => {
    const { frame, report } = under(late, { lateness: { beyond: "drop" } })
    expect(minutesOf(frame)).toEqual([0, 2, 3, 4, 5])
    expect(report).toEqual({ ...nothingFound, rows: 5, outOfOrderCount: 3, lateCount: 1, droppedCount: 1 })
    expect(minutesOf(under(late, { lateness: { bars: 1, beyond: "drop" } }).frame)).toEqual([0, 3, 4, 5])
    expect(minutesOf(under(late, { lateness: { bars: 3, beyond: "drop" } }).frame)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it("conform() refuses rows beyond the tolerance where the rules say so", () => {
    const failure = failureOf(late, { rules: { lateness: { beyond: "fail" } } })
    expect(failure).toMatchObject({ step: "markOutOfOrder" })
    expect(failure.message).toBe("1 rows are more than 2 bars behind a row before them")
  })

  it("conform() reads rows backwards that come with the newest first", () => {
    const { frame, report } = under(flatBars([3, 2, 2, 1], [3, 20, 21, 1]), { order: "newestFirst" })
    expect(minutesOf(frame)).toEqual([1, 2, 3])
    // read backwards the row of price 20 comes last
    expect(valuesOf(frame, "close")).toEqual([1, 20, 3])
    expect(report).toEqual({ ...nothingFound, rows: 3, gaveWayCount: 1 })
  })
})

describe("conform() by rules of time", () => {
  it("conform() moves bars that are stamped with their end to their start, with what lies inside them", () => {
    const { frame, report } = under(at([60_000, 1], [119_999, 2], [180_000, 3]), { time: { stamped: "close" } })
    expect(minutesOf(frame)).toEqual([0, 1, 2])
    expect(valuesOf(frame, "close")).toEqual([1, 2, 3])
    expect(report).toEqual({ ...nothingFound, rows: 3, movedToBar: 1 })
  })

  it("conform() rolls up shorter bars that are stamped with their end", () => {
    const minutes = Array.from({ length: 10 }, (_, minute) => [(minute + 1) * 60_000, minute + 1] as const)
    const rules: ConformanceRules = { rollUp: "bars", time: { stamped: "close" } }
    const { frame } = under(at(...minutes), rules, "5m")
    expect(minutesOf(frame)).toEqual([0, 5])
    expect(valuesOf(frame, "open")).toEqual([1, 6])
    expect(valuesOf(frame, "close")).toEqual([5, 10])
    expect(valuesOf(frame, "volume")).toEqual([15, 40])
  })

  it("conform() counts local times that a rule had to decide", () => {
    const rows = { ...flatBars([0, 1]), eventTime: ["2019-11-03 01:30", "2019-03-10 02:30"] }
    const zone = "America/New_York"
    const { report } = under(rows, { time: { zone, ambiguous: "later", nonexistent: "forward" } })
    expect(report).toMatchObject({ ambiguousTimeCount: 1, nonexistentTimeCount: 1 })
    expect(failureOf(rows, { rules: { time: { zone } } })).toMatchObject({ step: "toUtc", row: 0 })
  })

  it("conform() takes the rules of one source before those for all", () => {
    const rules: ConformanceRules = {
      time: { unit: "s", stamped: "close" },
      sources: { binance: { time: { unit: "ms" } }, other: { order: "newestFirst" } }
    }
    const { frame } = under(at([60_000, 1]), rules)
    expect(minutesOf(frame)).toEqual([0])
    const { frame: others } = conformed(at([60, 1]), { rules, source: "other" })
    expect(minutesOf(others)).toEqual([0])
  })
})

describe("conform() by rules of roll-up and conflict", () => {
  it("conform() makes one bar of the samples in it, each time counted once", () => {
    const samples = at([0, 5], [10_000, 9], [20_000, 3], [20_000, 3], [50_000, 4], [60_000, 7])
    const { frame, report } = under(samples, { rollUp: "bars" })
    const bars = frame.columns.map(({ values }) => Array.from<number | bigint>(values))
    expect(bars).toEqual([
      [5, 7],
      [9, 7],
      [3, 7],
      [4, 7],
      [21, 7]
    ])
    expect(Array.from(frame.flags)).toEqual([RowFlag.rolledUp, RowFlag.rolledUp])
    expect(report).toEqual({ ...nothingFound, rows: 2, gaveWayCount: 1, rolledUpCount: 3 })
  })

  it("conform() rolls every type up as its field says, and vwap by volume", () => {
    const schema: DataSchema = {
      version: 1,
      fields: [
        { name: "volume", type: "float64", required: true },
        { name: "vwap", type: "float64", required: true },
        { name: "trades", type: "int64", required: true, rollUp: "count" },
        { name: "best", type: "int64", required: true, rollUp: "highest" },
        { name: "halted", type: "bool", required: true, rollUp: "last" },
        { name: "venue", type: "category", required: true, rollUp: "first" },
        { name: "until", type: "timestamp", required: true, rollUp: "highest" },
        { name: "note", type: "category", required: false }
      ]
    }
    const rows: RawRows = {
      eventTime: [0, 60_000, 120_000],
      columns: [
        { name: "volume", values: [1, 3, 0] },
        { name: "vwap", values: [10, 20, null] },
        { name: "trades", values: [2, 3, 0] },
        { name: "best", values: [7, 9, 8] },
        { name: "halted", values: [false, false, true] },
        { name: "venue", values: ["X", "Y", "Z"] },
        { name: "until", values: ["1970-01-02", "1970-01-03", "1970-01-01"] },
        { name: "note", values: ["a", "b", "c"] }
      ]
    }
    const { frame } = conformed(rows, { schema, interval: intervalOf("5m"), rules: { rollUp: "bars" } })
    expect(frame.columns.map(({ values }) => values[0])).toEqual([4, 17.5, 5n, 9n, 1, 0, 172_800_000, 2 ** 32 - 1])
    expect(frame.columns[5]).toMatchObject({ dictionary: ["X", "Y", "Z"] })
  })

  it("conform() refuses to roll up a required column of which nothing says how", () => {
    const schema: DataSchema = { version: 1, fields: [{ name: "mood", type: "float64", required: true }] }
    const rows = { eventTime: [0], columns: ["mood", "price", "amount"].map((name) => ({ name, values: [1] })) }
    for (const rollUp of ["bars", "trades"] as const) {
      expect(failureOf(rows, { schema, rules: { rollUp } })).toMatchObject({ step: "rollUp", column: "mood" })
    }
  })

  it("conform() lets the highest version stand, whatever came last", () => {
    const version = { name: "version", values: [2, 3, 3, 1] }
    const bars = flatBars([0, 0, 0, 0], [1, 2, 3, 4])
    const { frame } = under({ ...bars, columns: [...bars.columns, version] }, { conflict: "version" })
    expect(valuesOf(frame, "close")).toEqual([3])
    expect(Array.from(frame.flags)).toEqual([RowFlag.duplicate])
    expect(valuesOf(under({ ...bars, columns: [...bars.columns, version] }, {}).frame, "close")).toEqual([4])
  })
})

/** Rules and a schema that no configuration has, and at which step they lead it into a defect. */
const broken: ReadonlyArray<readonly [step: string, changes: object]> = [
  ["castColumns", { schema: { version: 1, fields: [{ name: "open", type: "decimal", required: true }] } }],
  ["castColumns", { rules: { drop: 5 } }],
  ["toUtc", { rules: { time: { zone: "Mars/Olympus" } } }],
  ["alignToInterval", { interval: undefined }],
  ["markOutOfOrder", { rules: { lateness: null } }],
  [
    "rollUp",
    {
      schema: { version: 1, fields: [{ name: "open", type: "float64", required: true, rollUp: "median" }] },
      rules: { rollUp: "bars" }
    }
  ]
]

describe("conform() of broken rules", () => {
  it.each(broken)("conform() fails in %s, with the name of the step, and nothing passes", (step, changes) => {
    const rows = { ...flatBars([0, 1]), eventTime: ["2019-01-01", "2019-01-02"] }
    const failure = failureOf(rows, changes)
    expect(failure).toMatchObject({ _tag: "ConformanceFailed", step })
    expect(failure.message).toContain(`${step} broke off: `)
  })
})

const typed: DataSchema = {
  version: 1,
  fields: [
    { name: "price", type: "float64", required: true },
    { name: "count", type: "int64", required: true },
    { name: "halted", type: "bool", required: true },
    { name: "venue", type: "category", required: true },
    { name: "until", type: "timestamp", required: true }
  ]
}

const cell = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | null> => fc.option(arbitrary, { freq: 4 })

const typedRow = fc.tuple(
  fc.integer({ min: -99, max: 99 }),
  cell(fc.double({ noNaN: true, noDefaultInfinity: true })),
  cell(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n })),
  cell(fc.boolean()),
  cell(fc.string({ minLength: 1, maxLength: 3 })),
  cell(fc.integer({ min: 0, max: 1e12 })),
  cell(fc.constantFrom("x", "7"))
)

describe("conform() again", () => {
  law("conform() of a sealed frame of any types changes nothing", [fc.array(typedRow, { maxLength: 20 })], (drawn) => {
    const names = ["price", "count", "halted", "venue", "until", "extra"]
    const rows: RawRows = {
      eventTime: drawn.map(([minute]) => minute * 60_000),
      columns: names.map((name, index) => ({ name, values: drawn.map((row) => row[index + 1] as number | null) }))
    }
    const { frame } = conformed(rows, { schema: typed })
    const again = conformed({ eventTime: frame.eventTimeMs, columns: frame.columns }, { schema: typed })
    // the only values of a further column may have been those of a row that gave way
    expect(again.frame).toEqual({ ...chunkColumns(frame, typed), flags: new Uint32Array(frame.flags.length) })
    expect(again.report).toEqual({ ...nothingFound, rows: frame.eventTimeMs.length })
  })

  law(
    "conform() that drops late rows keeps exactly those within the tolerance of the latest before them",
    [fc.array(fc.nat(12), { maxLength: 15 }), fc.nat(4)],
    (minutes, bars) => {
      const kept = minutes.filter((minute, row) => Math.max(minute, ...minutes.slice(0, row)) - minute <= bars)
      const { frame, report } = under(flatBars(minutes), { lateness: { bars, beyond: "drop" } })
      expect(new Set(minutesOf(frame))).toEqual(new Set(kept))
      expect(report.droppedCount).toBe(minutes.length - kept.length)
      expect(under(pickRows(flatBars(minutes), Array.from(minutes.keys())), {}).report.droppedCount).toBe(0)
    }
  )
})
