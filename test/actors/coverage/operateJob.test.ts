/** Does an operator's word change a job only where it suits it, and into a state that may follow? */
import { Option, Result } from "effect"
import { assert, describe, it } from "vitest"
import { operateJob } from "../../../actors/coverage/operateJob.ts"
import { hasEnded, JobState, mayFollow } from "../../../protocol/history/BackfillJob.ts"
import { JobVerb, suits } from "../../../protocol/messages/Operate.ts"
import { jobOf, rangesOf } from "../../support/jobs.ts"

const by = { who: "alice", reason: "look at it" }

const pairs = JobVerb.literals.flatMap((verb) =>
  JobState.literals.flatMap((state) => [
    [verb, jobOf({ state })] as const,
    [verb, jobOf({ state, nextAttemptAt: 7, attempts: 3 })] as const
  ])
)

describe("operateJob()", () => {
  it("changes exactly the jobs that suit, each into a state that may follow, and leaves nobody holding it", () => {
    for (const [verb, job] of pairs) {
      const operated = Option.getOrUndefined(Result.getSuccess(operateJob(job, { verb, ...by }, 0)))
      assert.strictEqual(operated !== undefined, suits(verb, job), `${verb} of ${job.state}`)
      if (operated === undefined) continue
      assert.include(mayFollow[job.state], operated.job.state, `${verb} of ${job.state}`)
      assert.isNull(operated.job.lease)
      // what was retried is due; of anything else nothing more comes by itself
      assert.strictEqual(hasEnded(operated.job), verb !== "retry")
    }
  })

  it("cancel of a job that is not tried again is refused, and says what it is", () => {
    const refused = Result.getFailure(operateJob(jobOf({ state: "FAILED" }), { verb: "cancel", ...by }, 0))
    assert.match(
      Option.getOrThrow(refused).message,
      /^cancel does not suit the window at 1970-01-01T00:00:00Z: its job is FAILED and not tried again/
    )
    const nobody = Result.getFailure(operateJob(undefined, { verb: "retry", ...by }, 60_000))
    assert.match(Option.getOrThrow(nobody).message, /it has no job, and would need one that is FAILED or QUARANTINED$/)
  })

  it("skip and quarantine explain what the job has not brought", () => {
    const brought = { ranges: rangesOf([0, 100]), completedRanges: rangesOf([0, 40], [60, 100]) }
    const explained = (verb: JobVerb, state: JobState) =>
      Result.getOrThrow(operateJob(jobOf({ state, ...brought }), { verb, ...by }, 0)).exceptions
    assert.deepStrictEqual(explained("skip", "QUARANTINED"), [
      { start: 40, end: 60, state: "unavailable", reason: "skipped by alice: look at it", retryAt: null }
    ])
    assert.deepStrictEqual(explained("quarantine", "RUNNING"), [
      { start: 40, end: 60, state: "quarantined", reason: "set aside by alice: look at it", retryAt: null }
    ])
    assert.deepStrictEqual([explained("retry", "QUARANTINED"), explained("cancel", "RUNNING")], [[], []])
  })
})
