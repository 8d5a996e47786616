/** Do all the steps together make a sealed frame, whatever order and form the rows came in? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { conform } from "../../../actors/conformance/conform.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { readBars, readText } from "../../support/csv.ts"
import { floatColumns } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import {
  conformed,
  flatBars,
  intervalOf,
  nothingFound,
  options,
  pickRows,
  rawOf,
  rawRows,
  sealedFrame,
  shuffled
} from "../../support/rows.ts"

const sample = (name: string): URL => new URL(`../../../examples/data/${name}`, import.meta.url)
const quietMarket = sample("binance-unittestbtc-1m-20171104.csv")

/** Rows of distinct minutes and an order to give them in. */
const framesInAnyOrder = sealedFrame.chain((frame) => {
  const order = Array.from(frame.eventTimeMs, (_, row) => row)
  return fc.tuple(
    fc.constant(frame),
    fc.shuffledSubarray(order, { minLength: order.length, maxLength: order.length }),
    fc.subarray(order)
  )
})

describe("conform()", () => {
  it("conform() takes rows through every step", () => {
    const price = ["1.5", "3", null, "2", "1.5", "4"]
    const rows = {
      eventTime: ["1970-01-01", 180_000, 60_001, "1970-01-01T00:02Z", 0, 120_000],
      columns: [
        // what the schema does not name is of the type that it is given in
        { name: "trades", values: price.map((text) => (text === null ? null : Number(text))) },
        ...ohlcv.fields.map(({ name }) => ({ name, values: price }))
      ]
    }
    const { frame, report } = conformed(rows, { flags: RowFlag.backfilled })
    const { backfilled, duplicate, outOfOrder } = RowFlag
    expect(Array.from(frame.eventTimeMs)).toEqual([0, 60_000, 120_000, 180_000])
    expect(frame.columns.map((column) => column.name)).toEqual(["open", "high", "low", "close", "volume", "trades"])
    expect(floatColumns(frame).map((column) => Array.from(column.values))).toEqual(
      Array.from({ length: 6 }, () => [1.5, Number.NaN, 4, 3])
    )
    expect(Array.from(frame.flags)).toEqual([
      backfilled,
      backfilled | outOfOrder,
      backfilled | outOfOrder | duplicate,
      backfilled
    ])
    expect(frame.lineage).toEqual([{ rows: 4, source: "binance", ingestAtMs: options.ingestAtMs, jobId: "job-1" }])
    expect(report).toEqual({
      ...nothingFound,
      rows: 4,
      movedToBar: 1,
      outOfOrderCount: 4,
      lateCount: 1,
      gaveWayCount: 2
    })
  })

  it("conform() of an overlapping page says nothing of the rows that repeat", () => {
    const { frame, report } = conformed(flatBars([0, 1, 2, 1, 2, 3]))
    expect(Array.from(frame.flags)).toEqual([0, 0, 0, 0])
    expect(report).toEqual({ ...nothingFound, rows: 4, movedToBar: 0, outOfOrderCount: 1, gaveWayCount: 2 })
  })

  it("conform() of no rows is an empty frame with the schema's columns", () => {
    const { frame, report } = conformed(flatBars([]))
    expect(frame.columns.map((column) => column.name)).toEqual(["open", "high", "low", "close", "volume"])
    expect(frame.lineage).toEqual([])
    expect(report).toEqual({ ...nothingFound, rows: 0, movedToBar: 0, outOfOrderCount: 0, gaveWayCount: 0 })
  })

  it("conform() fails as its steps do", () => {
    expect(conform({ eventTime: [0], columns: [] }, options)).toMatchObject({
      failure: { step: "castColumns", column: "open" }
    })
    expect(conform({ ...flatBars([0]), eventTime: ["never"] }, options)).toMatchObject({
      failure: { step: "toUtc", row: 0 }
    })
  })

  it("conform() shares the memory of clean rows and never writes into others", () => {
    const clean = flatBars([0, 1, 2])
    const { frame } = conformed(clean)
    expect(frame.eventTimeMs).toBe(clean.eventTime)
    expect(frame.columns[0]?.values).toBe(clean.columns[0]?.values)
    const mixed = flatBars([2, 0, 1, 1], [5, 6, 7, 8])
    const before = structuredClone(mixed)
    conformed(mixed, { interval: intervalOf("5m") })
    expect(mixed).toEqual(before)
  })

  it("conform() reads the text of a file as it reads its numbers", () => {
    const { ts = [], ...columns } = Object.fromEntries(readText(quietMarket))
    const eventTime = ts.map((text) => new Date(Number(text)).toISOString())
    const texts = { eventTime, columns: Object.entries(columns).map(([name, values]) => ({ name, values })) }
    expect(conformed(texts)).toEqual(conformed(readBars(quietMarket)))
  })

  it("conform() of a shuffled file has its content", () => {
    const rows = readBars(quietMarket)
    const mixed = conformed(pickRows(rows, shuffled(rows.eventTime.length, 20171104)))
    expect(contentHash(mixed.frame)).toBe(contentHash(conformed(rows).frame))
    expect(mixed.report).toMatchObject({ rows: 13_681, movedToBar: 0, gaveWayCount: 0 })
  })

  law("conform() of any rows is sealed, and the report adds up", [rawRows], (rows) => {
    const { frame, report } = conformed(rows)
    expect(frame.eventTimeMs.every((timeMs, row) => row === 0 || frame.eventTimeMs[row - 1]! < timeMs)).toBe(true)
    expect(report.rows).toBe(frame.eventTimeMs.length)
    expect(report.rows + report.gaveWayCount).toBe(rows.eventTime.length)
  })

  law("conform() of a sealed frame changes nothing", [sealedFrame], (frame) => {
    const { frame: again, report } = conformed(rawOf(frame))
    expect(again).toEqual(frame)
    expect(report).toEqual({
      ...nothingFound,
      rows: frame.eventTimeMs.length,
      movedToBar: 0,
      outOfOrderCount: 0,
      gaveWayCount: 0
    })
  })

  law(
    "conform() of rows shuffled and repeated is the same frame but for out-of-order flags",
    [framesInAnyOrder],
    ([frame, order, repeated]) => {
      const { frame: again, report } = conformed(pickRows(rawOf(frame), [...order, ...repeated]))
      expect({ ...again, flags: again.flags.map((flag) => flag & ~RowFlag.outOfOrder) }).toEqual(frame)
      expect(contentHash(again)).toBe(contentHash(frame))
      expect(report.gaveWayCount).toBe(repeated.length)
    }
  )
})
