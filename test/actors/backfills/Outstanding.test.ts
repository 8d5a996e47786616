/** Is it known of each window that was asked for whether it is under way, failing, or nobody's any more? */
import { describe, expect, it } from "vitest"
import * as Outstanding from "../../../actors/backfills/Outstanding.ts"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobOf } from "../../support/jobs.ts"

const grid = { intervalMs: 1, anchorMs: 0, windowBars: 10 }
const failure = { tag: "SourceUnavailable", message: "it is down", source: "binance" }
const failed = (windowStart: number, nextAttemptAt = 500) =>
  jobOf({ windowStart, state: "FAILED", attempts: 2, failure, nextAttemptAt })

/** Windows that were asked for, after what was told of their jobs. */
const after = (windowStarts: ReadonlyArray<number>, ...jobs: ReadonlyArray<BackfillJob>) =>
  Outstanding.heard(Outstanding.asked(Outstanding.none, windowStarts), jobs)

describe("Outstanding", () => {
  it("asked() holds a window as under way until it is told otherwise", () => {
    const outstanding = after([0, 10])
    expect(Array.from(outstanding.keys())).toEqual([0, 10])
    expect(Outstanding.isUnderWay(outstanding, 0)).toBe(true)
    expect(Outstanding.failing(outstanding).count).toBe(0)
  })

  it("asked() forgets nothing of a window that was asked for before", () => {
    expect(Outstanding.nextAttemptAt(Outstanding.asked(after([0], failed(0)), [0, 10]))).toBe(500)
  })

  it("heard() tells of a window that failed when it is tried again, and why it failed", () => {
    const outstanding = after([0], failed(0))
    expect(Outstanding.isUnderWay(outstanding, 499)).toBe(false)
    expect(Outstanding.nextAttemptAt(outstanding)).toBe(500)
    expect(Outstanding.isUnderWay(outstanding, 500)).toBe(true)
    expect(Outstanding.failing(outstanding)).toEqual({
      count: 1,
      first: [{ windowStart: 0, attempts: 2, ...failure, nextAttemptAt: 500 }]
    })
  })

  it("heard() remembers of a run that follows a failed one why that failed", () => {
    const again = Outstanding.heard(after([0], failed(0)), [jobOf({ windowStart: 0, state: "RUNNING", attempts: 2 })])
    expect(Outstanding.isUnderWay(again, 0)).toBe(true)
    expect(Outstanding.failing(again).first).toEqual([{ windowStart: 0, attempts: 2, ...failure, nextAttemptAt: null }])
  })

  it("failing() counts a window that failed before anybody listened, too", () => {
    const { count, first } = Outstanding.failing(after([0], jobOf({ windowStart: 0, attempts: 3 })))
    expect([count, first[0]!.attempts, first[0]!.tag]).toEqual([1, 3, ""])
  })

  it("heard() lets go of a window that is quarantined", () => {
    const outstanding = after([0, 10], failed(0), jobOf({ windowStart: 0, state: "QUARANTINED", failure }))
    expect(Array.from(outstanding.keys())).toEqual([10])
  })

  it("heard() hears nothing of windows that were not asked for", () => {
    expect(Array.from(after([0], failed(70)).keys())).toEqual([0])
  })

  it("within() lets go of windows that lack nothing any more", () => {
    const outstanding = after([0, 10, 20])
    expect(Array.from(Outstanding.within(outstanding, grid, RangeSet.of(19, 25)).keys())).toEqual([10, 20])
    expect(Outstanding.timeOf(outstanding, grid)).toEqual(RangeSet.of(0, 30))
  })

  it("failing() names a window whose source could not even be asked, which is no try", () => {
    const failure = { tag: "SourceUnavailable", message: "left alone", source: "binance" }
    const job = jobOf({ windowStart: 0, state: "FAILED", attempts: 0, failure, nextAttemptAt: 7000 })
    const { count, first } = Outstanding.failing(Outstanding.heard(Outstanding.asked(Outstanding.none, [0, 10]), [job]))
    expect(count).toBe(1)
    expect(first).toEqual([{ windowStart: 0, attempts: 0, ...failure, nextAttemptAt: 7000 }])
  })

  it("failing() is bounded: it counts all, names the first, and cuts long messages", () => {
    const starts = Array.from({ length: 40 }, (_, index) => (39 - index) * 10)
    const jobs = starts.map((start) => ({ ...failed(start), failure: { ...failure, message: "x".repeat(5000) } }))
    const { count, first } = Outstanding.failing(after(starts, ...jobs))
    expect([count, first.length, first[0]!.windowStart, first[0]!.message.length]).toEqual([40, 16, 0, 300])
  })
})
