/** Is it told what happened to a job, and does a job only go the ways that its states have? */
import * as fc from "fast-check"
import { Option, Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as jobStep from "../../../actors/backfill/jobStep.ts"
import { operateJob } from "../../../actors/coverage/operateJob.ts"
import { expire, planJob, reopen } from "../../../actors/coverage/planJobs.ts"
import { type BackfillJob, JobClass, type JobFailure, mayFollow } from "../../../protocol/history/BackfillJob.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { eventBetween, JobEvent, jobEvent, writeJob, readJob } from "../../../protocol/messages/Backfill.ts"
import { JobVerb } from "../../../protocol/messages/Operate.ts"
import { jobOf, rangesOf, series } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"

const failure: JobFailure = { tag: "SourceUnavailable", message: "down", source: "binance" }
const policy: jobStep.RetryPolicy = { attemptsMax: 3, baseMs: 1000, maxMs: 8000 }
const by: jobStep.Claimant = { holder: "host-1", leaseMs: 5000, nonce: "claimed" }

const progressOf = (completed: RangeSet.RangeSet): jobStep.Progress => ({
  completed,
  coverageVersion: 3,
  requests: 1,
  passedOver: []
})

const failed = (job: BackfillJob, completed = RangeSet.empty, nowMs = 0, isAttempt = true): BackfillJob =>
  jobStep.fail(job, progressOf(completed), {
    failure,
    isAttempt,
    policy,
    retryAfterMs: 0,
    nowMs,
    jitter: 0.5,
    nonce: "failed"
  })

const operated = (job: BackfillJob, verb: JobVerb): BackfillJob | undefined =>
  Result.match(operateJob(job, { verb, who: "ann", reason: "a test" }, job.windowStart), {
    onFailure: () => undefined,
    onSuccess: (after) => after.job
  })

const wantedOf = (jobClass: JobClass, nowMs: number) => ({
  series,
  sources: ["binance"],
  jobClass,
  cause: "request-2",
  traceParent: "",
  nonce: "planned",
  nowMs,
  generationOf: () => 1
})

const demanded = (job: BackfillJob | undefined, span: Range, jobClass: JobClass, nowMs: number): BackfillJob =>
  planJob(
    wantedOf(jobClass, nowMs),
    { windowStart: 0, ranges: RangeSet.of(...span) },
    job === undefined ? undefined : { job, revision: 7 }
  ).job

const pending = jobOf()
const running = jobStep.claim(pending, by, false)!
const failedOnce = failed(running)
const expired = expire(running, "n")
const succeeded = jobStep.complete(running, progressOf(rangesOf([0, 100])), "n")
const quarantined = failed({ ...running, attempts: 2 })
const whole: Range = [0, 100]
const reopened = (job: BackfillJob, wanted: RangeSet.RangeSet) => reopen(job, { nonce: "n", generation: 1, wanted })

const calledOff = operated(pending, "cancel")!
const narrow = jobOf({ jobClass: "bulk", ranges: rangesOf([0, 10]) })
const freed = expire(jobStep.claim(narrow, by, false)!, "n")

type Change = readonly [what: string, event: string | undefined, before: BackfillJob | undefined, job: BackfillJob]

const changes: ReadonlyArray<Change> = [
  ["the first demand", "opened", undefined, demanded(undefined, whole, "bulk", 0)],
  ["a demand after a success", "opened", succeeded, demanded(succeeded, whole, "bulk", 0)],
  ["a claim", "claimed", pending, running],
  ["a claim from a holder that is gone", "claimed", running, jobStep.claim(running, by, true)!],
  ["a claim of what was freed", "claimed", expired, jobStep.claim(expired, by, false)!],
  ["giving back", "released", running, jobStep.release(running, "n")],
  ["freeing", "expired", running, expired],
  ["the end of the work", "completed", running, succeeded],
  ["a failure that has brought everything", "completed", running, failed(running, RangeSet.of(...whole))],
  ["finding what failed filled by others", "completed", failedOnce, reopened(failedOnce, RangeSet.empty)],
  ["a failure", "failed", running, failedOnce],
  ["the next run after a failure", "retried", failedOnce, reopened(failedOnce, rangesOf([0, 50]))],
  ["a demand after a failure", "retried", failedOnce, demanded(failedOnce, whole, "bulk", 1e9)],
  ["a failure too many", "quarantined", { ...running, attempts: 2 }, quarantined],
  ...[pending, running, expired, failedOnce].flatMap((job): ReadonlyArray<Change> => [
    [`setting aside a job that is ${job.state}`, "quarantined", job, operated(job, "quarantine")!],
    [`calling off a job that is ${job.state}`, "cancelled", job, operated(job, "cancel")!]
  ]),
  ["skipping", "skipped", quarantined, operated(quarantined, "skip")!],
  ["a renewal", undefined, running, jobStep.renew(running, "n")],
  ["a wider demand", undefined, narrow, demanded(narrow, whole, "verify", 0)],
  ["a more urgent demand", undefined, narrow, demanded(narrow, [0, 10], "repair", 0)],
  ["a wider demand of what was freed", undefined, freed, demanded(freed, whole, "verify", 0)],
  ["an operator's word to retry, which the next run tells", undefined, quarantined, operated(quarantined, "retry")!],
  ["calling off what was called off", undefined, calledOff, { ...operated(calledOff, "cancel")!, nonce: "again" }]
]

describe("eventBetween()", () => {
  it.each(changes)("eventBetween() of %s is %s", (_, event, before, job) => {
    expect(before).not.toEqual(job)
    expect(eventBetween(before, job)).toBe(event)
  })

  it("eventBetween() has an occasion for every event that there is", () => {
    const told = new Set(changes.flatMap(([, event]) => event ?? []))
    expect([...told].toSorted()).toEqual(JobEvent.fields.event.literals.toSorted())
  })
})

const decode = Schema.decodeUnknownSync(JobEvent)
const read = (data: Uint8Array) => decode(JSON.parse(new TextDecoder().decode(data)))

describe("jobEvent()", () => {
  it("jobEvent() is told under the event and the window, and says how the job is then", () => {
    const told = jobEvent(running, failedOnce, 123)!
    expect(told.subject).toBe("seamless.v1.events.backfill.failed.ohlcv=3Abinance=3ABTC=2FBUSD.1m.0")
    expect(read(told.data)).toEqual({
      format: 1,
      event: "failed",
      at: 123,
      series,
      windowStart: 0,
      run: 1,
      state: "FAILED",
      jobClass: "interactive",
      attempts: 1,
      failure,
      nextAttemptAt: 1000,
      holder: null,
      coverageVersion: 3,
      cause: "request-1"
    })
  })

  it("jobEvent() names the holder of a job that is under way, and a window before 1970 by its start", () => {
    const told = jobEvent({ ...pending, windowStart: -86_400_000 }, { ...running, windowStart: -86_400_000 }, 5)!
    expect(told.subject).toMatch(/\.claimed\.[^.]+\.1m\.-86400000$/)
    expect(read(told.data)).toMatchObject({ event: "claimed", holder: "host-1", windowStart: -86_400_000 })
  })

  it("jobEvent() tells of each change what eventBetween() says, and nothing where that says nothing", () => {
    for (const [, event, before, job] of changes) {
      const told = jobEvent(before, job, 1)
      expect(told === undefined ? undefined : read(told.data).event).toBe(event)
      expect(told?.subject.split(".")[4]).toBe(event)
    }
  })
})

describe("a life of a job", () => {
  const part = fc
    .tuple(fc.nat(9), fc.integer({ min: 1, max: 10 }))
    .map(([start, length]): Range => [start * 10, Math.min(100, (start + length) * 10)])
  const move = fc.oneof(
    fc.record({ kind: fc.constant("demand" as const), part, jobClass: fc.constantFrom(...JobClass.literals) }),
    fc.record({ kind: fc.constant("claim" as const), leaseEnded: fc.boolean() }),
    fc.record({ kind: fc.constantFrom("renew" as const, "release" as const, "expire" as const) }),
    fc.record({ kind: fc.constant("complete" as const), part }),
    fc.record({ kind: fc.constant("fail" as const), part, isAttempt: fc.boolean() }),
    fc.record({ kind: fc.constant("reopen" as const), part }),
    fc.record({ kind: fc.constant("operate" as const), verb: fc.constantFrom(...JobVerb.literals) }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(500, 2000, 10_000) })
  )
  type Move = typeof move extends fc.Arbitrary<infer A> ? A : never

  const isDue = ({ nextAttemptAt, state }: BackfillJob, nowMs: number): boolean =>
    state === "FAILED" && nextAttemptAt !== null && nextAttemptAt <= nowMs

  /** What its holder makes of a job; only a job that is under way has one. */
  const byHolder = (job: BackfillJob, next: Move, nowMs: number): BackfillJob | undefined => {
    if (job.state !== "RUNNING") return undefined
    if (next.kind === "renew") return jobStep.renew(job, "n")
    if (next.kind === "release") return jobStep.release(job, "n")
    if (next.kind === "expire") return expire(job, "n")
    if (next.kind === "complete") return jobStep.complete(job, progressOf(RangeSet.of(...next.part)), "n")
    return next.kind === "fail" ? failed(job, RangeSet.of(...next.part), nowMs, next.isAttempt) : undefined
  }

  /** The next record; undefined where the move makes none. */
  const moved = (job: BackfillJob | undefined, next: Move, nowMs: number): BackfillJob | undefined => {
    if (next.kind === "demand") return demanded(job, next.part, next.jobClass, nowMs)
    if (job === undefined) return undefined
    if (next.kind === "claim") return jobStep.claim(job, by, next.leaseEnded)
    if (next.kind === "operate") return operated(job, next.verb)
    if (next.kind === "reopen") return isDue(job, nowMs) ? reopened(job, RangeSet.of(...next.part)) : undefined
    return byHolder(job, next, nowMs)
  }

  const lived = (
    moves: ReadonlyArray<Move>,
    claim: (before: BackfillJob | undefined, job: BackfillJob, by: Move) => void
  ) => {
    let job: BackfillJob | undefined
    let nowMs = 0
    for (const next of moves) {
      if (next.kind === "wait") nowMs += next.ms
      const changed = moved(job, next, nowMs)
      if (changed === undefined || changed === job) continue
      claim(job, changed, next)
      job = changed
    }
  }
  const life = fc.array(move, { maxLength: 40 })

  law("a job only goes from a state to one that may follow it, and begins waiting", [life], (moves) =>
    lived(moves, (before, job) =>
      expect(before === undefined ? ["PENDING"] : mayFollow[before.state]).toContain(job.state)
    )
  )

  law("runs and fences never go back, and another run begins waiting", [life], (moves) =>
    lived(moves, (before, job) => {
      expect([0, 1]).toContain(job.run - (before?.run ?? 0))
      expect([0, 1]).toContain(job.fence - (before?.fence ?? 0))
      if (job.run !== before?.run) expect(job.state).toBe("PENDING")
      // whoever has it now is not taken for one who had it before
      if (job.state === "RUNNING" && before?.state !== "RUNNING") expect(job.fence).toBe(before!.fence + 1)
    })
  )

  law("within a run what was committed only grows, and is kept by whatever ends it", [life], (moves) =>
    lived(moves, (before, job) => {
      expect(RangeSet.contains(job.ranges, job.completedRanges)).toBe(true)
      if (before === undefined || before.run !== job.run) return
      expect(RangeSet.contains(job.completedRanges, before.completedRanges)).toBe(true)
      expect(RangeSet.contains(job.ranges, before.ranges)).toBe(true)
    })
  )

  law(
    "a job has a holder while it runs, a next time only where it failed, and failures up to the limit",
    [life],
    (moves) =>
      lived(moves, (_, job) => {
        expect(job.lease !== null).toBe(job.state === "RUNNING")
        if (job.nextAttemptAt !== null) expect(job.state).toBe("FAILED")
        expect(job.attempts).toBeLessThanOrEqual(policy.attemptsMax)
        expect(readJob(Option.some(writeJob(job)))).toEqual(Option.some(job))
      })
  )

  law(
    "only an operator, or a demand of what was called off, moves a job on that does not go on by itself",
    [life],
    (moves) =>
      lived(moves, (before, _, by) => {
        if (before?.state === "QUARANTINED") expect(by.kind).toBe("operate")
        if (before?.state === "FAILED" && before.nextAttemptAt === null)
          expect(["operate", "demand"]).toContain(by.kind)
        if (before?.state === "SUCCEEDED") expect(by.kind).toBe("demand")
      })
  )

  law(
    "every change of state, and each new run or holder, is told; and nothing else but that a job was called off",
    [life],
    (moves) =>
      lived(moves, (before, job, by) => {
        const event = eventBetween(before, job)
        const isChange = before?.state !== job.state || before.run !== job.run || before.fence !== job.fence
        if (event !== undefined && event !== "cancelled") expect(isChange).toBe(true)
        // the next run tells of the retry, and what was freed waits as it did before it is widened
        if (by.kind === "operate" && by.verb === "retry") expect(event).toBeUndefined()
        else if (before?.state === "EXPIRED" && job.state === "PENDING") expect(event).toBeUndefined()
        else if (isChange) expect(event).toBeDefined()
      })
  )
})
