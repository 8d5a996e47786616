/** Is it told what a read would do so that a person sees what comes from where, and what is waited for? */
import { describe, expect, it } from "vitest"
import { describeExplanation } from "../../bin/describeExplanation.ts"
import { explanation } from "../protocol/vectors/explanation.ts"

const told = explanation.reply.body
const fieldsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text.split("\n").map((line) => line.trim().split(/\s{2,}/))

describe("describeExplanation()", () => {
  it("describeExplanation() tells the gap, the waits, each kind of source, and each window", () => {
    expect(fieldsOf(describeExplanation(told))).toEqual([
      ["ohlcv:binance:BTC/BUSD 1m, 2022-12-13T00:00:00Z to 2022-12-13T00:05:00Z, auto_backfill, version 1"],
      ["gap", "the gap is filled and waited for: the strategy does so with each gap"],
      ["waits", "storage 1,950 ms at the most; backfill 1,700 ms at the most; all by 2,000 ms"],
      [
        "on failure",
        "gap: what there is; backfill fails: what there is; deadline or minCoverage missed: what there is"
      ],
      ["stored", "binance 2022-12-13T00:00:00Z to 2022-12-13T00:03:00Z"],
      [""],
      ["from", "bars", "windows", "takes"],
      ["cache", "0", "0", "0 chunks, 0 bytes"],
      ["storage", "3", "1", "1 chunk, 1,456 bytes"],
      ["backfill", "2", "1", "1 request, 0:01"],
      ["live", "0", "0", "there are no live sources yet"],
      ["binance: 1 request of 1,000 bars at the most"],
      [""],
      ["state", "start", "end", "ask again", "reason"],
      ["missing", "2022-12-13T00:03:00Z", "2022-12-13T00:05:00Z", "not filled yet"],
      [""],
      ["window", "bars", "job", "stands", "tried again"],
      ["2022-12-13T00:00:00Z", "2", "open", "-", "-"]
    ])
  })

  it("describeExplanation() says what nothing bounds, what is not asked for, and what is left out", () => {
    const waits = { totalDeadlineMs: 9, phases: { backfill: { budgetMs: 1700, retryBackoffMs: 1200 } } }
    expect(describeExplanation({ ...told, waits })).toMatch(
      /^waits {7}backfill 1,700 ms at the most, 1,200 ms of them before a second try; all by 9 ms$/m
    )
    const text = describeExplanation({
      ...told,
      gap: { mode: "fail", because: "strategy" },
      waits: { totalDeadlineMs: null, phases: { storage: { budgetMs: null, rowsMs: 100 } } },
      onFailure: { ...told.onFailure, gap: "error", strict: "flag" },
      windowsLeft: 1,
      notes: ["a note"]
    })
    expect(text).toMatch(/^gap {9}the read is refused: the strategy does so with each gap$/m)
    expect(text).toMatch(/^waits {7}storage as long as it takes, its rows 100 ms at the most; no deadline$/m)
    expect(text).toMatch(/^on failure {2}gap: an error; .*; not all bars: a finding$/m)
    expect(text).toMatch(/1 request, 0:01; not asked$/m)
    expect(text).toMatch(/\nand 1 more window\n\na note$/)
  })
})
