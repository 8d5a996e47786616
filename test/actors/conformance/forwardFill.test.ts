/** Do known empty bars, and no others, get a row with the last price, and only where one is asked for? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { forwardFill } from "../../../actors/conformance/forwardFill.ts"
import { float64 } from "../../../protocol/frame/Column.ts"
import type { Field } from "../../../protocol/frame/DataSchema.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { floatColumns } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { conformed, flatBars, intervalOf, sealedFrame } from "../../support/rows.ts"

const interval = intervalOf("1m")

const minutes = (...pairs: ReadonlyArray<Range>): RangeSet.RangeSet =>
  RangeSet.make(pairs.map(([start, end]): Range => [start * 60_000, end * 60_000]))

const table = (frame: Frame.Frame) =>
  Array.from(frame.eventTimeMs, (timeMs, row) => [
    timeMs / 60_000,
    ...floatColumns(frame).map(({ values }) => values[row]),
    frame.flags[row]
  ])

const made = RowFlag.forwardFilled

describe("forwardFill()", () => {
  it("forwardFill() repeats the last close in covered bars without a row, and nothing was traded in them", () => {
    const { frame } = conformed(flatBars([1, 2, 5], [10, 20, 50]), { flags: RowFlag.backfilled })
    const { filledCount, frame: filled } = forwardFill(frame, minutes([0, 7]), { interval })
    const own = RowFlag.backfilled
    expect(table(filled)).toEqual([
      [1, 10, 10, 10, 10, 10, own],
      [2, 20, 20, 20, 20, 20, own],
      [3, 20, 20, 20, 20, 0, made],
      [4, 20, 20, 20, 20, 0, made],
      [5, 50, 50, 50, 50, 50, own],
      [6, 50, 50, 50, 50, 0, made]
    ])
    expect(filledCount).toBe(3)
    expect(filled.lineage).toMatchObject([{ rows: 6, source: "binance" }])
  })

  it("forwardFill() carries no price over time that is not covered", () => {
    const { frame } = conformed(flatBars([0, 5]))
    expect(Array.from(forwardFill(frame, minutes([0, 2], [4, 6]), { interval }).frame.eventTimeMs)).toEqual([
      0, 60_000, 300_000
    ])
  })

  it("forwardFill() makes no row while the market is closed, keeps those that are there, and carries the price on", () => {
    const { frame } = conformed(flatBars([0, 3, 7], [10, 30, 70]))
    const { frame: filled } = forwardFill(frame, minutes([0, 8]), { interval, closed: minutes([1, 5]) })
    expect(table(filled).map(([minute, open]) => [minute, open])).toEqual([
      [0, 10],
      [3, 30],
      [5, 30],
      [6, 30],
      [7, 70]
    ])
  })

  it("forwardFill() takes the last price that there is, and the close of a bar for all four", () => {
    const { columns, eventTime } = flatBars([0, 1], [1, 2])
    const [open, high, low, , volume] = columns
    const close = float64("close", Float64Array.of(1.5, Number.NaN))
    const { frame } = conformed({ eventTime, columns: [open!, high!, low!, close, volume!] })
    expect(table(forwardFill(frame, minutes([0, 3]), { interval }).frame)[2]).toEqual([2, 1.5, 1.5, 1.5, 1.5, 0, made])
  })

  it("forwardFill() makes sums 0 and everything else missing, whatever the type", () => {
    const fields: ReadonlyArray<Field> = [
      { name: "close", type: "float64", required: true },
      { name: "vwap", type: "float64", required: false },
      { name: "trades", type: "int64", required: false, rollUp: "count" },
      { name: "number", type: "int64", required: false },
      { name: "halted", type: "bool", required: false },
      { name: "venue", type: "category", required: false }
    ]
    const rows = {
      eventTime: [0],
      columns: [
        ["close", 5],
        ["vwap", 5],
        ["trades", 3],
        ["number", 3],
        ["halted", true],
        ["venue", "X"]
      ].map(([name, value]) => ({ name: String(name), values: [value!] }))
    }
    const { frame } = conformed(rows, { schema: { version: 1, fields } })
    const { columns } = forwardFill(frame, minutes([0, 2]), { interval, fields }).frame
    expect(columns.map(({ values }) => values[1])).toEqual([5, Number.NaN, 0n, -(2n ** 63n), 255, 2 ** 32 - 1])
  })

  it("forwardFill() leaves a frame as it is in which every bar has a row, or that has no close", () => {
    const { frame } = conformed(flatBars([0, 1]))
    expect(forwardFill(frame, minutes([0, 2]), { interval })).toEqual({ frame, filledCount: 0 })
    const noClose = { ...frame, columns: frame.columns.slice(0, 3) }
    expect(forwardFill(noClose, minutes([0, 5]), { interval })).toEqual({ frame: noClose, filledCount: 0 })
  })

  const someMinutes = fc
    .array(fc.tuple(fc.integer({ min: -210, max: 200 }), fc.nat(60)), { maxLength: 4 })
    .map((pairs) => minutes(...pairs.map(([start, length]): Range => [start, start + length])))

  law(
    "forwardFill() keeps every row of the set, and makes a row only where the set has none",
    [sealedFrame, someMinutes],
    (frame, set) => {
      const inSet = Array.from(frame.eventTimeMs, (timeMs, row) => [timeMs, row] as const).filter(([timeMs]) =>
        includes(set, timeMs)
      )
      const given = Frame.pick(
        frame,
        Uint32Array.from(inSet, ([, row]) => row)
      )
      const { filledCount, frame: filled } = forwardFill(given, set, { interval })
      const isMade = Array.from(filled.flags, (flags) => flags === made)
      const kept = Frame.pick(filled, Uint32Array.from(isMade.flatMap((each, row) => (each ? [] : [row]))))
      expect(kept).toEqual(given)
      expect(isMade.filter(Boolean).length).toBe(filledCount)
      expect(filled.eventTimeMs.every((timeMs) => includes(set, timeMs))).toBe(true)
      expect(Frame.isAscending(filled.eventTimeMs)).toBe(true)
    }
  )
})
