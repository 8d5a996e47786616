/** Is a job's record kept as long as somebody may need it, and no longer? */
import { expect, it } from "vitest"
import { JobState } from "../../../protocol/history/BackfillJob.ts"
import { jobTtl } from "../../../protocol/messages/Backfill.ts"
import { jobOf } from "../../support/jobs.ts"

it("jobTtl() ends the records of runs that have ended after a week, and none that waits for somebody", () => {
  const week = { ttlSeconds: 604_800 }
  const forEver = {}
  const expected = { PENDING: forEver, RUNNING: forEver, EXPIRED: forEver, QUARANTINED: forEver }
  expect(Object.fromEntries(JobState.literals.map((state) => [state, jobTtl(jobOf({ state }))]))).toEqual({
    ...expected,
    SUCCEEDED: week,
    FAILED: week
  })
})
