/** Is a source asked for just what it may be asked for, of all that jobs want? */
import { describe, expect, it } from "vitest"
import { planErrand, scopeOf } from "../../../actors/backfill/planErrand.ts"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobOf } from "../../support/jobs.ts"
import { entry, lack, minute, viewOf } from "../../support/requests.ts"

const minutes = (...pairs: ReadonlyArray<Range>): RangeSet.RangeSet =>
  RangeSet.make(pairs.map(([start, end]): Range => [start * minute, end * minute]))

const inMinutes = (set: RangeSet.RangeSet) => toPairs(set).map(([start, end]) => [start / minute, end / minute])

const late = 1000 * minute
const capabilities = { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 }

/** The job of the window at a minute. */
const jobAt = (start: number, ...pairs: ReadonlyArray<Range>): BackfillJob =>
  jobOf({ windowStart: start * minute, ranges: minutes(...pairs) })

interface Given {
  readonly covered?: RangeSet.RangeSet
  readonly exceptions?: ReadonlyArray<MissingRange>
  readonly of?: Partial<typeof entry>
  readonly source?: { readonly retentionMs?: number; readonly joinGapsBars?: number; readonly finalityDelayMs?: number }
  readonly nowMs?: number
}

const plan = (
  jobs: ReadonlyArray<BackfillJob>,
  { covered = RangeSet.empty, exceptions = [], nowMs = late, of = {}, source = {} }: Given = {}
) =>
  planErrand(jobs, {
    entry: { ...entry, ...of },
    capabilities: { ...capabilities, ...source },
    view: viewOf(covered, exceptions),
    nowMs
  })

describe("planErrand()", () => {
  it("planErrand() asks for the wanted time of neighbouring windows as one stretch, without what is covered", () => {
    const jobs = [jobAt(0, [4, 10]), jobAt(10, [10, 20]), jobAt(30, [30, 35])]
    expect(inMinutes(plan(jobs).stretches)).toEqual([
      [4, 20],
      [30, 35]
    ])
    expect(inMinutes(plan(jobs, { covered: minutes([6, 12], [30, 35]) }).stretches)).toEqual([
      [4, 6],
      [12, 20]
    ])
  })

  it("planErrand() never asks for time that can't be had, whoever says so, nor looks at it", () => {
    const jobs = [jobAt(0, [0, 10])]
    const limits = { of: { listedAt: 2 * minute, delistedAt: 9 * minute } }
    const { shut, stretches, untraded } = plan(jobs, { ...limits, exceptions: [lack([4, 5], "unavailable")] })
    expect(inMinutes(stretches)).toEqual([
      [2, 4],
      [5, 9]
    ])
    expect(inMinutes(untraded)).toEqual([
      [-Infinity, 2],
      [9, Infinity]
    ])
    expect(inMinutes(shut)).toEqual([
      [-Infinity, 2],
      [4, 5],
      [9, Infinity]
    ])
    const kept = { of: { retentionMs: 995 * minute }, source: { retentionMs: 995 * minute } }
    expect(inMinutes(plan(jobs, kept).stretches)).toEqual([[5, 10]])
  })

  it("planErrand() leaves to another source what this one does not keep any more", () => {
    const { beyond, stretches } = plan([jobAt(0, [0, 10])], { source: { retentionMs: 996 * minute } })
    expect(inMinutes(stretches)).toEqual([[4, 10]])
    expect(inMinutes(beyond)).toEqual([[0, 4]])
  })

  it("planErrand() never asks for bars that the slowest source of the series does not hold final, nor its own", () => {
    const jobs = [jobAt(0, [0, 10])]
    expect(inMinutes(plan(jobs, { nowMs: 5 * minute + entry.finalityDelayMs - 1 }).stretches)).toEqual([[0, 4]])
    expect(inMinutes(plan(jobs, { nowMs: 5 * minute + entry.finalityDelayMs }).stretches)).toEqual([[0, 5]])
    const slow = { nowMs: 8 * minute, source: { finalityDelayMs: 2 * minute } }
    expect(inMinutes(plan(jobs, slow).stretches)).toEqual([[0, 6]])
  })

  it("planErrand() asks along for what nobody wants between two parts of one window, and of no other", () => {
    const jobs = [jobAt(0, [0, 2], [8, 9]), jobAt(10, [12, 13], [18, 19])]
    const { along, stretches } = plan(jobs, { source: { joinGapsBars: 10 } })
    expect(inMinutes(stretches)).toEqual([
      [0, 9],
      [12, 19]
    ])
    expect(inMinutes(along)).toEqual([
      [2, 8],
      [13, 18]
    ])
    expect(jobs.map((job) => inMinutes(scopeOf(job, along)))).toEqual([[[0, 9]], [[12, 19]]])
    expect(inMinutes(plan(jobs).along)).toEqual([])
  })

  it("planErrand() asks along for nothing that is covered, or known to be asked for in vain", () => {
    const jobs = [jobAt(0, [0, 2], [8, 9])]
    const joining = { source: { joinGapsBars: 10 } }
    for (const state of ["deferred", "quarantined", "unavailable"] as const) {
      const exceptions = [lack([4, 5], state, late + 1)]
      expect(inMinutes(plan(jobs, { ...joining, exceptions }).along), state).toEqual([])
    }
    expect(inMinutes(plan(jobs, { ...joining, exceptions: [lack([4, 5], "deferred", late)] }).along)).toEqual([[2, 8]])
    expect(inMinutes(plan(jobs, { ...joining, covered: minutes([4, 5]) }).along)).toEqual([])
  })
})

describe("planErrand() of what is stored", () => {
  const again = { ...jobAt(0, [0, 10]), revises: "binance" }

  it("planErrand() asks for what is covered alone, and leaves nothing to another source", () => {
    const { along, beyond, stretches } = plan([again], { covered: minutes([2, 5], [7, 20]) })
    expect(inMinutes(stretches)).toEqual([
      [2, 5],
      [7, 10]
    ])
    expect([inMinutes(along), inMinutes(beyond)]).toEqual([[], []])
  })

  it("planErrand() does not ask for what the source does not keep any more, nor for what was done", () => {
    const done = { ...again, completedRanges: minutes([7, 8]) }
    const source = { retentionMs: late - 4 * minute }
    expect(inMinutes(plan([done], { covered: minutes([0, 20]), source }).stretches)).toEqual([
      [4, 7],
      [8, 10]
    ])
  })
})
