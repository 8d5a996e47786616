/** Does the picture of a series show what is there, and every gap? */
import { assert, describe, it } from "vitest"
import { timeline } from "../../bin/timeline.ts"
import type { CoverageReport } from "../../client/HistoryResult.ts"
import type { MissingState } from "../../protocol/history/MissingRange.ts"

const day = Date.UTC(2022, 11, 13)
const minuteMs = 60_000
const hourMs = 60 * minuteMs

const report = (changes: Partial<CoverageReport> = {}): CoverageReport => ({
  nodeId: "a",
  interval: "1m",
  coverageRanges: [],
  missingRanges: [],
  watermarks: { eventTimeLow: null, eventTimeHigh: null },
  coverageVersion: 18,
  windowBars: 1440,
  ...changes
})

const gap = (state: MissingState, fromMinute: number, toMinute: number) => ({
  start: day + fromMinute * minuteMs,
  end: day + toMinute * minuteMs,
  state,
  reason: `because it is ${state}`,
  retryAt: null
})

const linesOf = (given: CoverageReport, columns = 80) => timeline(given, columns).split("\n")

describe("timeline", () => {
  it("timeline() counts the bars that may still change, where there are any", () => {
    const covered = report({ coverageRanges: [[day, day + hourMs]] })
    const source = { source: "binance", settleMs: 1 }
    const unsettledRanges = [{ start: day + hourMs - 3 * minuteMs, end: day + hourMs, ...source }]
    assert.include(linesOf({ ...covered, unsettledRanges }), "unsettled    3 bars may still change")
    assert.notInclude(timeline(covered, 80), "unsettled")
  })

  it("timeline() draws covered time as blocks and the gap between as dots", () => {
    const lines = linesOf(
      report({
        coverageRanges: [
          [day, day + 10 * minuteMs],
          [day + 13 * minuteMs, day + 20 * minuteMs]
        ]
      })
    )
    assert.deepStrictEqual(lines, [
      "a 1m, coverage version 18",
      "",
      "2022-12-13T00:00Z  ██████████···███████",
      "",
      "a row is 1h, a mark 1m",
      "█ covered  ▒ partly  · missing  ~ deferred  - unavailable  ! quarantined",
      "covered      17 bars in 2 ranges",
      "missing      3 bars in 1 range",
      "counted      2022-12-13T00:00:00Z to 2022-12-13T00:20:00Z",
      "outside      nothing is covered"
    ])
  })

  it("timeline() never says that nothing is missing, which it can't know: what was taken out is in no list", () => {
    const taken = timeline(report({ coverageRanges: [[day, day + 10 * minuteMs]] }), 80)
    assert.notMatch(taken, /missing +0/)
    assert.match(taken, /^counted +2022-12-13T00:00:00Z to 2022-12-13T00:10:00Z\noutside +nothing is covered$/m)
    assert.notMatch(timeline(report(), 80), /missing +0/)
  })

  it("timeline() tells the four kinds of time that isn't covered apart, with their reasons", () => {
    const lines = linesOf(
      report({
        coverageRanges: [[day, day + 4 * minuteMs]],
        missingRanges: [gap("unavailable", 4, 6), gap("quarantined", 6, 8), gap("deferred", 9, 12)]
      })
    )
    assert.strictEqual(lines[2], "2022-12-13T00:00Z  ████--!!·~~~")
    assert.include(lines, "deferred     3 bars in 1 range (because it is deferred)")
    assert.include(lines, "unavailable  2 bars in 1 range (because it is unavailable)")
    assert.include(lines, "quarantined  2 bars in 1 range (because it is quarantined)")
    assert.include(lines, "missing      1 bar in 1 range")
  })

  it("timeline() shows a gap of one bar in a mark of many", () => {
    const hole = day + 24 * 6 * hourMs
    const lines = linesOf(
      report({
        coverageRanges: [
          [day, hole],
          [hole + minuteMs, day + 14 * 24 * hourMs]
        ]
      })
    )
    assert.strictEqual(lines[2], `2022-12-13  ${"█".repeat(48)}`)
    assert.strictEqual(lines[8], `2022-12-19  ▒${"█".repeat(47)}`)
  })

  it("timeline() draws no row for the time before a listing", () => {
    const listed = { ...gap("unavailable", 0, 0), start: 0 }
    const lines = linesOf(report({ coverageRanges: [[day, day + minuteMs]], missingRanges: [listed] }))
    assert.strictEqual(lines[2], "2022-12-13T00:00Z  █")
    assert.strictEqual(lines[3], "")
  })

  it("timeline() takes what is covered for covered, whatever is told of it beside", () => {
    const lines = linesOf(
      report({ coverageRanges: [[day, day + 2 * minuteMs]], missingRanges: [gap("deferred", 1, 2)] })
    )
    assert.strictEqual(lines[2], "2022-12-13T00:00Z  ██")
  })

  it("timeline() says when nothing is known", () => {
    assert.include(timeline(report(), 80), "nothing is known of this series yet")
  })

  it.each([20, 40, 80, 200])("timeline() keeps its rows within %i columns", (columns) => {
    const rows = linesOf(report({ coverageRanges: [[day, day + 14 * 24 * hourMs]] }), columns)
    for (const row of rows.filter((line) => line.startsWith("2022"))) assert.isAtMost(row.length, columns)
  })
})
