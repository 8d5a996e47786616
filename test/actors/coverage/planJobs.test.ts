/** Has a window one job, whoever asks, and is nobody's demand forgotten? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as jobStep from "../../../actors/backfill/jobStep.ts"
import { type JobDemand, type JobPlan, type KnownJob, planJob } from "../../../actors/coverage/planJobs.ts"
import { type BackfillJob, isFinal } from "../../../protocol/history/BackfillJob.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobOf, rangesOf, series } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"

const nowMs = 1_000_000

const demand: JobDemand = {
  series,
  sources: ["binance", "kraken"],
  jobClass: "interactive",
  cause: "request-2",
  traceParent: "00-a-b-01",
  nonce: "planned",
  nowMs,
  generationOf: () => 2
}

const wanted = (...pairs: ReadonlyArray<Range>) => ({ windowStart: 0, ranges: rangesOf(...pairs) })
const known = (changes: Partial<BackfillJob>): KnownJob => ({ job: jobOf(changes), revision: 7 })
const failure = { tag: "SourceUnavailable", message: "down", source: "binance" }

const failedUntil = (nextAttemptAt: number) => known({ state: "FAILED", attempts: 3, failure, nextAttemptAt })

describe("planJob()", () => {
  it("planJob() opens the first run of a window, where no record may stand", () => {
    const plan = planJob(demand, wanted([0, 10]), undefined)
    expect(plan).toMatchObject({ action: "write", expect: 0 })
    expect(plan.job).toMatchObject({ run: 1, state: "PENDING", sources: demand.sources, cause: "request-2" })
    expect(plan.job).toMatchObject({ windowStart: 0, nonce: "planned", traceParent: "00-a-b-01", attempts: 0 })
    expect(toPairs(plan.job.ranges)).toEqual([[0, 10]])
  })

  it.each(["PENDING", "RUNNING", "EXPIRED"] as const)(
    "planJob() joins a run that is %s and brings all of it",
    (state) => {
      const { job } = known({ state })
      expect(planJob(demand, wanted([0, 10], [90, 100]), { job, revision: 7 })).toEqual({ action: "join", job })
    }
  )

  it("planJob() widens a run that nobody has claimed, and leaves the rest of it as it is", () => {
    const before = known({ ranges: rangesOf([0, 10]) })
    const plan = planJob(demand, wanted([5, 30]), before)
    const ranges = rangesOf([0, 30])
    expect(plan).toEqual({ action: "write", expect: 7, job: { ...before.job, ranges, nonce: "planned" } })
  })

  it("planJob() does not widen a run under way: another has to follow with what it lacks", () => {
    const { job } = known({ state: "RUNNING", ranges: rangesOf([0, 10]) })
    expect(planJob(demand, wanted([5, 30]), { job, revision: 7 })).toEqual({
      action: "follow",
      job,
      ranges: rangesOf([10, 30])
    })
  })

  it("planJob() opens the next run after one that succeeded, upon its record", () => {
    const before = known({
      state: "SUCCEEDED",
      run: 4,
      completedRanges: rangesOf([0, 100]),
      requests: 9,
      generation: 2
    })
    const plan = planJob(demand, wanted([5, 30]), before)
    expect(plan).toMatchObject({ action: "write", expect: 7 })
    expect(plan.job).toMatchObject({ run: 5, state: "PENDING", requests: 0, attempts: 0, generation: 2 })
    expect(isEmpty(plan.job.completedRanges)).toBe(true)
  })

  it("planJob() refuses a window that failed, until its time has come", () => {
    expect(planJob(demand, wanted([0, 10]), failedUntil(nowMs + 1)).action).toBe("refuse")
    const plan = planJob(demand, wanted([0, 10]), failedUntil(nowMs))
    expect(plan).toMatchObject({ action: "write", job: { attempts: 3, failure: null, nextAttemptAt: null, run: 2 } })
  })

  it("planJob() refuses a window that waits for a person, at any time", () => {
    expect(planJob(demand, wanted([0, 10]), known({ state: "QUARANTINED", failure })).action).toBe("refuse")
  })
})

const policy: jobStep.RetryPolicy = { attemptsMax: 10, baseMs: 1000, maxMs: 300_000 }

const ended = (job: BackfillJob, kind: "release" | "complete" | "fail", [start, end]: Range): BackfillJob => {
  const progress = { completed: RangeSet.of(start, end), coverageVersion: 1, requests: 1, passedOver: [] }
  if (kind === "release") return jobStep.release(job, "n")
  if (kind === "complete") return jobStep.complete(job, progress, "n")
  return jobStep.fail(job, progress, {
    failure,
    policy,
    isAttempt: true,
    retryAfterMs: 0,
    nowMs: 0,
    jitter: 0,
    nonce: "n"
  })
}

/** What a plan promises the one who asked: a run that is open, or its own demand kept for later. */
const expectPromised = (plan: JobPlan, ranges: RangeSet.RangeSet, open: BackfillJob | undefined): void => {
  const kept = plan.action === "follow" ? plan.ranges : RangeSet.empty
  expect(RangeSet.contains(RangeSet.union(plan.job.ranges, kept), ranges)).toBe(true)
  // the run that is open goes on as the same run, and never brings less than before
  if (open === undefined) return
  expect(plan.action).not.toBe("refuse")
  expect(plan.job.run).toBe(open.run)
  expect(RangeSet.contains(plan.job.ranges, open.ranges)).toBe(true)
  if (open.state === "RUNNING") expect(plan.job).toBe(open)
}

describe("one window", () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 10 }))
    .map(([start, length]): Range => [start * 10, Math.min(100, (start + length) * 10)])
  const event = fc.oneof(
    fc.record({ kind: fc.constant("demand" as const), span }),
    fc.record({
      kind: fc.constantFrom("claim" as const, "release" as const, "complete" as const, "fail" as const),
      span
    })
  )

  law(
    "planJob() never opens a second run beside an open one, whoever asks in whatever order",
    [fc.array(event, { maxLength: 20 })],
    (events) => {
      let record: KnownJob | undefined
      for (const next of events) {
        const open = record === undefined || isFinal(record.job) ? undefined : record.job
        if (next.kind === "demand") {
          const ranges = RangeSet.of(...next.span)
          const plan = planJob(demand, { windowStart: 0, ranges }, record)
          expectPromised(plan, ranges, open)
          if (plan.action !== "write") continue
          expect(plan.expect).toBe(record?.revision ?? 0)
          expect(plan.job.run).toBe((record?.job.run ?? 0) + (open === undefined ? 1 : 0))
          record = { job: plan.job, revision: plan.expect + 1 }
        } else if (record !== undefined) {
          const by = { holder: "host-1", leaseMs: 5000, nonce: "n" }
          const changed = next.kind === "claim" ? jobStep.claim(record.job, by, false) : undefined
          const isHeld = record.job.state === "RUNNING" && next.kind !== "claim"
          const job = isHeld && next.kind !== "claim" ? ended(record.job, next.kind, next.span) : changed
          if (job !== undefined) record = { job, revision: record.revision + 1 }
        }
      }
    }
  )
})
