/** Does a job go only the ways that its states have, and does it keep what was committed? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as jobStep from "../../../actors/backfill/jobStep.ts"
import type { BackfillJob, JobFailure } from "../../../protocol/history/BackfillJob.ts"
import { hasEnded, isFinal } from "../../../protocol/history/BackfillJob.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobOf, rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const by: jobStep.Claimant = { holder: "host-1", leaseMs: 5000, nonce: "claimed" }
const failure: JobFailure = { tag: "SourceUnavailable", message: "down", source: "binance" }

const failing = (changes: Partial<jobStep.Failing> = {}): jobStep.Failing => ({
  failure,
  isAttempt: true,
  policy: { attemptsMax: 100, baseMs: 1000, maxMs: 300_000 },
  retryAfterMs: 0,
  nowMs: 1_000_000,
  jitter: 0.5,
  nonce: "failed",
  ...changes
})

const progressOf = (completed: RangeSet.RangeSet, changes: Partial<jobStep.Progress> = {}): jobStep.Progress => ({
  completed,
  coverageVersion: 3,
  requests: 2,
  passedOver: [],
  ...changes
})

const claimed = (job: BackfillJob, leaseEnded = false): BackfillJob => jobStep.claim(job, by, leaseEnded)!

const running = claimed(jobOf())
const half = rangesOf([0, 50])

describe("claim()", () => {
  it.each(["PENDING", "EXPIRED"] as const)("claim() takes a job that is %s", (state) => {
    expect(claimed(jobOf({ state }))).toMatchObject({ state: "RUNNING", lease: { holder: "host-1", leaseMs: 5000 } })
  })

  it.each(["SUCCEEDED", "FAILED", "QUARANTINED"] as const)("claim() leaves a job that is %s alone", (state) => {
    expect(jobStep.claim(jobOf({ state }), by, true)).toBeUndefined()
  })

  it("claim() takes a running job only when its lease has ended", () => {
    expect(jobStep.claim(running, by, false)).toBeUndefined()
    expect(claimed(running, true).state).toBe("RUNNING")
  })

  it("claim() raises the fence when it takes the job from a holder", () => {
    const again = claimed(running, true)
    expect(again.fence).toBeGreaterThan(running.fence)
    expect(claimed(again, true).fence).toBeGreaterThan(again.fence)
  })

  it("claim() raises the fence also when its holder gave the job back", () => {
    expect(claimed(jobStep.release(running, "released")).fence).toBeGreaterThan(running.fence)
  })

  it("claim() keeps what was committed, and starts to count renewals anew", () => {
    const before = jobOf({ completedRanges: half, renewals: 7 })
    expect(claimed(before)).toMatchObject({ completedRanges: half, renewals: 0, nonce: "claimed" })
    expect(toPairs(jobStep.remainingRanges(claimed(before)))).toEqual([[50, 100]])
  })
})

describe("renew()", () => {
  it("renew() changes nothing but the count and the nonce", () => {
    expect(jobStep.renew(running, "n")).toEqual({ ...running, renewals: 1, nonce: "n" })
  })
})

describe("complete()", () => {
  it("complete() ends the run, and forgets earlier failures", () => {
    const before = { ...running, attempts: 3, failure, nextAttemptAt: 5 }
    const job = jobStep.complete(before, progressOf(rangesOf([0, 100])), "n")
    expect(job).toMatchObject({ state: "SUCCEEDED", lease: null, attempts: 0, failure: null, nextAttemptAt: null })
    expect(job).toMatchObject({ coverageVersion: 3, requests: 2, nonce: "n" })
  })

  it("complete() counts only time that the run was to bring", () => {
    const job = jobStep.complete(running, progressOf(rangesOf([-50, 20], [90, 300])), "n")
    expect(toPairs(job.completedRanges)).toEqual([
      [0, 20],
      [90, 100]
    ])
  })

  it("complete() does not lower the version that an earlier part was committed in", () => {
    const before = { ...running, coverageVersion: 9 }
    expect(jobStep.complete(before, progressOf(half), "n").coverageVersion).toBe(9)
  })
})

const waitMsAfter = (retryAfterMs: number) =>
  jobStep.fail(running, progressOf(half), failing({ retryAfterMs })).nextAttemptAt! - 1_000_000

describe("fail()", () => {
  it("fail() keeps what was committed, and leaves the rest for the next run", () => {
    const job = jobStep.fail(running, progressOf(half), failing())
    expect(job).toMatchObject({ state: "FAILED", lease: null, attempts: 1, failure, nonce: "failed", requests: 2 })
    expect(toPairs(job.completedRanges)).toEqual([[0, 50]])
    expect(toPairs(jobStep.remainingRanges(job))).toEqual([[50, 100]])
  })

  it("fail() of a run that has brought everything is its success", () => {
    const before = { ...running, completedRanges: half }
    const job = jobStep.fail(before, progressOf(rangesOf([50, 100])), failing())
    expect(job).toMatchObject({ state: "SUCCEEDED", failure: null, nextAttemptAt: null, requests: 2 })
    expect(toPairs(job.completedRanges)).toEqual([[0, 100]])
  })

  law(
    "fail() waits a second, doubled each time, up to five minutes, and a fifth more or less",
    [fc.nat(40), fc.double({ min: 0, max: 1, noNaN: true })],
    (attempts, jitter) => {
      const job = jobStep.fail({ ...running, attempts }, progressOf(half), failing({ jitter }))
      const waitMs = job.nextAttemptAt! - 1_000_000
      const meantMs = Math.min(300_000, 1000 * 2 ** attempts)
      expect(waitMs).toBeGreaterThanOrEqual(0.8 * meantMs)
      expect(waitMs).toBeLessThanOrEqual(1.2 * meantMs + 1)
      expect(job.attempts).toBe(attempts + 1)
    }
  )

  it("fail() waits as long as the source asks to be left alone, where that is longer", () => {
    expect([waitMsAfter(0), waitMsAfter(500), waitMsAfter(90_000)]).toEqual([1000, 1000, 90_000])
  })
})

const policyOf = (attemptsMax: number): jobStep.RetryPolicy => ({ attemptsMax, baseMs: 1000, maxMs: 300_000 })
const nothing = progressOf(RangeSet.empty)

/** The job after so many runs in a row that failed, each opened again as it is. */
const failedRuns = (count: number, changes: Partial<jobStep.Failing>): BackfillJob => {
  let job = jobStep.fail(running, nothing, failing(changes))
  for (let runs = 1; runs < count; runs++) {
    job = jobStep.fail(claimed({ ...job, state: "PENDING", nextAttemptAt: null }), nothing, failing(changes))
  }
  return job
}

