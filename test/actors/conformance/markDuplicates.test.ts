/** Is one row kept for each event time, and the right one? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { markDuplicates } from "../../../actors/conformance/markDuplicates.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { floats } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"

const mark = (
  times: ReadonlyArray<number>,
  prices: ReadonlyArray<number>
): { rows: ReadonlyArray<number> | "all"; gaveWayCount: number; flags: Array<number> } => {
  const flags = new Uint32Array(times.length)
  const columns = [floats("close", ...prices)]
  const { gaveWayCount, rows } = markDuplicates({ eventTimeMs: Float64Array.from(times), columns, flags })
  return { rows: rows === "all" ? rows : Array.from(rows), gaveWayCount, flags: Array.from(flags) }
}

const pairs = fc.array(fc.tuple(fc.nat(6), fc.constantFrom(1, 2, Number.NaN)), { maxLength: 12 })

describe("markDuplicates()", () => {
  it("markDuplicates() keeps all rows of strictly ascending times as they lie", () => {
    expect(mark([0, 60, 120], [1, 1, 1])).toEqual({ rows: "all", gaveWayCount: 0, flags: [0, 0, 0] })
    expect(mark([], [])).toEqual({ rows: "all", gaveWayCount: 0, flags: [] })
  })

  it("markDuplicates() makes exact repeats one row without a flag, missing values and both zeros included", () => {
    expect(mark([0, 0, 0], [1, 1, 1])).toEqual({ rows: [0], gaveWayCount: 2, flags: [0, 0, 0] })
    expect(mark([0, 0], [Number.NaN, Number.NaN])).toMatchObject({ rows: [0], gaveWayCount: 1 })
    expect(mark([0, 0], [0, -0])).toMatchObject({ rows: [0], gaveWayCount: 1 })
  })

  it("markDuplicates() lets the last given of unequal rows win and flags it", () => {
    expect(mark([0, 60, 0], [1, 5, 2])).toEqual({ rows: [2, 1], gaveWayCount: 1, flags: [0, 0, RowFlag.duplicate] })
    expect(mark([0, 0, 0], [1, 2, 1])).toMatchObject({ rows: [2], gaveWayCount: 2 })
  })

  it("markDuplicates() orders rows without duplicates by time", () => {
    expect(mark([120, 0, 60], [1, 2, 3])).toEqual({ rows: [1, 2, 0], gaveWayCount: 0, flags: [0, 0, 0] })
  })

  law("markDuplicates() keeps each time once, with the values given last", [pairs], (given) => {
    const times = given.map(([time]) => time)
    const prices = given.map(([, price]) => price)
    const { gaveWayCount, flags, rows } = mark(times, prices)
    const kept = rows === "all" ? times.map((_, row) => row) : rows
    const lastPrice = new Map(given)
    const distinct = Map.groupBy(given, ([time]) => time)
    expect(kept.map((row) => times[row])).toEqual([...new Set(times)].toSorted((a, b) => a - b))
    expect(kept.map((row) => prices[row])).toEqual(kept.map((row) => lastPrice.get(times[row]!)))
    expect(gaveWayCount).toBe(given.length - kept.length)
    expect(kept.map((row) => flags[row] === RowFlag.duplicate)).toEqual(
      kept.map((row) => new Set(distinct.get(times[row]!)?.map(([, price]) => price)).size > 1)
    )
  })
})
