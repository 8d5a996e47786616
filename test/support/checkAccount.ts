/**
 * Is the account of an answer complete, and does it agree with itself, with the request and with the rows?
 *
 * What holds of every answer, whatever came of it.
 */
import { assert } from "vitest"
import { Schema } from "effect"
import { HistoryMeta } from "../../protocol/history/HistoryResult.ts"
import { isOwed, timeOf } from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { durationMs } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** What was asked. */
export interface AskedFor {
  readonly range: Range
  readonly intervalMs: number
  readonly sources: ReadonlyArray<string>
  readonly strategy: string
  readonly requestId: string
}

const decode = Schema.decodeUnknownSync(HistoryMeta, { onExcessProperty: "error" })

const checkTime = (meta: HistoryMeta, { range }: AskedFor): void => {
  const missing = timeOf(meta.missingRanges)
  assert.deepStrictEqual(
    toPairs(RangeSet.union(meta.coverageRanges, missing)),
    [range],
    "covered and missing: all of it"
  )
  assert.strictEqual(durationMs(RangeSet.intersect(meta.coverageRanges, missing)), 0, "covered or missing: not both")
  const given = Object.values(meta.sourceContributions)
  assert.deepStrictEqual(
    toPairs(RangeSet.unionAll(given)),
    toPairs(meta.coverageRanges),
    "somebody gave what is covered"
  )
  const total = given.reduce((sum, set) => sum + durationMs(set), 0)
  assert.strictEqual(total, durationMs(meta.coverageRanges), "each bar is of one source")
  for (const { reason, retryAt, state } of meta.missingRanges) {
    assert.isNotEmpty(reason)
    if (state === "deferred") assert.isNotNull(retryAt, "what is deferred says until when")
  }
}

const checkRows = (meta: HistoryMeta, { intervalMs, range }: AskedFor, rows: ReadonlyArray<number>): void => {
  const { expectedBars, gapCount, knownEmptyBars, rows: counted } = meta.qualitySummary
  assert.strictEqual(counted, rows.length)
  assert.deepStrictEqual(
    rows,
    rows.toSorted((a, b) => a - b)
  )
  const isCovered = (time: number) => durationMs(RangeSet.clip(meta.coverageRanges, time, time + intervalMs)) > 0
  assert.isTrue(rows.every(isCovered), "each row is of covered time")
  assert.strictEqual(counted + knownEmptyBars, durationMs(meta.coverageRanges) / intervalMs)
  const never = durationMs(timeOf(meta.missingRanges.filter((each) => !isOwed(each)))) / intervalMs
  assert.strictEqual(expectedBars, (range[1] - range[0]) / intervalMs - knownEmptyBars - never)
  assert.strictEqual(gapCount, meta.missingRanges.length)
}

// timers of a busy machine are late; how late an answer is beside an idle timer is measured elsewhere
const timersLateMs = 900
// a timer counts whole milliseconds, and both sides are rounded
const roundedMs = 2

/** Demands on content, which are breached without any phase being late. */
const contentDemands = ["minCoverage", "lag"]

/** Checks what an account says of its time; of an answer in parts too. */
export const checkTimes = ({ slaReport }: Pick<HistoryMeta, "slaReport">): void => {
  const { elapsedMs, phases, totalDeadlineMs, violation } = slaReport
  assert.isBelow(elapsedMs, (totalDeadlineMs ?? Infinity) + timersLateMs)
  assert.property(phases, "storage", "what is covered is looked up for each")
  const late = Object.keys(phases).filter((name) => phases[name]!.timedOut)
  for (const [name, { budgetMs, timedOut, waitedMs }] of Object.entries(phases)) {
    assert.isAtMost(budgetMs, totalDeadlineMs ?? Infinity, name)
    assert.isAtMost(waitedMs, elapsedMs + roundedMs, name)
    if (timedOut) assert.isAtLeast(waitedMs, budgetMs - roundedMs, `${name}: whoever was late had all its time`)
  }
  if (violation === null) return assert.deepStrictEqual(late, [], "every breach is told")
  assert.include([...late, ...contentDemands], violation.phase)
  assert.isAtLeast(violation.waitedMs, violation.budgetMs - roundedMs)
  if (!late.includes(violation.phase)) return
  assert.strictEqual(violation.budgetMs, phases[violation.phase]!.budgetMs, "a breach is of the budget that is told")
  assert.isAtMost(violation.waitedMs, phases[violation.phase]!.waitedMs, "its wait is one of the phase")
}

const checkOutcomes = ({ sourceOutcomes, slaReport }: HistoryMeta, { sources }: AskedFor): void => {
  assert.sameMembers(Object.keys(sourceOutcomes), ["cache", "storage", ...sources])
  for (const [name, { error, outcome, requests }] of Object.entries(sourceOutcomes)) {
    assert.strictEqual(outcome === "failed", error !== undefined, `${name}: a failure says which`)
    if (error !== undefined) assert.isNotEmpty(error.tag + error.message)
    if (outcome === "not_asked") assert.isUndefined(requests, `${name}: who was not asked got no request`)
    if (outcome === "timed_out") assert.isNotNull(slaReport.violation, `${name}: whoever is late is a breach`)
  }
}

/** Checks an account as it is on the wire, and gives it; fails the test where anything of it is not so. */
export const checkAccount = (told: unknown, asked: AskedFor, rows: ReadonlyArray<number>): HistoryMeta => {
  const meta = decode(told)
  assert.strictEqual(meta.strategy, asked.strategy)
  assert.strictEqual(meta.requestId, asked.requestId)
  assert.match(meta.traceId, /^(?!0{32})[0-9a-f]{32}$/)
  assert.match(meta.spanId, /^(?!0{16})[0-9a-f]{16}$/)
  assert.match(meta.fingerprint, /^sha256:[0-9a-f]{64}$/)
  const { eventTimeHigh, eventTimeLow } = meta.watermarks
  assert.strictEqual(eventTimeHigh === null, meta.coverageVersion === 0, "a series with data has a highest time")
  assert.strictEqual(eventTimeLow === null, meta.coverageVersion === 0, "a series with data has a time below which")
  assert.isTrue(Number.isInteger(meta.staleMs ?? 0), "milliseconds are whole")
  checkTime(meta, asked)
  checkRows(meta, asked, rows)
  checkTimes(meta)
  checkOutcomes(meta, asked)
  return meta
}
