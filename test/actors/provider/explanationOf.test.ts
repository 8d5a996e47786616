/** Is it told of each window's job what the actor would do about it, and what a chunk takes? */
import { Result } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { jobAction } from "../../../protocol/history/jobAction.ts"
import { backfillWaitMs, usableMs, waitsOf } from "../../../actors/provider/waits.ts"
import { planJob } from "../../../actors/coverage/planJobs.ts"
import { chunkBytes } from "../../../actors/sources/chunkBytes.ts"
import { conform } from "../../../actors/conformance/conform.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { JobClass, JobState } from "../../../protocol/history/BackfillJob.ts"
import * as Chunk from "../../../protocol/history/Chunk.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobOf, series } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import { flatBars, options } from "../../support/rows.ts"

const nowMs = 1000

const drawnJob = fc.record({
  state: fc.constantFrom(...JobState.literals),
  jobClass: fc.constantFrom(...JobClass.literals),
  nextAttemptAt: fc.constantFrom(null, nowMs - 1, nowMs, nowMs + 1),
  end: fc.integer({ min: 1, max: 100 })
})

describe("jobAction()", () => {
  law(
    "jobAction() is what the actor does with a reader's demand",
    [drawnJob, fc.integer({ min: 1, max: 100 })],
    (drawn, end) => {
      const job = jobOf({ ...drawn, ranges: RangeSet.of(0, drawn.end) })
      const wanted = RangeSet.of(0, end)
      const demand = {
        series,
        sources: [],
        jobClass: "interactive",
        cause: "",
        traceParent: "",
        nonce: "n",
        nowMs
      } as const
      const plan = planJob(
        { ...demand, generationOf: () => 0 },
        { windowStart: 0, ranges: wanted },
        { job, revision: 1 }
      )
      // a run that waits is widened by writing it: it stays that run
      const isSameRun = plan.action === "write" && plan.job.run === job.run
      const done = plan.action === "write" ? (isSameRun ? "join" : "open") : plan.action
      expect(jobAction(job, wanted, nowMs)).toBe(done)
    }
  )

  it("jobAction() opens a run where there is none", () => {
    expect(jobAction(undefined, RangeSet.of(0, 1), nowMs)).toBe("open")
  })
})

describe("chunkBytes()", () => {
  it.each([0, 1, 60, 1440, 10_000])("chunkBytes() of %i rows is about what they take", (rows) => {
    const minutes = Array.from({ length: rows }, (_, minute) => minute)
    const { frame } = Result.getOrThrow(conform(flatBars(minutes), options))
    const { bytes, ref } = Chunk.encode(frame, {
      series,
      windowStart: 0,
      windowBars: 1440,
      source: "binance",
      ranges: RangeSet.of(0, 60_000 * 1440),
      base: null,
      schemaVersion: 1
    })
    expect(Math.abs(chunkBytes(ref, ohlcv) / bytes.length - 1)).toBeLessThan(0.1)
  })
})

describe("waitsOf()", () => {
  it("waitsOf() bounds each phase by the policy, and by what the deadline leaves", () => {
    const sla = { maxWaitStorageMs: 100, maxWaitBackfillMs: 3000, totalDeadlineMs: 5000 }
    const eventual = "eventual"
    expect(waitsOf("wait", { sla, consistency: eventual })).toEqual({
      totalDeadlineMs: 5000,
      phases: { storage: { budgetMs: 4950, rowsMs: 100 }, backfill: { budgetMs: 3000 } }
    })
    // who has the owner asked waits for that as for storage
    expect(waitsOf("none", { sla, consistency: "strict" }).phases).toEqual({ storage: { budgetMs: 100, rowsMs: 100 } })
    const again = { ...sla, retryBackoffMs: 250 }
    expect(waitsOf("wait", { sla: again, consistency: eventual }).phases["backfill"]).toEqual({
      budgetMs: 3000,
      retryBackoffMs: 250
    })
    expect(waitsOf("queue", { sla: {}, consistency: eventual })).toEqual({
      totalDeadlineMs: null,
      phases: { storage: { budgetMs: null, rowsMs: null } }
    })
  })

  it("backfillWaitMs() leaves time for reading what came, and usableMs() for sending the answer", () => {
    expect([usableMs(100), usableMs(5000), usableMs(Infinity)]).toEqual([90, 4950, Infinity])
    expect([backfillWaitMs({}, 100), backfillWaitMs({}, 4950)]).toEqual([80, 4700])
    expect(backfillWaitMs({}, Infinity)).toBe(Infinity)
  })
})
