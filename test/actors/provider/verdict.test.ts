/** Is an answer refused exactly where the caller asked for that? */
import { describe, expect, it } from "vitest"
import { untouched } from "../../../actors/provider/fillGap.ts"
import { coverageShare } from "../../../actors/provider/demands.ts"
import { type Evidence, refusal, strictFinding } from "../../../actors/provider/verdict.ts"
import type { QualitySummary } from "../../../protocol/history/QualitySummary.ts"
import type { SlaPolicy } from "../../../protocol/history/SlaPolicy.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { ActorUnavailable, MeshUnavailable } from "../../../protocol/wire/Errors.ts"
import { jobOf } from "../../support/jobs.ts"
import { lack, minute, requestOf } from "../../support/requests.ts"

const qualityOf = (rows: number, expectedBars: number): QualitySummary => ({
  rows,
  expectedBars,
  knownEmptyBars: 0,
  gapCount: 0,
  outOfOrderCount: 0,
  duplicateCount: 0
})

const gap = lack([7, 10], "missing")
const complete: Evidence = {
  quality: qualityOf(10, 10),
  missing: [],
  closed: RangeSet.empty,
  filled: untouched,
  gapMode: "none"
}
const partial: Evidence = { ...complete, quality: qualityOf(7, 10), missing: [gap] }
const failure = { tag: "SourceUnavailable", message: "down", source: "binance" }
const failed = (tag = "SourceUnavailable"): Evidence => ({
  ...partial,
  filled: { ...untouched, jobs: [jobOf({ state: "FAILED", failure: { ...failure, tag }, nextAttemptAt: 5000 })] }
})
const violation = { phase: "backfill", budgetMs: 100, waitedMs: 101, retryAfterMs: null }

const away = new MeshUnavailable({ operation: "read", reason: "no answer" })

const strict = requestOf({ strict: true })
const withPolicy = (sla: SlaPolicy) => requestOf({ sla })

