/** Is it noticed when what is told of jobs was never saved, or not yet, or is not told at all? */
import { assert, describe, it } from "vitest"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import { jobEvent } from "../../../protocol/messages/Backfill.ts"
import { checkEvents } from "./checkEvents.ts"
import { jobWritten, leasedTo, recordWith } from "./samples.ts"

const opened = jobWritten(1)
const claimed = jobWritten(2, { state: "RUNNING", fence: 1, lease: leasedTo("a") })
const renewed = jobWritten(3, { state: "RUNNING", fence: 1, lease: leasedTo("a"), renewals: 1 })
const run = recordWith({ jobs: [opened, claimed, renewed] })

const heard = (atMs: number, before: BackfillJob | undefined, job: BackfillJob) => ({
  atMs,
  data: jobEvent(before, job, 0)!.data
})
const all = [heard(1000, undefined, opened.job), heard(2500, opened.job, claimed.job)]
const allBeforeMs = 60_000

describe("checkEvents()", () => {
  it("checkEvents() has nothing against each change told once, after it was saved; a renewal is nothing to tell", () => {
    assert.deepStrictEqual(checkEvents(run, all, { allBeforeMs }), [])
    assert.deepStrictEqual(checkEvents(run, [], { allBeforeMs: 0 }), [])
  })

  it("checkEvents() tells of an event that came before its change was saved, or of a change that never was", () => {
    const text = "claimed sim:a 1m 0.1 RUNNING 0 a null"
    const early = heard(1999, opened.job, claimed.job)
    assert.deepStrictEqual(checkEvents(run, [early], { allBeforeMs: 0 }), [
      `told at 1999 ms, and not saved by then: ${text}`
    ])
    const never = heard(5000, opened.job, { ...claimed.job, lease: leasedTo("b") })
    assert.lengthOf(checkEvents(run, [never], { allBeforeMs: 0 }), 1)
  })

  it("checkEvents() tells of a change that was not told, where all are", () => {
    assert.deepStrictEqual(checkEvents(run, all.slice(1), { allBeforeMs }), [
      "saved, and never told: opened sim:a 1m 0.1 PENDING 0 null null"
    ])
    assert.deepStrictEqual(checkEvents(run, all.slice(1), { allBeforeMs: 1000 }), [])
  })

  it("checkEvents() tells of an event that can't be read", () => {
    assert.lengthOf(checkEvents(run, [{ atMs: 1, data: new Uint8Array([1]) }], { allBeforeMs: 0 }), 1)
  })
})