describe("fail() and the limit of attempts", () => {
  law(
    "fail() sets a window aside at just the failure that is one too many",
    [fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })],
    (attemptsMax, count) => {
      if (count > attemptsMax) return
      const job = failedRuns(count, { policy: policyOf(attemptsMax) })
      expect(job).toMatchObject({ attempts: count, failure, lease: null })
      if (count < attemptsMax) expect(job).toMatchObject({ state: "FAILED", nextAttemptAt: expect.any(Number) })
      else expect(job).toMatchObject({ state: "QUARANTINED", nextAttemptAt: null })
      expect(hasEnded(job)).toBe(count === attemptsMax)
    }
  )

  it("fail() that sets a window aside keeps what was committed", () => {
    const job = jobStep.fail(running, progressOf(half), failing({ policy: policyOf(1) }))
    expect(job).toMatchObject({ state: "QUARANTINED", completedRanges: half, coverageVersion: 3, requests: 2 })
  })

  it("fail() of the last attempt that has brought everything is its success", () => {
    const job = jobStep.fail(running, progressOf(rangesOf([0, 100])), failing({ policy: policyOf(1) }))
    expect(job).toMatchObject({ state: "SUCCEEDED", failure: null, attempts: 0 })
  })

  it("fail() sets no window aside whose stored bars were to be asked for once more: it is tried on and on", () => {
    let job = jobStep.fail({ ...running, revises: "binance" }, nothing, failing({ policy: policyOf(2) }))
    for (let runs = 1; runs < 9; runs++) {
      job = jobStep.fail(claimed({ ...job, state: "PENDING" }), nothing, failing({ policy: policyOf(2) }))
    }
    expect(job).toMatchObject({ state: "FAILED", attempts: 9, nextAttemptAt: expect.any(Number) })
  })

  it("fail() sets no window aside for what its source says of when to come again", () => {
    const job = jobStep.fail(running, nothing, failing({ policy: policyOf(2), retryAfterMs: 3_600_000 }))
    expect(job).toMatchObject({ state: "FAILED", nextAttemptAt: 1_000_000 + 3_600_000 })
  })

  law(
    "fail() that is no attempt is never one too many, and waits like the first",
    [fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 30 }), fc.nat(11)],
    (attemptsMax, count, before) => {
      const attempts = Math.min(before, attemptsMax - 1)
      const no = { policy: policyOf(attemptsMax), isAttempt: false }
      const job = jobStep.fail({ ...running, attempts }, nothing, failing(no))
      expect(job).toMatchObject({ state: "FAILED", attempts, failure })
      expect(job.nextAttemptAt).toBeGreaterThanOrEqual(1_000_000 + 1000)
      expect(failedRuns(count, no)).toMatchObject({ state: "FAILED", attempts: 0, nextAttemptAt: 1_000_000 + 1000 })
    }
  )
})

describe("release()", () => {
  it("release() gives the job back with what was committed of it", () => {
    const job = jobStep.release({ ...running, completedRanges: half }, "n")
    expect(job).toMatchObject({ state: "PENDING", lease: null, completedRanges: half, nonce: "n" })
    expect(claimed(job).state).toBe("RUNNING")
  })
})

describe("a life", () => {
  const move = fc.oneof(
    fc.record({ kind: fc.constant("claim" as const), leaseEnded: fc.boolean() }),
    fc.record({ kind: fc.constant("renew" as const) }),
    fc.record({ kind: fc.constant("release" as const) }),
    fc.record({ kind: fc.constant("complete" as const), completed: rangeSet }),
    fc.record({ kind: fc.constant("fail" as const), completed: rangeSet })
  )

  law(
    "completedRanges only grow, and stay within what the run is to bring",
    [fc.array(move, { maxLength: 12 })],
    (moves) => {
      let job = jobOf()
      for (const next of moves) {
        const before = job
        if (next.kind === "claim") job = jobStep.claim(job, by, next.leaseEnded) ?? job
        else if (job.state !== "RUNNING") continue
        else if (next.kind === "renew") job = jobStep.renew(job, "n")
        else if (next.kind === "release") job = jobStep.release(job, "n")
        else if (next.kind === "complete") job = jobStep.complete(job, progressOf(next.completed), "n")
        else job = jobStep.fail(job, progressOf(next.completed), failing())

        expect(RangeSet.contains(job.completedRanges, before.completedRanges)).toBe(true)
        expect(RangeSet.contains(job.ranges, job.completedRanges)).toBe(true)
        expect(job.lease !== null).toBe(job.state === "RUNNING")
        expect(job.failure !== null).toBe(job.state === "FAILED")
        if (isFinal(before)) expect(job).toBe(before)
      }
    }
  )
})
