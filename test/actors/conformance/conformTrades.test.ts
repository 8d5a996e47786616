/** Do the same trades always give the same bars, in whatever order, parts, zone or unit they come? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { mergeFrames } from "../../../actors/conformance/mergeFrames.ts"
import { fingerprint } from "../../../actors/provider/fingerprint.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import type { ConformanceRules } from "../../../protocol/frame/ConformanceRules.ts"
import { type DataSchema, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { readBars, readTrades } from "../../support/csv.ts"
import { law } from "../../support/law.ts"
import { conformed, decimal, intervalOf, nothingFound, shuffled } from "../../support/rows.ts"

/** One trade. */
interface Trade {
  readonly timeMs: number
  readonly id: number
  readonly price: number
  readonly amount: number
}

const schema: DataSchema = {
  version: 1,
  fields: [
    ...ohlcv.fields,
    { name: "vwap", type: "float64", required: false },
    { name: "trades", type: "int64", required: false, rollUp: "count" }
  ]
}

const dayMs = 86_400_000
// around the night in which clocks in New York were put back, and the one in which they were put forward
const nights = [Date.UTC(2019, 10, 3), Date.UTC(2019, 2, 10)]

const trade = fc.tuple(fc.constantFrom(...nights), fc.integer({ min: 0, max: 900_000 }), decimal, decimal)

/** Trades of a quarter of an hour, with ids that need not ascend in time. */
const trades: fc.Arbitrary<ReadonlyArray<Trade>> = fc
  .array(trade, { minLength: 1, maxLength: 25 })
  .map((drawn) => drawn.map(([night, atMs, price, amount], id) => ({ timeMs: night + atMs, id, price, amount })))

const rowsOf = (
  given: ReadonlyArray<Trade>,
  eventTime: RawRows["eventTime"] = Float64Array.from(given, ({ timeMs }) => timeMs)
): RawRows => ({
  eventTime,
  columns: (["price", "amount", "id"] as const).map((name) => ({
    name,
    values: given.map((each) => each[name])
  }))
})

const barsOf = (rows: RawRows, rules: ConformanceRules = {}): Frame.Frame =>
  conformed(rows, { schema, rules: { rollUp: "trades", ...rules } }).frame

/** What two ways of giving the same trades agree in: all but which of them came late. */
const dataOf = (frame: Frame.Frame) => ({
  ...frame,
  flags: frame.flags.map((flags) => flags & ~RowFlag.outOfOrder)
})

const fingerprintOf = (frame: Frame.Frame): string => {
  const range = [nights[1]!, nights[0]! + dayMs] as const
  const series = { nodeId: "trades", interval: "1m" }
  const windows = [{ windowStart: range[0], contentHash: contentHash(frame) }]
  return fingerprint({ series, range, covered: RangeSet.of(...range) }, windows)
}

const expectSame = (frame: Frame.Frame, other: Frame.Frame): void => {
  expect(dataOf(frame)).toEqual(dataOf(other))
  expect(fingerprintOf(frame)).toBe(fingerprintOf(other))
}

/** Clocks in a zone that is so far from UTC all year. */
const isoWith = (timeMs: number, offsetMinutes: number): string => {
  const sign = offsetMinutes < 0 ? "-" : "+"
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60]
  const shown = new Date(timeMs + offsetMinutes * 60_000).toISOString().slice(0, -1)
  return `${shown}${sign}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`
}

const sample = (name: string): URL => new URL(`../../../examples/data/${name}`, import.meta.url)

