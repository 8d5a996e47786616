/** Does a job record say the same after JSON, and is a run told apart from all others? */
import { Option, Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BackfillJob, isFinal, jobId, JobState, windowOfJob } from "../../../protocol/history/BackfillJob.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"
import { text } from "../frames.ts"

const time = fc.maxSafeInteger()

const filling: fc.Arbitrary<BackfillJob> = fc.record({
  format: fc.constant(1 as const),
  series: fc.record({ nodeId: text, interval: fc.constant("1m") }),
  windowStart: fc.integer({ min: -3, max: 3 }),
  run: fc.integer({ min: 1, max: 12 }),
  state: fc.constantFrom(...JobState.literals),
  jobClass: fc.constantFrom("interactive" as const, "bulk" as const),
  ranges: rangeSet,
  completedRanges: rangeSet,
  sources: fc.array(text),
  generation: fc.nat(),
  fence: fc.nat(),
  lease: fc.option(fc.record({ holder: text, leaseMs: fc.nat() })),
  renewals: fc.nat(),
  attempts: fc.nat(),
  failure: fc.option(fc.record({ tag: text, message: text, source: text })),
  passedOver: fc.array(fc.record({ tag: text, message: text, source: text })),
  requests: fc.nat(),
  coverageVersion: fc.nat(),
  nextAttemptAt: fc.option(time),
  cause: text,
  traceParent: text,
  nonce: text
})

const job = fc
  .tuple(filling, fc.option(fc.oneof(fc.constantFrom("binance", "a.b", "1.2r"), fc.string({ minLength: 1 }))))
  .map(([job, revises]): BackfillJob => (revises === null ? job : { ...job, revises }))

describe("BackfillJob", () => {
  law("a job is the same after JSON", [job], (job) => {
    const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(BackfillJob)(job)))
    expect(Schema.decodeUnknownSync(BackfillJob)(json)).toEqual(job)
  })
  law("jobId() is the same for a run, and different for any other of the series", [job, job], (a, b) => {
    const sameRun = a.windowStart === b.windowStart && a.run === b.run && a.revises === b.revises
    expect(jobId(a) === jobId(b)).toBe(sameRun)
  })
  law("windowOfJob() reads the window of every run from its name", [job], (job) =>
    expect(windowOfJob(jobId(job)) + 0).toBe(job.windowStart)
  )
  it("jobId() tells apart what asks two sources for their bars of a window once more", () => {
    const ids = ["binance", "bybit", undefined].map((source) =>
      jobId({ windowStart: 60, run: 2, ...(source !== undefined && { revises: source }) })
    )
    expect(ids).toEqual(["60.2r-binance", "60.2r-bybit", "60.2"])
    expect(ids.map(windowOfJob)).toEqual([60, 60, 60])
    expect(["60", "60.2r", "import.1", "60.2x"].map(windowOfJob)).toEqual([NaN, NaN, NaN, NaN])
  })
  law("isFinal() is false for what someone works on, or will", [job], (job) =>
    expect(isFinal(job)).toBe(!["PENDING", "RUNNING", "EXPIRED"].includes(job.state))
  )
  it.each([
    ["of another format", { format: 2 }],
    ["in no known state", { state: "DONE" }],
    ["of no known class", { jobClass: "urgent" }]
  ])("a record %s is refused", (_, change) => {
    const encoded = Schema.encodeSync(BackfillJob)(fc.sample(job, 1)[0]!)
    const decode = Schema.decodeUnknownOption(BackfillJob)
    expect(Option.isSome(decode(encoded))).toBe(true)
    expect(Option.isSome(decode({ ...encoded, ...change }))).toBe(false)
  })
})
