/** Is the account of an answer honest about sources, counts and causes? */
import { describe, expect, it } from "vitest"
import type { Filled } from "../../../actors/provider/fillGap.ts"
import { untouched } from "../../../actors/provider/fillGap.ts"
import { foundIn } from "../../../actors/provider/Found.ts"
import * as historyMeta from "../../../actors/provider/historyMeta.ts"
import type { Loaded } from "../../../actors/provider/loadRows.ts"
import type { ValidRequest } from "../../../actors/provider/validRequest.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import * as Calendar from "../../../protocol/history/Calendar.ts"
import { StoreDamaged } from "../../../protocol/history/Errors.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobOf } from "../../support/jobs.ts"
import { lack, minute, requestOf } from "../../support/requests.ts"
import { conformed, flatBars } from "../../support/rows.ts"

const { sourceOutcomes, storeOutcomes, storesUnused } = historyMeta
const qualitySummary = (
  of: ValidRequest,
  { covered, findings, frame }: Loaded,
  missing: ReadonlyArray<MissingRange>,
  closed: RangeSet.RangeSet
) => {
  const found = foundIn(findings, of.entry.interval.lengthMs)
  return historyMeta.qualitySummary(of, { covered, found, counts: historyMeta.countRows(frame) }, missing, closed)
}
const request = requestOf()
const failure = { tag: "SourceUnavailable", message: "HTTP 503", source: "binance" }
const filled = (jobs: ReadonlyArray<BackfillJob>, timedOut = false): Filled => ({
  jobs,
  timedOut,
  notes: [],
  version: 0
})

/** An answer without rows. */
const nothing: Loaded = {
  frame: Frame.empty(request.entry.schema),
  covered: RangeSet.empty,
  contributions: new Map(),
  findings: Findings.none,
  fingerprint: "",
  stores: { chunks: { wanted: 0, fromCache: 0, fromStorage: 0 }, failure: undefined, storageAsked: false }
}

const asked = (stores: Partial<Loaded["stores"]>, storageTimedOut = false): historyMeta.StoresAsked => ({
  stores: { ...nothing.stores, ...stores },
  storageTimedOut
})

const outcomes = (of: Filled, stores?: historyMeta.StoresAsked) =>
  sourceOutcomes(request, of, stores === undefined ? storesUnused : storeOutcomes(stores))

describe("sourceOutcomes()", () => {
  it("sourceOutcomes() names every source of the series, those that were not asked too", () => {
    expect(outcomes(untouched)).toEqual({
      cache: { outcome: "not_asked" },
      storage: { outcome: "not_asked" },
      binance: { outcome: "not_asked" },
      kraken: { outcome: "not_asked" }
    })
  })

  it("sourceOutcomes() tells whether memory had all, and what became of asking the store for the rest", () => {
    const chunks = { wanted: 3, fromCache: 3, fromStorage: 0 }
    expect(outcomes(untouched, asked({ chunks }))).toMatchObject({
      cache: { outcome: "ok", chunks: 3 },
      storage: { outcome: "not_asked" }
    })
    const some = { wanted: 3, fromCache: 1, fromStorage: 2 }
    expect(outcomes(untouched, asked({ chunks: some, storageAsked: true }))).toMatchObject({
      cache: { outcome: "ok", chunks: 1 },
      storage: { outcome: "ok", chunks: 2 }
    })
    expect(outcomes(untouched, asked({}))["cache"]).toEqual({ outcome: "not_asked" })
    expect(outcomes(untouched, asked({ chunks: some }, true))["storage"]).toEqual({ outcome: "timed_out" })
    const gone = new StoreDamaged({ key: "a", problem: "is not there" })
    expect(outcomes(untouched, asked({ chunks: some, failure: gone, storageAsked: true }))["storage"]).toEqual({
      outcome: "failed",
      chunks: 2,
      error: { tag: "StoreDamaged", message: "a: is not there" }
    })
  })

  it("sourceOutcomes() adds up the requests of a source's jobs", () => {
    const jobs = [
      jobOf({ state: "SUCCEEDED", requests: 2 }),
      jobOf({ state: "SUCCEEDED", requests: 3, windowStart: 9 })
    ]
    expect(outcomes(filled(jobs))["binance"]).toEqual({ outcome: "ok", requests: 5 })
  })

  it("sourceOutcomes() never lets a source that is down look like one that is empty", () => {
    const jobs = [jobOf({ state: "SUCCEEDED", requests: 1 }), jobOf({ state: "FAILED", failure, requests: 6 })]
    expect(outcomes(filled(jobs))["binance"]).toEqual({
      outcome: "failed",
      requests: 7,
      error: { tag: "SourceUnavailable", message: "HTTP 503" }
    })
  })

  it("sourceOutcomes() blames the source that failed, not the one that was asked first", () => {
    const job = jobOf({ state: "FAILED", failure: { ...failure, source: "kraken" }, sources: ["binance", "kraken"] })
    expect(outcomes(filled([job]))).toMatchObject({
      binance: { outcome: "not_asked" },
      kraken: { outcome: "failed" }
    })
  })

  it("sourceOutcomes() says of a wait that ended early that it did", () => {
    expect(outcomes(filled([jobOf({ state: "RUNNING" })], true))["binance"]!.outcome).toBe("timed_out")
    expect(outcomes(filled([jobOf({ state: "SUCCEEDED" })], true))["binance"]!.outcome).toBe("ok")
  })
})

