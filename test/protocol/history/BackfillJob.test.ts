/** Does a job record say the same after JSON, and is a run told apart from all others? */
import { Option, Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BackfillJob, isFinal, jobId, JobState } from "../../../protocol/history/BackfillJob.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"
import { text } from "../frames.ts"

const time = fc.maxSafeInteger()

const job: fc.Arbitrary<BackfillJob> = fc.record({
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

describe("BackfillJob", () => {
  law("a job is the same after JSON", [job], (job) => {
    const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(BackfillJob)(job)))
    expect(Schema.decodeUnknownSync(BackfillJob)(json)).toEqual(job)
  })
  law("jobId() is the same for a run, and different for any other of the series", [job, job], (a, b) => {
    const sameRun = a.windowStart === b.windowStart && a.run === b.run
    expect(jobId(a) === jobId(b)).toBe(sameRun)
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
