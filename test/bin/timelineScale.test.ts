/** Are a timeline's rows and marks lengths that people count in, and do they fit? */
import { Option } from "effect"
import { assert, describe, it } from "vitest"
import { chooseScale, rowStarts } from "../../bin/timelineScale.ts"
import * as Interval from "../../protocol/history/Interval.ts"

const interval = (text: string) => Option.getOrThrow(Interval.parse(text))

const monday = Date.UTC(2022, 11, 12)
const hourMs = 3_600_000
const dayMs = 24 * hourMs

const scale = (text: string, lengthMs: number, marksMax = 61) => {
  const { mark, row } = chooseScale({ start: monday, end: monday + lengthMs, interval: interval(text), marksMax })
  return `${row.text}/${mark.text}`
}

describe("chooseScale", () => {
  it.each([
    ["1m", hourMs, "1h/1m"],
    ["1m", dayMs, "1h/1m"],
    ["1m", 4 * dayMs, "6h/10m"],
    ["1m", 14 * dayMs, "1d/30m"],
    ["1m", 200 * dayMs, "1w/3h"],
    ["5m", dayMs, "6h/10m"],
    ["1h", 14 * dayMs, "1d/1h"],
    ["1d", 365 * dayMs, "4w/1d"],
    ["1s", 1000, "1m/1s"]
  ])("chooseScale() of %s over %s ms is %s", (text, lengthMs, expected) =>
    assert.strictEqual(scale(text, lengthMs), expected)
  )

  it("chooseScale() makes marks longer where there is less room", () => {
    assert.strictEqual(scale("1m", 14 * dayMs, 24), "1d/1h")
    assert.strictEqual(scale("1m", 14 * dayMs, 1), "1d/1d")
  })

  it("chooseScale() still gives rows for a century", () => {
    assert.strictEqual(scale("1d", 36_525 * dayMs), "520w/52w")
  })
})

it("rowStarts() begins on the row's grid and covers the end", () => {
  const extent = { start: monday + dayMs, end: monday + 8 * dayMs }
  assert.deepStrictEqual(rowStarts(extent, interval("1w")), [monday, monday + 7 * dayMs])
})