const loaded = (minutes: ReadonlyArray<number>, covered: RangeSet.RangeSet): Loaded => ({
  ...nothing,
  covered,
  frame: conformed(flatBars(minutes)).frame
})

describe("qualitySummary()", () => {
  const all = RangeSet.of(0, 10 * minute)

  it("qualitySummary() expects every bar of the range but those known to be empty", () => {
    expect(qualitySummary(request, loaded([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], all), [], RangeSet.empty)).toMatchObject({
      rows: 10,
      expectedBars: 10,
      knownEmptyBars: 0,
      gapCount: 0
    })
    expect(qualitySummary(request, loaded([0, 1, 2, 9], all), [], RangeSet.empty)).toMatchObject({
      rows: 4,
      expectedBars: 4,
      knownEmptyBars: 6
    })
  })

  it("qualitySummary() expects bars that are missing, and none that cannot be had", () => {
    const known = loaded([0, 1, 3], RangeSet.of(0, 4 * minute))
    const missing = [lack([4, 6], "missing"), lack([6, 7], "deferred"), lack([7, 10], "unavailable")]
    expect(qualitySummary(request, known, missing, RangeSet.empty)).toMatchObject({
      rows: 3,
      knownEmptyBars: 1,
      expectedBars: 6,
      gapCount: 3
    })
  })

  it("qualitySummary() expects no bar that is closed and missing, once where it cannot be had either", () => {
    const known = loaded([0, 1, 3], RangeSet.of(0, 4 * minute))
    const missing = [lack([4, 7], "missing"), lack([7, 10], "unavailable")]
    const closed = RangeSet.of(5 * minute, 9 * minute)
    expect(qualitySummary(request, known, missing, closed)).toMatchObject({ rows: 3, expectedBars: 4, gapCount: 2 })
  })

  it("qualitySummary() counts what came while it was closed among the bars that are expected", () => {
    const closed = RangeSet.of(0, 10 * minute)
    expect(qualitySummary(request, loaded([2, 3], all), [], closed)).toMatchObject({
      rows: 2,
      expectedBars: 2,
      knownEmptyBars: 8
    })
  })

  it("qualitySummary() counts what conformance marked in the rows", () => {
    const { frame } = loaded([0, 1, 2, 3], all)
    const flags = Uint32Array.of(RowFlag.outOfOrder, 0, RowFlag.outOfOrder | RowFlag.duplicate, RowFlag.backfilled)
    const marked = { ...nothing, covered: all, frame: { ...frame, flags } }
    expect(qualitySummary(request, marked, [], RangeSet.empty)).toMatchObject({
      outOfOrderCount: 2,
      duplicateCount: 1,
      examples: { outOfOrderCount: [0, 2 * minute], duplicateCount: [2 * minute] }
    })
    expect(qualitySummary(request, loaded([0, 1], all), [], RangeSet.empty)).not.toHaveProperty("examples")
  })

  it("qualitySummary() tells what rules found, how much of it in all and the first five bars", () => {
    const jump = RangeSet.make([
      [minute, 2 * minute],
      [4 * minute, 9 * minute]
    ])
    const found = { ...loaded([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], all), findings: { jump } }
    expect(qualitySummary(request, found, [], RangeSet.empty).findings).toEqual({
      jump: { count: 6, severity: "flag", examples: [1, 4, 5, 6, 7].map((bar) => bar * minute) }
    })
    expect(qualitySummary(request, loaded([0, 1], all), [], RangeSet.empty)).not.toHaveProperty("findings")
  })

  it("qualitySummary() tells what steps did to rows, and not as what rules found", () => {
    const findings = Findings.ofSteps([["movedToBar", RangeSet.of(minute, 8 * minute)]])
    const summary = qualitySummary(request, { ...loaded([0, 1], all), findings }, [], RangeSet.empty)
    expect(summary.conformed).toEqual({
      movedToBar: { count: 7, examples: [1, 2, 3, 4, 5].map((bar) => bar * minute) }
    })
    expect(summary).not.toHaveProperty("findings")
    expect(qualitySummary(request, loaded([0, 1], all), [], RangeSet.empty)).not.toHaveProperty("conformed")
  })

  it("qualitySummary() expects the bars that a rule keeps out, and tells of them", () => {
    const aside: MissingRange = {
      ...lack([2, 4], "quarantined"),
      reason: "quality rule jump: …",
      rule: "jump"
    }
    const rest = RangeSet.make([
      [0, 2 * minute],
      [4 * minute, 10 * minute]
    ])
    expect(qualitySummary(request, loaded([0, 1, 4, 5, 6, 7, 8, 9], rest), [aside], RangeSet.empty)).toMatchObject({
      rows: 8,
      expectedBars: 10,
      knownEmptyBars: 0,
      findings: { jump: { count: 2, severity: "quarantine", examples: [2 * minute, 3 * minute] } }
    })
  })
})

