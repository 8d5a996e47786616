/** Are longer bars what the exchange itself makes of the shorter ones? */
import { describe, expect, it } from "vitest"
import { rollUpBars } from "../../../actors/conformance/rollUpBars.ts"
import { type Column, float64 } from "../../../protocol/frame/Column.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { readBars } from "../../support/csv.ts"
import { law } from "../../support/law.ts"
import { conformed, flatBars, intervalOf, sealedFrame } from "../../support/rows.ts"

const sample = (name: string): URL => new URL(`../../../examples/data/${name}`, import.meta.url)
const five = intervalOf("5m")
const quarter = intervalOf("15m")

describe("rollUpBars()", () => {
  it("rollUpBars() of the exchange's 1m bars gives its 5m bars, none more and none different", () => {
    const { frame } = conformed(readBars(sample("binance-xrpeth-1m-20191011.csv")))
    const expected = conformed(readBars(sample("binance-xrpeth-5m-20191011.csv")), { interval: five })
    const rolledUp = rollUpBars(frame, five)
    expect(frame.eventTimeMs.length).toBe(2_469)
    expect(rolledUp.eventTimeMs.length).toBe(706)
    expect(rolledUp.eventTimeMs).toEqual(expected.frame.eventTimeMs)
    expect(rolledUp.columns).toEqual(expected.frame.columns)
    expect(contentHash(rolledUp)).toBe(contentHash(expected.frame))
    expect(rolledUp.flags.every((flag) => flag === RowFlag.rolledUp)).toBe(true)
  })

  it("rollUpBars() joins the flags of a bar's rows and takes the lineage of its first", () => {
    const stored = conformed(flatBars([0, 1, 5]), { source: "lake", flags: RowFlag.backfilled }).frame
    const live = conformed(flatBars([6, 10]), { source: "feed", flags: RowFlag.live }).frame
    const { flags, lineage } = rollUpBars(Frame.concat([stored, live]), five)
    const { backfilled, live: isLive, rolledUp } = RowFlag
    expect(Array.from(flags)).toEqual([backfilled | rolledUp, backfilled | isLive | rolledUp, isLive | rolledUp])
    expect(lineage.map(({ rows, source }) => [rows, source])).toEqual([
      [2, "lake"],
      [1, "feed"]
    ])
  })

  it("rollUpBars() leaves out columns that have no rule", () => {
    const { columns, eventTime } = flatBars([0, 1])
    const extra = { name: "trades", values: [3, 4] }
    const { frame } = conformed({ eventTime, columns: [...columns, extra] })
    expect(rollUpBars(frame, five).columns.map((column) => column.name)).toEqual([
      "open",
      "high",
      "low",
      "close",
      "volume"
    ])
  })

  it("rollUpBars() weighs by a volume of whole numbers, and not by one that was rounded", () => {
    const vwapOf = (...amounts: ReadonlyArray<bigint>) => {
      const { frame } = conformed(flatBars([0, 1], [10, 20]))
      const columns: ReadonlyArray<Column> = [
        float64("vwap", Float64Array.of(10, 20)),
        { name: "volume", type: "int64", values: BigInt64Array.from(amounts) }
      ]
      return rollUpBars({ ...frame, columns }, five).columns[0]?.values[0]
    }
    expect(vwapOf(1n, 3n)).toBe(17.5)
    expect(vwapOf(1n, 2n ** 53n + 1n)).toBeNaN()
  })

  it("rollUpBars() of no rows has none", () => {
    expect(Frame.length(rollUpBars(conformed(flatBars([])).frame, five))).toBe(0)
  })

  law("rollUpBars() in two steps is one step", [sealedFrame], (frame) => {
    expect(rollUpBars(rollUpBars(frame, five), quarter)).toEqual(rollUpBars(frame, quarter))
  })
})