describe("refusal()", () => {
  it("refusal() lets a partial answer pass where nothing else is demanded", () => {
    expect(refusal(requestOf(), partial, violation)).toBeUndefined()
    expect(refusal(requestOf(), failed(), violation)).toBeUndefined()
  })

  it("refusal() of FAIL_FAST carries what is missing", () => {
    expect(refusal(requestOf(), { ...partial, gapMode: "fail" }, null)).toMatchObject({
      _tag: "CoverageMissing",
      expectedBars: 10,
      missingBars: 3,
      missingRanges: [gap]
    })
    expect(refusal(requestOf(), { ...complete, gapMode: "fail" }, null)).toBeUndefined()
  })

  it("refusal() of FAIL_FAST takes nothing less than all that is covered, late or unreadable", () => {
    const fast = requestOf({ strategy: "fail_fast" })
    const late = { ...partial, unread: { isLate: true, failure: undefined } }
    expect(refusal(fast, late, violation)).toMatchObject({ _tag: "SlaViolated", phase: "backfill" })
    expect(refusal(requestOf(), late, violation)).toBeUndefined()
    const gone = { ...partial, unread: { isLate: false, failure: away } }
    expect(refusal(fast, gone, null)).toBe(away)
    expect(refusal(requestOf(), gone, null)).toBeUndefined()
  })

  it("refusal() of stored rows that can't be read is the store's failure, where anything less is an error", () => {
    const gone = { ...partial, unread: { isLate: false, failure: away } }
    expect(refusal(withPolicy({ onViolation: "error" }), gone, null)).toBe(away)
    expect(refusal(withPolicy({ onViolation: "error" }), gone, violation)).toMatchObject({ _tag: "SlaViolated" })
    expect(refusal(withPolicy({ onBackfillFailure: "error" }), gone, null)).toBeUndefined()
  })

  it("refusal() of a strict demand says how many bars were expected, how many came, and which are absent", () => {
    expect(refusal(strict, partial, null)).toMatchObject({
      _tag: "StrictViolation",
      expectedBars: 10,
      gotBars: 7,
      missingRanges: [gap]
    })
    expect(refusal(strict, complete, null)).toBeUndefined()
  })

  it("refusal() lets a strict demand pass that is to be flagged, or that lacks only what cannot be had", () => {
    expect(refusal(requestOf({ strict: true, onStrictViolation: "flag" }), partial, null)).toBeUndefined()
    const gone = { ...partial, quality: qualityOf(7, 7), missing: [lack([7, 10], "unavailable")] }
    expect(refusal(strict, gone, null)).toBeUndefined()
  })

  it("refusal() gives the source's error where the caller wants it, with the time to ask again", () => {
    const request = withPolicy({ onBackfillFailure: "error" })
    expect(refusal(request, failed(), null)).toMatchObject({
      _tag: "SourceUnavailable",
      source: "binance",
      reason: "down",
      retryAt: 5000
    })
    expect(refusal(request, failed("RowsRejected"), null)).toMatchObject({ _tag: "RowsRejected", reason: "down" })
    expect(refusal(request, failed("BudgetUnavailable"), null)).toMatchObject({
      _tag: "BudgetUnavailable",
      source: "binance",
      reason: "down",
      retryAt: 5000
    })
    expect(refusal(request, partial, null)).toBeUndefined()
  })

  it("refusal() tells of what waits for a person before anything else, as soon as the time or the job says so", () => {
    const policy = withPolicy({ onBackfillFailure: "error" })
    const aside = { ...failed(), missing: [gap, lack([8, 9], "quarantined")] }
    expect(refusal(policy, aside, null)).toMatchObject({ _tag: "WindowQuarantined", windowStart: 8 * 60_000 })
    const held = jobOf({ state: "QUARANTINED", windowStart: 6, failure })
    const jobs = [...failed().filled.jobs, held]
    expect(refusal(policy, { ...partial, filled: { ...untouched, jobs } }, null)).toMatchObject({
      _tag: "WindowQuarantined",
      windowStart: 6,
      reason: "down"
    })
  })

  it("refusal() says that nobody could be asked, where the caller wants no gap to go unnoticed", () => {
    const notAsked = new ActorUnavailable({ address: "coverage/a.1m", reason: "no leader" })
    const unasked = { ...partial, filled: { ...untouched, notAsked, notes: ["it could not be queued"] } }
    expect(refusal(withPolicy({ onBackfillFailure: "error" }), unasked, null)).toBe(notAsked)
    expect(refusal(requestOf(), unasked, null)).toBeUndefined()
    const whole = { ...unasked, quality: qualityOf(10, 10) }
    expect(refusal(withPolicy({ onBackfillFailure: "error" }), whole, null)).toBeUndefined()
  })

  it("refusal() forgives a source that failed where every bar came all the same", () => {
    const request = withPolicy({ onBackfillFailure: "error" })
    expect(refusal(request, { ...failed(), quality: qualityOf(10, 10), missing: [] }, null)).toBeUndefined()
  })

  it("refusal() gives the violation where the caller wants it", () => {
    const request = withPolicy({ onViolation: "error" })
    expect(refusal(request, complete, violation)).toMatchObject({
      _tag: "SlaViolated",
      phase: "backfill",
      waitedMs: 101
    })
    expect(refusal(request, partial, null)).toBeUndefined()
  })
})

describe("coverageShare()", () => {
  it("coverageShare() is the share of the bars that could come; all of none is all", () => {
    expect([qualityOf(7, 10), qualityOf(0, 0), qualityOf(0, 4)].map(coverageShare)).toEqual([0.7, 1, 0])
  })
})

describe("strictFinding()", () => {
  it("strictFinding() leaves out what cannot be had", () => {
    const missing = [lack([1, 2], "unavailable"), lack([3, 4], "deferred"), lack([5, 6], "quarantined")]
    const { missingRanges } = strictFinding({ quality: qualityOf(7, 9), missing, closed: RangeSet.empty })
    expect(missingRanges.map(({ state }) => state)).toEqual(["deferred", "quarantined"])
  })

  it("strictFinding() names what is missing while the market is open, and nothing else", () => {
    const missing = [lack([1, 4], "missing"), lack([6, 9], "deferred")]
    const closed = RangeSet.make([
      [2 * minute, 3 * minute],
      [5 * minute, 9 * minute]
    ])
    const { missingRanges } = strictFinding({ quality: qualityOf(8, 10), missing, closed })
    expect(missingRanges.map(({ end, start }) => [start / minute, end / minute])).toEqual([
      [1, 2],
      [3, 4]
    ])
  })
})
