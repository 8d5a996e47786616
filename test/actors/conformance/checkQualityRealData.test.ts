/**
 * Do the rules that hold for every series leave recorded markets alone, and find what is put among them?
 *
 * Each file that is on record, of one minute and of five, busy and thin, of a market that rests and one that does not.
 */
import { describe, expect, it } from "vitest"
import { flaggedIn } from "../../../actors/conformance/ConformanceReport.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { planQuality } from "../../../protocol/frame/planQuality.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import * as Interval from "../../../protocol/history/Interval.ts"
import { barFiles } from "../../support/BarFile.ts"
import { readBars } from "../../support/csv.ts"
import { conformed, intervalOf } from "../../support/rows.ts"

const planOf = ({ lengthMs }: Interval.Interval) => planQuality([], { schema: ohlcv, intervalMs: lengthMs })

/** What each rule finds in the rows, by bars. */
const findingsOf = (rows: RawRows, text: string) => {
  const interval = intervalOf(text)
  const { report } = conformed(rows, { interval, quality: planOf(interval) })
  return report.findings
}

/** The bars as they would be at a coarser interval: the last of each. */
const coarser = (rows: RawRows, interval: Interval.Interval): RawRows => {
  const starts = Array.from(rows.eventTime, (time) => Interval.alignDown(interval, Number(time)))
  const lasts = starts.flatMap((start, row) => (starts[row + 1] === start ? [] : [row]))
  return {
    eventTime: Float64Array.from(lasts, (row) => starts[row]!),
    columns: rows.columns.map(({ name, values }) => ({
      name,
      values: Float64Array.from(lasts, (row) => Number(values[row]))
    }))
  }
}

describe("recorded markets", () => {
  it.each(Object.entries(barFiles))("%s has no bar that any rule finds", (_, { interval, path }) => {
    expect(findingsOf(readBars(path), interval)).toEqual([])
  })

  it.each(["5m", "15m", "1h", "4h", "1d"])("a perfect series of %s is perfect", (text) => {
    for (const { path } of [barFiles.fullDay, barFiles.otherExchange, barFiles.sessions]) {
      expect(findingsOf(coarser(readBars(path), intervalOf(text)), text)).toEqual([])
    }
  })

  it.each(Object.entries(barFiles))("%s with one price ten times too high has it found, and none before", (_, file) => {
    const { columns, eventTime } = readBars(file.path)
    const row = Math.floor(eventTime.length / 2)
    const close = columns.find(({ name }) => name === "close")!.values
    const spoilt = Float64Array.from(close, (value, at) => (at === row ? value * 10 : value))
    const given = {
      eventTime,
      columns: columns.map((each) => (each.name === "close" ? { ...each, values: spoilt } : each))
    }
    const findings = findingsOf(given, file.interval)
    expect(Object.keys(flaggedIn(findings)).toSorted()).toEqual(["jump", "ohlcOrder", "reversal", "zScore"])
    for (const { examples, rule } of findings) expect(examples[0], rule).toMatchObject({ timeMs: eventTime[row] })
    expect(findings.find(({ rule }) => rule === "reversal")?.count).toBe(1)
  })
})
