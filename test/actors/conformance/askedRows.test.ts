/** Is nothing taken of what a source gives beside the question, and nothing of it held against the rest? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { conform } from "../../../actors/conformance/conform.ts"
import type { ConformanceRules } from "../../../protocol/frame/ConformanceRules.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { within } from "../../../protocol/frame/Frame.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { law } from "../../support/law.ts"
import { conformed, flatBars, options, rawRows } from "../../support/rows.ts"

const minute = 60_000
const asked: Range = [0, 5 * minute]

/** Bars at these minutes, the price of each as text; `changes` says it otherwise. */
const texts = (minutes: ReadonlyArray<number>, changes: Readonly<Record<number, string>>): RawRows => ({
  eventTime: minutes.map((each) => each * minute),
  columns: ohlcv.fields.map(({ name }) => ({ name, values: minutes.map((each) => changes[each] ?? String(each)) }))
})

const minutesOf = (times: Float64Array): ReadonlyArray<number> => Array.from(times, (timeMs) => timeMs / minute)

describe("conform() of rows beside what was asked about", () => {
  it("conform() does not look at their values, and tells that those behind are there", () => {
    const rows = texts([-2, -1, 0, 1, 3, 5, 7], { [-2]: "abc", 7: "<html>" })
    const { bars, frame, report } = conformed(rows, { asked })
    expect(minutesOf(frame.eventTimeMs)).toEqual([0, 1, 3])
    expect(minutesOf(bars)).toEqual([0, 1, 3, 5, 7])
    expect(report.rows).toBe(3)
    // a question about no time at all
    const look = conformed(rows, { asked: [-2 * minute, -2 * minute] })
    expect([look.frame.eventTimeMs.length, minutesOf(look.bars)]).toEqual([0, [-2, -1, 0, 1, 3, 5, 7]])
  })

  it("conform() fails at what was asked about, with the row's number among all that were given", () => {
    expect(conform(texts([-2, -1, 0, 1, 7], { [-2]: "abc", 1: "x" }), { ...options, asked })).toMatchObject({
      failure: {
        column: "open",
        row: 3,
        message: 'open, row 3: "x" is no decimal number (in the row of 1970-01-01T00:01:00Z)'
      }
    })
  })

  it("conform() refuses late rows where they were asked about, whichever they are behind", () => {
    const rules: ConformanceRules = { lateness: { beyond: "fail" } }
    expect(conformed(flatBars([1, 2, 3, -3]), { asked, rules }).frame.eventTimeMs).toHaveLength(3)
    expect(conform(flatBars([1, 2, 9, 3]), { ...options, asked, rules })).toMatchObject({
      failure: { message: "1 rows are more than 2 bars behind a row before them" }
    })
  })

  it("conform() reads the type of a column that no schema names in the rows that it takes", () => {
    const rows = flatBars([0, 1, 7])
    const { frame } = conformed(
      { ...rows, columns: [...rows.columns, { name: "note", values: [1, 2, "text"] }] },
      { asked }
    )
    expect(frame.columns.at(-1)).toMatchObject({ name: "note", type: "float64", values: Float64Array.of(1, 2) })
  })

  const rules = fc.record<ConformanceRules>(
    {
      lateness: fc.record({ bars: fc.nat(3), beyond: fc.constantFrom("keep", "drop") }),
      order: fc.constantFrom("oldestFirst", "newestFirst"),
      rollUp: fc.constantFrom("none", "bars"),
      time: fc.constant({ stamped: "close" } as const)
    },
    { requiredKeys: [] }
  )

  law(
    "conform() gives what it gives of all of the rows, within what was asked about",
    [rawRows, rules, fc.integer({ min: -200, max: 200 }), fc.nat(100)],
    (rows, rules, from, length) => {
      const asked: Range = [from * minute, (from + length) * minute]
      const all = conformed(rows, { rules })
      const some = conformed(rows, { rules, asked })
      expect(some.frame).toEqual(within(all.frame, ...asked))
      expect(some.bars).toEqual(all.frame.eventTimeMs.filter((timeMs) => timeMs >= asked[0]))
    }
  )
})