describe("closedTime()", () => {
  it("closedTime() has whole bars of the range that the calendar calls closed and of which nothing is stored", () => {
    const calendar = Calendar.ofDays([0, 10 * minute], (day) =>
      day === 0 ? RangeSet.of(2.5 * minute, 4 * minute) : RangeSet.empty
    )
    const asked = requestOf({ entry: { ...request.entry, calendar } })
    expect(toPairs(historyMeta.closedTime(asked, RangeSet.of(8 * minute, 9 * minute)))).toEqual([
      [0, 2 * minute],
      [4 * minute, 8 * minute],
      [9 * minute, 10 * minute]
    ])
    expect(toPairs(historyMeta.closedTime(request, RangeSet.empty))).toEqual([])
  })
})

describe("explained()", () => {
  const job = jobOf({ state: "FAILED", failure, nextAttemptAt: 5000, ranges: RangeSet.of(4 * minute, 6 * minute) })
  const { grid } = request.entry
  const explained = (missing: ReadonlyArray<MissingRange>, known: Filled) => historyMeta.explained(missing, known, grid)

  it("explained() gives the reason of the job that was to fill the time, and when it is tried again", () => {
    const reason = "binance: HTTP 503"
    const { windowBars } = grid
    const other = lack([windowBars, windowBars + 1], "missing")
    expect(explained([lack([3, 5], "missing"), other], filled([job]))).toMatchObject([
      { state: "missing", reason, retryAt: 5000 },
      { reason: "for the test: missing", retryAt: null }
    ])
    const aside = { ...job, state: "QUARANTINED", nextAttemptAt: null } as const
    expect(explained([lack([3, 5], "missing")], filled([aside]))).toMatchObject([{ state: "quarantined", reason }])
  })

  it.each([
    ["QUARANTINED", "quarantined"],
    ["FAILED", "missing"]
  ] as const)("explained() tells of all of a window that its run is %s, whatever that was to bring", (state, told) => {
    const ended = filled([{ ...job, state }])
    const last = grid.windowBars - 1
    const reason = "binance: HTTP 503"
    expect(explained([lack([8, 9], "missing"), lack([last, last + 1], "missing")], ended)).toMatchObject([
      { state: told, reason },
      { state: told, reason }
    ])
    const next = { state: "missing", reason: "for the test: missing" }
    expect(explained([lack([last + 1, last + 2], "missing")], ended)).toMatchObject([next])
    // one that is under way is asked for more when it has ended
    const running = filled([{ ...job, state: "RUNNING" }])
    expect(explained([lack([8, 9], "missing")], running)).toMatchObject([next])
  })

  it("explained() leaves what is known better as it is", () => {
    const known = [lack([3, 5], "deferred", 7), lack([5, 6], "unavailable")]
    expect(explained(known, filled([job]))).toEqual(known)
    expect(explained([lack([4, 5], "missing")], filled([{ ...job, failure: null }]))).toMatchObject([
      { reason: "for the test: missing" }
    ])
  })
})
