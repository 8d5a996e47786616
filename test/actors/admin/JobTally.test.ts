/** Are jobs counted once each, whatever changes meanwhile, and few of them kept? */
import { Option } from "effect"
import { assert, it } from "vitest"
import * as JobTally from "../../../actors/admin/JobTally.ts"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import { readJob, writeJob } from "../../../protocol/messages/Backfill.ts"
import type { Stored } from "../../../runtime/Mesh.ts"
import { jobOf } from "../../support/jobs.ts"

let revision = 0

const recordOf = (subject: string, value: Option.Option<Uint8Array>): Stored => {
  revision += 1
  return { subject, revision, value }
}

const record = (windowStart: number, changes: Partial<BackfillJob>): Stored =>
  recordOf(String(windowStart), Option.some(writeJob(jobOf({ windowStart, ...changes }))))

const shown = (tally: JobTally.JobTally): ReadonlyArray<number> =>
  tally.newest().map((bytes) => Option.getOrThrow(readJob(Option.some(bytes))).windowStart)

it("add() keeps the last that were changed, the newest first, and counts all", () => {
  const tally = JobTally.make(undefined, 2)
  tally.add([1, 2, 3, 4].map((windowStart) => record(windowStart, {})))
  assert.deepStrictEqual(shown(tally), [4, 3])
  assert.deepStrictEqual([tally.lookedAt(), tally.total(), tally.counts().PENDING], [4, 4, 4])
})

it("add() counts a job that has changed meanwhile as it is by then", () => {
  const tally = JobTally.make("FAILED", 10)
  tally.add([record(1, { state: "FAILED" }), record(2, { state: "FAILED" }), record(3, { state: "RUNNING" })])
  tally.add([record(1, { state: "SUCCEEDED" }), record(3, { state: "FAILED" }), record(2, { state: "FAILED" })])
  assert.deepStrictEqual(shown(tally), [2, 3])
  const counts = { PENDING: 0, RUNNING: 0, SUCCEEDED: 1, FAILED: 2, EXPIRED: 0, QUARANTINED: 0 }
  assert.deepStrictEqual([tally.counts(), tally.lookedAt(), tally.total()], [counts, 3, 2])
})

it("add() of open jobs has those of which something more comes: also what failed and is tried again", () => {
  const tally = JobTally.make("open", 10)
  tally.add([
    record(1, { state: "PENDING" }),
    record(2, { state: "RUNNING" }),
    record(3, { state: "EXPIRED" }),
    record(4, { state: "FAILED", nextAttemptAt: 7 }),
    record(5, { state: "FAILED" }),
    record(6, { state: "SUCCEEDED" }),
    record(7, { state: "QUARANTINED" })
  ])
  assert.deepStrictEqual(shown(tally), [4, 3, 2, 1])
  assert.strictEqual(tally.total(), 4)
})

it("add() passes over what has ended, and what is no job", () => {
  const tally = JobTally.make(undefined, 10)
  tally.add([record(1, {}), recordOf("2", Option.some(new Uint8Array([1]))), record(3, {})])
  tally.add([recordOf("1", Option.none()), recordOf("4", Option.some(new TextEncoder().encode(`{"state":"LATER"}`)))])
  assert.deepStrictEqual([shown(tally), tally.lookedAt()], [[3], 1])
})
