/** Are bars made of single trades those that the exchange published? */
import { describe, expect, it } from "vitest"
import { rollUpTrades, type Trades } from "../../../actors/conformance/rollUpTrades.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { readBars, readTrades } from "../../support/csv.ts"
import { conformed, intervalOf, nothingFound, shuffled } from "../../support/rows.ts"

const sample = (name: string): URL => new URL(`../../../examples/data/${name}`, import.meta.url)
const trades = readTrades(sample("binance-xrpeth-trades-20191011.csv"))

const pickTrades = (order: ReadonlyArray<number>): Trades => {
  const pick = (values: Float64Array): Float64Array => Float64Array.from(order, (row) => values[row]!)
  return {
    eventTimeMs: pick(trades.eventTimeMs),
    id: pick(trades.id),
    price: pick(trades.price),
    amount: pick(trades.amount)
  }
}

describe("rollUpTrades()", () => {
  it.each([
    ["1m", 2_469],
    ["5m", 706]
  ])("rollUpTrades() of 12,477 trades gives the exchange's %s bars, all %d of them and exactly", (text, bars) => {
    const rolledUp = rollUpTrades(trades, intervalOf(text))
    expect(trades.id.length).toBe(12_477)
    expect(rolledUp.eventTime.length).toBe(bars)
    expect(rolledUp).toEqual(readBars(sample(`binance-xrpeth-${text}-20191011.csv`)))
  })

  it.each([1, 2, 20191011])("rollUpTrades() of trades shuffled by seed %d gives the same bars", (seed) => {
    const mixed = pickTrades(shuffled(trades.id.length, seed))
    expect(mixed.id).not.toEqual(trades.id)
    for (const text of ["1m", "5m"]) {
      expect(rollUpTrades(mixed, intervalOf(text))).toEqual(readBars(sample(`binance-xrpeth-${text}-20191011.csv`)))
    }
  })

  it("rollUpTrades() orders trades of one millisecond by id, and without ids by arrival", () => {
    const together = { eventTimeMs: new Float64Array(3), price: Float64Array.of(7, 8, 9), amount: new Float64Array(3) }
    const openAndClose = (id: Float64Array): ReadonlyArray<number | undefined> => {
      const { columns } = rollUpTrades({ ...together, id }, intervalOf("1m"))
      return [columns[0]?.values[0], columns[3]?.values[0]]
    }
    expect(openAndClose(Float64Array.of(3, 1, 2))).toEqual([8, 7])
    expect(openAndClose(new Float64Array(3).fill(Number.NaN))).toEqual([7, 9])
  })

  it("rollUpTrades() counts rows, or what each of them stands for where it is several trades", () => {
    const together = pickTrades([0, 1, 2, 3, 4])
    const fields = [{ name: "trades", type: "int64", required: true, rollUp: "count" }] as const
    const counted = (given: Trades): ReadonlyArray<number> =>
      Array.from(rollUpTrades(given, intervalOf("1d"), fields).columns.find(({ name }) => name === "trades")!.values)
    expect(counted(together)).toEqual([5])
    expect(counted({ ...together, count: Float64Array.of(1, 4, 1, 2, 1) })).toEqual([9])
  })

  it("rollUpTrades() gives rows that conform passes on uncopied, with the flags told", () => {
    const bars = rollUpTrades(trades, intervalOf("1m"))
    const { frame, report } = conformed(bars, { flags: RowFlag.rolledUp })
    expect(frame.eventTimeMs).toBe(bars.eventTime)
    expect(frame.flags.every((flag) => flag === RowFlag.rolledUp)).toBe(true)
    expect(report).toEqual({ ...nothingFound, rows: 2_469, movedToBar: 0, outOfOrderCount: 0, gaveWayCount: 0 })
  })
})
