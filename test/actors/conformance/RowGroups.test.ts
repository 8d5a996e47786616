/** Does each row fall into the group of its bar, and each group give one value? */
import { describe, expect, it } from "vitest"
import * as RowGroups from "../../../actors/conformance/RowGroups.ts"
import { alignDown } from "../../../protocol/history/Interval.ts"
import { law } from "../../support/law.ts"
import { intervalOf, sealedFrame } from "../../support/rows.ts"

const five = intervalOf("5m")
const minutes = (...values: ReadonlyArray<number>): Float64Array => Float64Array.from(values, (value) => value * 60_000)

describe("byBar()", () => {
  it("byBar() starts a group at each bar that has a row", () => {
    expect(RowGroups.byBar(minutes(-1, 0, 4, 5, 20, 24), five)).toEqual({
      startMs: minutes(-5, 0, 5, 20),
      firstRow: Uint32Array.of(0, 1, 3, 4, 6)
    })
  })

  it("byBar() of no rows has no groups", () => {
    expect(RowGroups.byBar(minutes(), five)).toEqual({ startMs: minutes(), firstRow: Uint32Array.of(0) })
  })

  law("byBar() groups rows as their bars' starts do", [sealedFrame], ({ eventTimeMs }) => {
    const bars = Map.groupBy(eventTimeMs, (timeMs) => alignDown(five, timeMs))
    const { firstRow, startMs } = RowGroups.byBar(eventTimeMs, five)
    expect(Array.from(startMs)).toEqual([...bars.keys()])
    expect(Array.from(startMs, (_, group) => firstRow[group + 1]! - firstRow[group]!)).toEqual(
      Array.from(bars.values(), (bar) => bar.length)
    )
  })
})

describe("reduce()", () => {
  const groups = RowGroups.byBar(minutes(0, 1, 2, 5), five)
  const values = Float64Array.of(2, 3, 1, -4)

  it.each([
    ["first", RowGroups.first, [2, -4]],
    ["last", RowGroups.last, [1, -4]],
    ["highest", RowGroups.highest, [3, -4]],
    ["lowest", RowGroups.lowest, [1, -4]]
  ] as const)("reduce() by %s gives one value a group", (_name, reducer, expected) => {
    expect(Array.from(RowGroups.reduce(groups, values, reducer))).toEqual(expected)
  })

  it("reduce() by highest and lowest is missing where a value is", () => {
    const withMissing = Float64Array.of(2, Number.NaN, 1, -4)
    expect(Array.from(RowGroups.reduce(groups, withMissing, RowGroups.highest))).toEqual([Number.NaN, -4])
    expect(Array.from(RowGroups.reduce(groups, withMissing, RowGroups.lowest))).toEqual([Number.NaN, -4])
  })
})
