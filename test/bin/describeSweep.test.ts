/** Is a sweep told so that a person sees what was done, what would be, and what was not? */
import { describe, expect, it } from "vitest"
import { reportText, runText } from "../../bin/describeSweep.ts"
import type { SweepRun } from "../../protocol/messages/Sweep.ts"

const amount = (count: number, bytes: number) => ({ count, bytes })
const none = { kept: amount(0, 0), young: amount(0, 0), swept: amount(0, 0) }

const run: SweepRun = {
  id: "1",
  by: "alice",
  isDry: false,
  series: null,
  startedAt: 1_670_889_600_000,
  endedAt: 1_670_889_601_500,
  seriesDone: 3,
  seriesTotal: 3,
  tally: {
    chunks: { kept: amount(1200, 5 * 1024 ** 3), young: amount(1, 1023), swept: amount(2, 1536) },
    pages: none,
    roots: none
  },
  troubles: []
}

const linesOf = (text: string) => text.split("\n").map((line) => line.trim().split(/\s{2,}/))

describe("runText()", () => {
  it("runText() says who swept what and when, and what became of each kind", () => {
    expect(linesOf(runText(run))).toEqual([
      ["sweep of 3 series by alice, begun 2022-12-13T00:00:00Z, ended 2022-12-13T00:00:01.500Z"],
      [""],
      ["deleted", "named, kept", "less than a day old"],
      ["chunks", "2, 1.5 KiB", "1,200, 5.0 GiB", "1, 1023 bytes"],
      ["pages", "0, 0 bytes", "0, 0 bytes", "0, 0 bytes"],
      ["roots", "0, 0 bytes", "0, 0 bytes", "0, 0 bytes"]
    ])
  })

  it("runText() of a dry run, of one series, that goes on, and of troubles", () => {
    const series = { nodeId: "a", interval: "1m" }
    const text = runText({
      ...run,
      isDry: true,
      series,
      endedAt: null,
      seriesDone: 0,
      seriesTotal: 1,
      troubles: ["a 1m: lost"]
    })
    expect(text).toMatch(/^dry run of a 1m by alice, begun 2022-12-13T00:00:00Z, 0 of 1 series done\n/)
    expect(text).toMatch(/would be deleted/)
    expect(text).toMatch(/\nnot swept: a 1m: lost$/)
  })
})

describe("reportText()", () => {
  it("reportText() says what is under way, what was last, and when it begins by itself", () => {
    const nextAt = 1_670_976_000_000
    expect(reportText({ run: null, last: null, nextAt })).toBe(
      "nothing was swept yet\n\nby itself: 2022-12-14T00:00:00Z"
    )
    const both = reportText({ run: { ...run, endedAt: null }, last: run, nextAt })
    expect(both.split("sweep of 3 series")).toHaveLength(3)
  })
})
