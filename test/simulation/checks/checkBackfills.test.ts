/** Is it noticed when a backfill is not done, not held up, or not told of truly? */
import { assert, describe, it } from "vitest"
import type { BackfillReport } from "../../../protocol/history/NamedBackfill.ts"
import * as Market from "../Market.ts"
import { checkBackfills } from "./checkBackfills.ts"
import { jobWritten, operationWith, recordWith, rootWritten } from "./samples.ts"

const { barMs } = Market
const end = 10 * barMs

const report = (changes: Partial<BackfillReport>): BackfillReport => ({
  name: "bf",
  nodeId: "sim:a",
  interval: "1m",
  start: 0,
  end,
  order: "oldest_first",
  jobClass: "bulk",
  status: "running",
  createdAt: 0,
  by: "x",
  changedAt: 0,
  changedBy: "x",
  reason: "",
  figures: {
    at: 0,
    bars: 10,
    windows: 1,
    leftBars: 0,
    leftWindows: 0,
    deferredBars: 0,
    unavailableBars: 0,
    quarantinedBars: 0
  },
  barsPerSecond: null,
  secondsLeft: null,
  outstandingWindows: 0,
  failingWindows: 0,
  failing: [],
  quarantinedRanges: [],
  waitsUntil: null,
  ...changes
})

const created = operationWith({ id: "create0", what: "createBackfill" })
const changed = (what: string, changes = {}) => operationWith({ id: what, what, ...changes })
const covered = (bars: number, revision = 1) =>
  rootWritten(revision, { version: revision, covered: [[0, bars * barMs]] })

/** The problems of that report at the end, when so much was covered and this was said before. */
const problemsOf = (
  told: BackfillReport,
  { roots = [covered(10)], said = [] as ReadonlyArray<ReturnType<typeof changed>>, jobs = [], isScarce = false } = {}
) =>
  checkBackfills(
    recordWith({ roots, jobs }),
    [
      created,
      ...said,
      operationWith({ id: "stands", what: "backfill", answer: told, invokedAtMs: 55_000, completedAtMs: 55_100 })
    ],
    isScarce
  )

describe("checkBackfills()", () => {
  it("checkBackfills() has nothing against one that is done when all is covered, or was once", () => {
    assert.deepStrictEqual(problemsOf(report({ status: "done" })), [])
    assert.deepStrictEqual(problemsOf(report({ status: "done" }), { roots: [covered(10), covered(5, 2)] }), [])
  })

  it("checkBackfills() tells of one that is done though something has always been left", () => {
    assert.deepStrictEqual(problemsOf(report({ status: "done" }), { roots: [covered(9)] }), [
      "the backfill is done, and something has always been left"
    ])
  })

  it("checkBackfills() tells of one that still runs, unless the budget is scarce", () => {
    const roots = [covered(7)]
    assert.deepStrictEqual(problemsOf(report({}), { roots }), ["the backfill still runs, and lacks 3 bars"])
    assert.deepStrictEqual(problemsOf(report({}), { roots, isScarce: true }), [])
  })

  it("checkBackfills() tells of figures of a paused one that are not so", () => {
    const roots = [covered(7)]
    const { figures } = report({})
    assert.deepStrictEqual(
      problemsOf(report({ status: "paused", figures: { ...figures, leftBars: 3 } }), { roots }),
      []
    )
    assert.deepStrictEqual(problemsOf(report({ status: "paused", figures: { ...figures, leftBars: 2 } }), { roots }), [
      "the backfill tells of 2 bars that are missing, not 3"
    ])
  })

  it("checkBackfills() tells of one that does not stand as the last word says", () => {
    const cancelled = changed("cancelBackfill")
    assert.deepStrictEqual(problemsOf(report({}), { said: [cancelled] }), [
      "the backfill is running, and was to be cancelled"
    ])
    assert.deepStrictEqual(problemsOf(report({ status: "cancelled" }), { said: [cancelled] }), [])
    const paused = changed("pauseBackfill")
    assert.lengthOf(problemsOf(report({}), { said: [paused] }), 1)
    // one that had no answer may have come after it
    const unsure = changed("resumeBackfill", { outcome: "DeadlineExceeded", untilMs: 9000 })
    assert.deepStrictEqual(problemsOf(report({}), { said: [unsure, paused] }), [])
  })

  it("checkBackfills() tells of one that was created and is not known, or does not answer", () => {
    const asked = operationWith({ id: "stands", what: "backfill", outcome: "UnknownBackfill" })
    assert.deepStrictEqual(checkBackfills(recordWith({}), [created, asked], false), [
      "the backfill was created, and is not known"
    ])
    assert.deepStrictEqual(checkBackfills(recordWith({}), [asked], false), [])
    assert.lengthOf(checkBackfills(recordWith({}), [created, { ...asked, outcome: "DeadlineExceeded" }], false), 1)
  })

  it("checkBackfills() tells of runs that are opened for one that is held up", () => {
    const said = [changed("pauseBackfill")]
    const opened = jobWritten(20, { cause: "backfill:bf" })
    const told = report({ status: "paused" })
    const run = (jobs: ReadonlyArray<ReturnType<typeof jobWritten>>) =>
      checkBackfills(
        recordWith({ roots: [covered(10)], jobs }),
        [created, ...said, operationWith({ id: "stands", answer: told, invokedAtMs: 55_000, completedAtMs: 55_100 })],
        false
      )
    assert.deepStrictEqual(run([opened]), [
      "job $KV.seamless-jobs.window at revision 20: opened by a backfill that is held up"
    ])
    // shortly after it was held up; for somebody else; and what follows a run that was under way
    assert.deepStrictEqual(run([jobWritten(10, { cause: "backfill:bf" })]), [])
    assert.deepStrictEqual(run([jobWritten(20, { cause: "demand:op1" })]), [])
    const before = [jobWritten(1), jobWritten(19, { state: "SUCCEEDED" })]
    assert.deepStrictEqual(run([...before, jobWritten(20, { run: 2, cause: "backfill:bf" })]), [])
  })
})
