/** Has a window one job, whoever asks, and is nobody's demand forgotten? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as jobStep from "../../../actors/backfill/jobStep.ts"
import {
  expire,
  type JobDemand,
  type JobPlan,
  type KnownJob,
  planJob,
  reopen,
  type Reopening
} from "../../../actors/coverage/planJobs.ts"
import { type BackfillJob, isFinal, JobClass } from "../../../protocol/history/BackfillJob.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobOf, rangesOf, series } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

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

  it("planJob() opens the run after one that failed with all that it still owed, whoever asks for whatever", () => {
    const owing = { ranges: RangeSet.of(0, 40), completedRanges: RangeSet.of(10, 20), failure }
    const due = known({ ...owing, state: "FAILED", nextAttemptAt: nowMs })
    expect(planJob(demand, wanted([50, 60]), due)).toMatchObject({
      action: "write",
      job: {
        run: due.job.run + 1,
        ranges: RangeSet.make([
          [0, 10],
          [20, 40],
          [50, 60]
        ]),
        completedRanges: RangeSet.empty
      }
    })
    // one that was called off owes nothing any more
    const calledOff = known({ ...owing, state: "FAILED", nextAttemptAt: null })
    expect(planJob(demand, wanted([50, 60]), calledOff)).toMatchObject({ job: { ranges: RangeSet.of(50, 60) } })
  })

  it("planJob() refuses a window that waits for a person, at any time", () => {
    expect(planJob(demand, wanted([0, 10]), known({ state: "QUARANTINED", failure })).action).toBe("refuse")
  })
})

const jobClass = fc.constantFrom(...JobClass.literals)
const by: jobStep.Claimant = { holder: "host-1", leaseMs: 5000, nonce: "claimed" }

describe("planJob() and classes", () => {
  law(
    "planJob() gives a run that waits the more urgent class of its own and the demand's, and leaves the rest",
    [fc.constantFrom("PENDING" as const, "EXPIRED" as const), jobClass, jobClass],
    (state, own, asked) => {
      const { job } = known({ state, jobClass: own })
      const plan = planJob({ ...demand, jobClass: asked }, wanted([0, 10]), { job, revision: 7 })
      const isRaised = JobClass.literals.indexOf(asked) < JobClass.literals.indexOf(own)
      expect(plan.action).toBe(isRaised ? "write" : "join")
      const raised = { ...job, state: "PENDING", jobClass: asked, nonce: "planned" }
      expect(plan.job).toEqual(isRaised ? raised : job)
    }
  )

  law(
    "planJob() leaves a run under way in its class, whoever asks for whatever",
    [jobClass, jobClass],
    (own, asked) => {
      const { job } = known({ state: "RUNNING", jobClass: own, ranges: rangesOf([0, 10]) })
      const within = planJob({ ...demand, jobClass: asked }, wanted([0, 10]), { job, revision: 7 })
      const beyond = planJob({ ...demand, jobClass: asked }, wanted([0, 30]), { job, revision: 7 })
      expect([within.action, beyond.action]).toEqual(["join", "follow"])
      expect([within.job, beyond.job]).toEqual([job, job])
    }
  )

  law(
    "planJob() opens a run in the class of the demand, whatever the one before had",
    [jobClass, jobClass],
    (own, asked) => {
      const plan = planJob(
        { ...demand, jobClass: asked },
        wanted([0, 10]),
        known({ state: "SUCCEEDED", jobClass: own })
      )
      expect(plan.job.jobClass).toBe(asked)
    }
  )

  it("planJob() has a run that was freed wait again, where more is asked of it", () => {
    const before = known({ state: "EXPIRED", ranges: rangesOf([0, 10]), completedRanges: rangesOf([0, 5]), fence: 3 })
    const plan = planJob(demand, wanted([20, 30]), before)
    const ranges = rangesOf([0, 10], [20, 30])
    expect(plan).toEqual({
      action: "write",
      expect: 7,
      job: { ...before.job, state: "PENDING", ranges, nonce: "planned" }
    })
  })
})

const reopening = (wanted: RangeSet.RangeSet, generation = 5): Reopening => ({ nonce: "again", generation, wanted })
const everything = rangesOf([-1000, 1000])

const failed = known({
  state: "FAILED",
  run: 3,
  fence: 6,
  generation: 2,
  attempts: 4,
  failure,
  nextAttemptAt: nowMs,
  completedRanges: rangesOf([0, 40]),
  renewals: 9,
  requests: 2,
  coverageVersion: 8,
  passedOver: [failure]
}).job

describe("reopen()", () => {
  it("reopen() makes the next run of what is left, upon the window as it is now, and counts its failures on", () => {
    expect(reopen(failed, reopening(everything))).toEqual({
      ...failed,
      state: "PENDING",
      run: 4,
      ranges: rangesOf([40, 100]),
      completedRanges: RangeSet.empty,
      generation: 5,
      renewals: 0,
      requests: 0,
      coverageVersion: 0,
      passedOver: [],
      nextAttemptAt: null,
      nonce: "again"
    })
  })

  law(
    "reopen() is to bring exactly what was left and is wanted, or has succeeded",
    [rangeSet, rangeSet, rangeSet],
    (...sets) => {
      const [ranges, brought, wanted] = sets
      const completedRanges = RangeSet.intersect(ranges, brought)
      const job = reopen({ ...failed, ranges, completedRanges }, reopening(wanted))
      const left = RangeSet.intersect(RangeSet.subtract(ranges, brought), wanted)
      if (isEmpty(left)) {
        expect(job).toMatchObject({ state: "SUCCEEDED", run: 3, fence: 6, attempts: 0, nextAttemptAt: null })
        expect(toPairs(job.ranges)).toEqual(toPairs(ranges))
        return
      }
      expect(job).toMatchObject({ state: "PENDING", run: 4, fence: 6, attempts: 4 })
      expect(toPairs(job.ranges)).toEqual(toPairs(left))
    }
  )

  it("reopen() is claimed like any other run, by a fence of its own", () => {
    const job = jobStep.claim(reopen(failed, reopening(everything)), by, false)
    expect(job).toMatchObject({ state: "RUNNING", run: 4, fence: 7 })
  })
})

describe("expire()", () => {
  it("expire() frees the job of a holder that is gone, and changes nothing else", () => {
    const running = jobStep.claim(jobOf({ completedRanges: rangesOf([0, 5]) }), by, false)!
    const job = expire(running, "freed")
    expect(job).toEqual({ ...running, state: "EXPIRED", lease: null, nonce: "freed" })
    expect(jobStep.claim(job, by, false)).toMatchObject({ state: "RUNNING", fence: running.fence + 1 })
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
          const changed = next.kind === "claim" ? jobStep.claim(record.job, by, false) : undefined
          const isHeld = record.job.state === "RUNNING" && next.kind !== "claim"
          const job = isHeld && next.kind !== "claim" ? ended(record.job, next.kind, next.span) : changed
          if (job !== undefined) record = { job, revision: record.revision + 1 }
        }
      }
    }
  )
})

describe("planJob() of what is stored", () => {
  const again: JobDemand = { ...demand, sources: ["binance"], revises: "binance", jobClass: "verify", cause: "settle" }
  const revision = (changes: Partial<BackfillJob>) =>
    known({ revises: "binance", ranges: rangesOf([0, 10]), ...changes })

  it("planJob() opens a run that revises, and joins and widens it like any other", () => {
    const opened = planJob(again, wanted([0, 10]), undefined)
    expect(opened.job).toMatchObject({ revises: "binance", jobClass: "verify", state: "PENDING" })
    expect(planJob(again, wanted([0, 10]), revision({ jobClass: "verify" })).action).toBe("join")
    const wider = planJob(again, wanted([10, 20]), revision({ jobClass: "verify" }))
    expect([wider.action, toPairs(wider.job.ranges)]).toEqual(["write", [[0, 20]]])
  })
})
