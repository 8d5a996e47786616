/** Is each demand on the content of an answer noticed where it is not met, and only there? */
import { describe, expect, it } from "vitest"
import { lagMs, type Measured, retryAfterMs, unmet } from "../../../actors/provider/demands.ts"
import { untouched } from "../../../actors/provider/fillGap.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { ActorUnavailable, MailboxFull } from "../../../protocol/wire/Errors.ts"
import { jobOf } from "../../support/jobs.ts"
import { lack, minute } from "../../support/requests.ts"

const minutes = (from: number, to: number) => RangeSet.of(from * minute, to * minute)

const time = (covered: RangeSet.RangeSet, finalUntil = 100, unexpected = RangeSet.empty) => ({
  range: [0, 10 * minute] as const,
  covered,
  unexpected,
  finalUntilMs: finalUntil * minute
})

describe("lagMs()", () => {
  it.each([
    ["all of it where nothing is covered", time(RangeSet.empty), 10],
    ["nothing where the last bar is covered, whatever is missing before it", time(minutes(9, 10)), 0],
    ["what is behind the newest covered bar", time(RangeSet.union(minutes(0, 3), minutes(5, 7))), 3],
    ["no bar that is not final yet", time(minutes(0, 4), 6), 2],
    ["nothing of a range that has not come yet", time(RangeSet.empty, 0), 0],
    ["nothing where bars are covered that are not final by the clock", time(minutes(0, 8), 6), 0],
    ["no time in which no bar is expected", time(minutes(0, 4), 100, minutes(5, 9)), 2],
    ["no coverage beyond the range", time(minutes(10, 20)), 10]
  ])("lagMs() counts %s", (_, of, expected) => expect(lagMs(of)).toBe(expected * minute))
})

const measured = (changes: Partial<Measured>): Measured => ({
  counted: { expectedBars: 10, rows: 10 },
  lagMs: 0,
  elapsedMs: 7,
  totalDeadlineMs: 1000,
  ...changes
})

describe("unmet()", () => {
  it("unmet() tells of too few bars, and of bars that are too old, only where that is demanded", () => {
    const poor = measured({ counted: { expectedBars: 10, rows: 8 }, lagMs: 120_000 })
    expect(unmet({}, poor)).toEqual([])
    expect(unmet({ minCoverage: 0.8, maxLagMs: 120_000 }, poor)).toEqual([])
    expect(unmet({ minCoverage: 0.81 }, poor)).toEqual([
      { phase: "minCoverage", budgetMs: 1000, waitedMs: 7, retryAfterMs: null }
    ])
    expect(unmet({ maxLagMs: 60_000 }, poor)).toEqual([
      { phase: "lag", budgetMs: 60_000, waitedMs: 120_000, retryAfterMs: null }
    ])
    expect(unmet({ minCoverage: 1, maxLagMs: 0 }, poor).map(({ phase }) => phase)).toEqual(["minCoverage", "lag"])
  })

  it("unmet() takes all of nothing for all", () =>
    expect(unmet({ minCoverage: 1 }, measured({ counted: { expectedBars: 0, rows: 0 } }))).toEqual([]))
})

describe("retryAfterMs()", () => {
  const nowMs = 1000
  const after = (missing: Parameters<typeof retryAfterMs>[0], filled = {}) =>
    retryAfterMs(missing, { ...untouched, ...filled }, nowMs)

  it("retryAfterMs() is null where nobody knows more", () => {
    expect(after([])).toBeNull()
    expect(after([lack([0, 1], "missing")])).toBeNull()
    expect(after([lack([0, 1], "missing")], { jobs: [jobOf({ state: "RUNNING" })] })).toBeNull()
    const notAsked = new ActorUnavailable({ address: "a", reason: "away" })
    expect(after([lack([0, 1], "missing")], { notAsked })).toBeNull()
  })

  it("retryAfterMs() is the first time at which anything that is lacking is tried again", () => {
    const deferred = [lack([0, 1], "deferred", 9000), lack([2, 3], "deferred", 4000)]
    expect(after(deferred)).toBe(3000)
    expect(after(deferred, { jobs: [jobOf({ state: "FAILED", nextAttemptAt: 1500 })] })).toBe(500)
    expect(after(deferred, { jobs: [jobOf({ state: "FAILED", nextAttemptAt: 900 })] })).toBe(0)
    expect(after([lack([0, 1], "unavailable", 1100)])).toBeNull()
  })

  it("retryAfterMs() is what a full mailbox says", () => {
    expect(after([], { notAsked: new MailboxFull({ address: "a", retryAfterMs: 250 }) })).toBe(250)
  })
})
