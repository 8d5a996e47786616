/** Is an operator's word done where it suits the job, refused where it does not, and nothing brought lost by it? */
import * as fc from "fast-check"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { operateJob, type Operated, operatorsCause, quarantineOf } from "../../../actors/coverage/operateJob.ts"
import { type BackfillJob, hasEnded, JobState } from "../../../protocol/history/BackfillJob.ts"
import { timeOf } from "../../../protocol/history/MissingRange.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { type JobNotSuited, JobVerb } from "../../../protocol/messages/Operate.ts"
import { jobOf, rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const failure = { tag: "SourceUnavailable", message: "down", source: "binance" }

/** A job with all that a state may leave in its record, half of it brought. */
const jobIn = (state: JobState, changes: Partial<BackfillJob> = {}): BackfillJob =>
  jobOf({
    state,
    run: 4,
    fence: 7,
    generation: 2,
    completedRanges: rangesOf([0, 30], [60, 70]),
    coverageVersion: 5,
    requests: 3,
    lease: state === "RUNNING" ? { holder: "host-1", leaseMs: 5000 } : null,
    attempts: state === "FAILED" || state === "QUARANTINED" ? 3 : 0,
    failure: state === "FAILED" || state === "QUARANTINED" ? failure : null,
    nextAttemptAt: state === "FAILED" ? 9000 : null,
    ...changes
  })

const word = (verb: JobVerb) => ({ verb, who: "ann", reason: "the exchange said so" })

const done = (verb: JobVerb, job: BackfillJob): Operated => Result.getOrThrow(operateJob(job, word(verb), 0))

const refused = (verb: JobVerb, job: BackfillJob | undefined): JobNotSuited =>
  Result.match(operateJob(job, word(verb), 60_000), {
    onFailure: (error) => error,
    onSuccess: () => expect.unreachable("it was done")
  })

const suits: { readonly [Verb in JobVerb]: ReadonlyArray<JobState> } = {
  retry: ["FAILED", "QUARANTINED"],
  skip: ["QUARANTINED"],
  cancel: ["PENDING", "RUNNING", "EXPIRED", "FAILED"],
  quarantine: ["PENDING", "RUNNING", "EXPIRED", "FAILED"]
}

const cases = JobVerb.literals.flatMap((verb) => JobState.literals.map((state) => [verb, state] as const))
const suited = cases.filter(([verb, state]) => suits[verb].includes(state))
const unsuited = cases.filter(([verb, state]) => !suits[verb].includes(state))
const becomes = { retry: "FAILED", skip: "SUCCEEDED", cancel: "FAILED", quarantine: "QUARANTINED" } as const

/** What an operator's word may change of a job; nothing of what it was to bring, or has brought. */
const changed = (job: BackfillJob): Partial<BackfillJob> => {
  const { attempts, failure, lease, nextAttemptAt, state } = job
  return { attempts, failure, lease, nextAttemptAt, state }
}

describe("operateJob()", () => {
  it.each(suited)(
    "operateJob() does %s to a job that is %s, and leaves what it brought and was to bring",
    (verb, state) => {
      const before = jobIn(state)
      const { job } = done(verb, before)
      expect(job.state).toBe(becomes[verb])
      expect(job.lease).toBeNull()
      expect({ ...job, ...changed(before) }).toEqual(before)
    }
  )

  it.each(unsuited)("operateJob() refuses to %s a job that is %s, and says what would be right", (verb, state) => {
    const error = refused(verb, jobIn(state))
    expect(error).toMatchObject({ _tag: "JobNotSuited", verb, windowStart: 60_000 })
    expect(error.problem).toContain(`is ${state}`)
    expect(error.problem).toContain(suits[verb].join(" or "))
    expect(error.message).toContain("the window at 60000")
  })

  it.each(JobVerb.literals)(
    "operateJob() refuses to %s where there is no job, and says what one would have to be",
    (verb) => {
      const error = refused(verb, undefined)
      expect(error).toMatchObject({ _tag: "JobNotSuited", verb, windowStart: 60_000 })
      expect(error.problem).toContain("no job")
      expect(error.problem).toContain(suits[verb].join(" or "))
    }
  )

  it.each(["FAILED", "QUARANTINED"] as const)(
    "operateJob() has a job that is %s retried at once, with all its tries",
    (state) => {
      const { exceptions, job } = done("retry", jobIn(state))
      // it is told apart from one that is never tried again
      expect(job).toMatchObject({ state: "FAILED", nextAttemptAt: 0, attempts: 0, failure })
      expect(hasEnded(job)).toBe(false)
      expect(exceptions).toEqual([])
    }
  )

  it("operateJob() that skips a window ends its job, and what was not brought can't be had from then on", () => {
    const { exceptions, job } = done("skip", jobIn("QUARANTINED"))
    const reason = "skipped by ann: the exchange said so"
    expect(job).toMatchObject({ state: "SUCCEEDED", attempts: 0, nextAttemptAt: null })
    expect(exceptions).toEqual([
      { start: 30, end: 60, state: "unavailable", reason, retryAt: null },
      { start: 70, end: 100, state: "unavailable", reason, retryAt: null }
    ])
  })

  it.each(suits.cancel)(
    "operateJob() calls off a job that is %s: it never comes again by itself, and may be asked for",
    (state) => {
      const { exceptions, job } = done("cancel", jobIn(state))
      expect(job).toMatchObject({ state: "FAILED", nextAttemptAt: null, attempts: 0 })
      expect(job.failure).toEqual({
        tag: "Cancelled",
        message: "called off by ann: the exchange said so",
        source: "operator"
      })
      expect(hasEnded(job)).toBe(true)
      expect(exceptions).toEqual([])
    }
  )

  it.each(suits.quarantine)("operateJob() sets aside a job that is %s, and says so of what is not brought", (state) => {
    const { exceptions, job } = done("quarantine", jobIn(state))
    const reason = "set aside by ann: the exchange said so"
    expect(job).toMatchObject({ state: "QUARANTINED", nextAttemptAt: null })
    expect(job.failure).toEqual({ tag: "WindowQuarantined", message: reason, source: "operator" })
    expect(hasEnded(job)).toBe(true)
    expect(exceptions.map(({ end, start, state }) => [start, end, state])).toEqual([
      [30, 60, "quarantined"],
      [70, 100, "quarantined"]
    ])
    expect(exceptions.every((each) => each.reason === reason && each.retryAt === null)).toBe(true)
  })

  it("operateJob() takes a window that was set aside back by a retry, or for good by a skip", () => {
    const aside = done("quarantine", jobIn("PENDING")).job
    expect(done("retry", aside).job).toMatchObject({ state: "FAILED", nextAttemptAt: 0 })
    expect(done("skip", aside).job.state).toBe("SUCCEEDED")
    expect(refused("quarantine", aside).problem).toContain("is QUARANTINED")
  })

  law(
    "operateJob() speaks of exactly what is not brought, or of nothing",
    [fc.constantFrom(...suited), rangeSet, rangeSet],
    ([verb, state], ranges, brought) => {
      const completedRanges = RangeSet.intersect(ranges, brought)
      const { exceptions } = done(verb, jobIn(state, { ranges, completedRanges }))
      const spokenOf = verb === "skip" || verb === "quarantine" ? RangeSet.subtract(ranges, brought) : RangeSet.empty
      expect(exceptions.map(({ end, start }) => [start, end])).toEqual(toPairs(spokenOf))
    }
  )
})

describe("quarantineOf()", () => {
  law("quarantineOf() speaks of exactly what is not brought", [rangeSet, rangeSet], (ranges, brought) => {
    const told = quarantineOf(jobIn("QUARANTINED", { ranges, completedRanges: RangeSet.intersect(ranges, brought) }))
    expect(told.map(({ end, start }) => [start, end])).toEqual(toPairs(RangeSet.subtract(ranges, brought)))
    expect(toPairs(timeOf(told))).toEqual(toPairs(RangeSet.subtract(ranges, brought)))
    expect(told.every(({ retryAt, state }) => state === "quarantined" && retryAt === null)).toBe(true)
  })

  it("quarantineOf() tells how often it failed, and of what last", () => {
    expect(quarantineOf(jobIn("QUARANTINED"))[0]?.reason).toBe("set aside after 3 failures: down")
  })

  it("quarantineOf() of what an operator has set aside has the operator's words", () => {
    const word = { verb: "quarantine", who: "ann", reason: "x" } as const
    const { job } = Result.getOrThrow(operateJob(jobIn("PENDING"), word, 0))
    expect(quarantineOf(job)[0]?.reason).toBe("set aside by ann: x")
  })
})

describe("operatorsCause()", () => {
  it("operatorsCause() says what was done, by whom, and why where that was told", () => {
    const ann = { who: "ann", reason: "" }
    const causes = [...JobVerb.literals, "invalidate" as const].map((verb) => operatorsCause(verb, ann))
    expect(causes).toEqual([
      "retried by ann",
      "skipped by ann",
      "called off by ann",
      "set aside by ann",
      "invalidated by ann"
    ])
    expect(operatorsCause("skip", { who: "ann", reason: "delisted" })).toBe("skipped by ann: delisted")
  })
})