describe("conform() of trades", () => {
  law(
    "conform() of the same trades in any order, some of them repeated, gives the same bars",
    [
      trades.chain((all) =>
        fc.tuple(
          fc.constant(all),
          fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length, maxLength: 2 * all.length }),
          fc.nat(all.length)
        )
      )
    ],
    ([all, mixed, repeated]) => {
      const once = mixed.filter((each, at) => mixed.indexOf(each) === at)
      expectSame(barsOf(rowsOf([...once, ...mixed.slice(0, repeated)])), barsOf(rowsOf(all)))
    }
  )

  law(
    "conform() of trades split between bars, and parts that overlap, gives bars that join to the same",
    [trades, fc.array(fc.nat(15), { maxLength: 4 }), fc.nat(2)],
    (all, cuts, overlapMinutes) => {
      const edges = nights.flatMap((night) => cuts.map((minute) => night + minute * 60_000)).toSorted((a, b) => a - b)
      const starts = [-Infinity, ...new Set(edges)]
      const parts = starts.map((start, at) => {
        const end = starts[at + 1] ?? Infinity
        const near = all.filter(({ timeMs }) => timeMs >= start && timeMs < end + overlapMinutes * 60_000)
        return Frame.within(barsOf(rowsOf(near)), start, end)
      })
      expectSame(mergeFrames([Frame.empty(schema), ...parts]), barsOf(rowsOf(all)))
    }
  )

  law(
    "conform() of trades in any unit gives the same bars",
    [trades, fc.constantFrom("s", "ms", "us", "ns"), fc.constantFrom("floats", "bigints", "numbers", "texts", "auto")],
    (all, unit, form) => {
      const scale = { s: 1e-3, ms: 1, us: 1e3, ns: 1e6 }[unit]
      const exact = all.map(({ timeMs }) => (unit === "s" ? BigInt(timeMs) : BigInt(timeMs) * BigInt(scale)))
      const floats = all.map(({ timeMs }) => (unit === "s" ? timeMs / 1e3 : timeMs * scale))
      const times = {
        floats: Float64Array.from(floats),
        auto: Float64Array.from(floats),
        numbers: floats,
        bigints: unit === "s" ? Float64Array.from(floats) : BigInt64Array.from(exact),
        texts: unit === "s" ? floats.map(String) : exact.map(String)
      }
      const frame = barsOf(rowsOf(all, times[form]), { time: { unit: form === "auto" ? "auto" : unit } })
      expectSame(frame, barsOf(rowsOf(all)))
    }
  )

  law(
    "conform() of trades by the clocks of any place gives the same bars",
    [trades, fc.integer({ min: -14 * 60, max: 14 * 60 })],
    (all, offsetMinutes) => {
      const told = barsOf(
        rowsOf(
          all,
          all.map(({ timeMs }) => isoWith(timeMs, offsetMinutes))
        )
      )
      expectSame(told, barsOf(rowsOf(all)))
    }
  )

  law(
    "conform() of trades whose zone is a rule gives the same bars, where no hour comes twice",
    [trades, fc.constantFrom("Asia/Kolkata", "Asia/Seoul", "Australia/Lord_Howe", "America/New_York", "Europe/London")],
    (all, zone) => {
      // from 00:00 to 00:15 UTC no clock of these is changed
      const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" })
      const texts = all.map(({ timeMs }) => `${format.format(timeMs)}.${String(timeMs % 1000).padStart(3, "0")}`)
      expectSame(barsOf(rowsOf(all, texts), { time: { zone } }), barsOf(rowsOf(all)))
    }
  )

  law("conform() of its own bars changes nothing", [trades], (all) => {
    const frame = barsOf(rowsOf(all))
    const again = conformed(
      { eventTime: frame.eventTimeMs, columns: frame.columns },
      { schema, flags: RowFlag.rolledUp }
    )
    expect(again.frame).toEqual(dataOf(frame))
    expect(again.report).toEqual({ ...nothingFound, rows: Frame.length(frame) })
  })

  it.each(["1m", "5m"])(
    "conform() of the exchange's trades, shuffled and in nanoseconds, gives its %s bars",
    (text) => {
      const { amount, eventTimeMs, id, price } = readTrades(sample("binance-xrpeth-trades-20191011.csv"))
      const order = shuffled(id.length, 7)
      const rows: RawRows = {
        eventTime: BigInt64Array.from(order, (row) => BigInt(eventTimeMs[row]!) * 1_000_000n + 999_999n),
        columns: Object.entries({ amount, price, id }).map(([name, values]) => ({
          name,
          values: Float64Array.from(order, (row) => values[row]!)
        }))
      }
      const { frame, report } = conformed(rows, {
        interval: intervalOf(text),
        rules: { rollUp: "trades", time: { unit: "ns" } }
      })
      const { columns, eventTime } = readBars(sample(`binance-xrpeth-${text}-20191011.csv`))
      expect(frame.eventTimeMs).toEqual(eventTime)
      expect(frame.columns).toEqual(columns)
      expect(report).toMatchObject({
        rows: eventTime.length,
        rolledUpCount: 12_477 - eventTime.length,
        gaveWayCount: 0
      })
    }
  )

  it("conform() tells of two trades of one id the last, and flags its bar", () => {
    const rows = rowsOf([
      { timeMs: 0, id: 1, price: 5, amount: 1 },
      { timeMs: 10, id: 2, price: 6, amount: 1 },
      { timeMs: 0, id: 1, price: 4, amount: 1 }
    ])
    const { frame, report } = conformed(rows, { rules: { rollUp: "trades" } })
    expect(frame.columns.map(({ values }) => values[0])).toEqual([4, 6, 4, 6, 2])
    expect(Array.from(frame.flags)).toEqual([RowFlag.rolledUp | RowFlag.duplicate | RowFlag.outOfOrder])
    expect(report).toMatchObject({ rows: 1, gaveWayCount: 1, rolledUpCount: 1 })
  })

  it("conform() counts every trade where there are no ids", () => {
    const { columns, eventTime } = rowsOf(Array.from({ length: 3 }, () => ({ timeMs: 0, id: 1, price: 5, amount: 1 })))
    const { frame } = conformed({ eventTime, columns: columns.slice(0, 2) }, { rules: { rollUp: "trades" } })
    expect(frame.columns.map(({ values }) => values[0])).toEqual([5, 5, 5, 5, 3])
  })

  it("conform() orders trades by ids beyond 2^53, and by ids that are text", () => {
    const openOf = (values: BigInt64Array | ReadonlyArray<string>): unknown =>
      conformed(
        {
          eventTime: [0, 0],
          columns: [
            { name: "price", values: [1, 2] },
            { name: "amount", values: [1, 1] },
            { name: "id", values }
          ]
        },
        { rules: { rollUp: "trades" } }
      ).frame.columns[0]?.values[0]
    expect(openOf(BigInt64Array.of(2n ** 53n + 1n, 2n ** 53n))).toBe(2)
    expect(openOf(["9007199254740993", "9007199254740992"])).toBe(2)
    expect(openOf(["10-b", "10-a"])).toBe(2)
    expect(openOf(["9", "10"])).toBe(1)
  })
})
