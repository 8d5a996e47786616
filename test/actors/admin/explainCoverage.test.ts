/** Is of each part of a range told why it is covered, or why it is not? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { type Evidence, explain } from "../../../actors/admin/explainCoverage.ts"
import { type Change, lastTouches } from "../../../actors/admin/lastTouches.ts"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import type { CoverageRoot } from "../../../protocol/history/CoverageRoot.ts"
import type { MissingRange, MissingState } from "../../../protocol/history/MissingRange.ts"
import { isRange, type Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Grid } from "../../../protocol/history/Window.ts"
import type { ExplainedRange } from "../../../protocol/messages/AuditReport.ts"
import { none, rootsOf, type Step, steps } from "../../support/auditedRoots.ts"
import { jobOf, rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import { frame, rangeSet } from "../../support/rangeSets.ts"

/** Windows of 100. */
const grid: Grid = { intervalMs: 10, anchorMs: 0, windowBars: 10 }

const changesOf = (roots: ReadonlyArray<CoverageRoot>): ReadonlyArray<Change> =>
  roots.map(({ committedAt, diff, version }) => ({ version, versionBefore: version - 1, committedAt, diff }))

const exceptionOf = ([start, end]: Range, state: MissingState, more: Partial<MissingRange> = {}): MissingRange => ({
  start,
  end,
  state,
  reason: `it is ${state}`,
  retryAt: null,
  ...more
})

interface Known {
  readonly commits?: ReadonlyArray<Step>
  readonly jobs?: ReadonlyArray<BackfillJob>
  readonly exceptions?: ReadonlyArray<MissingRange>
}

const explained = (range: Range, { commits = [], exceptions = [], jobs = [] }: Known) => {
  const roots = rootsOf(commits)
  const { covered } = roots.at(-1) ?? none
  const touches = lastTouches([], changesOf(roots), RangeSet.of(...range))
  const evidence: Evidence = { touches, root: { exceptions }, covered, jobs, grid }
  return { parts: explain(evidence, range), covered, roots }
}

/** Each part in a few words. */
const told = (range: Range, known: Known): ReadonlyArray<string> =>
  explained(range, known).parts.map(({ change, end, job, start, state }) => {
    const by = change === null ? "" : ` by ${change.version}`
    return `${start}-${end} ${state}${by}${job === null ? "" : ` job ${job.id}`}`
  })

const wordsOf = ({ end: _end, start: _start, ...words }: ExplainedRange) => words

const exception: fc.Arbitrary<MissingRange> = fc
  .tuple(frame, fc.constantFrom("deferred" as const, "unavailable" as const, "quarantined" as const))
  .map(([range, state]) => exceptionOf(range, state))

const job: fc.Arbitrary<BackfillJob> = fc
  .record({
    at: fc.integer({ min: -1, max: 2 }),
    ranges: rangeSet,
    state: fc.constantFrom("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "EXPIRED", "QUARANTINED")
  })
  .map(({ at, ranges, state }) => jobOf({ windowStart: at * 100, ranges, state }))

const known: fc.Arbitrary<Known> = fc.record({
  commits: steps,
  exceptions: fc.array(exception, { maxLength: 4 }),
  jobs: fc.uniqueArray(job, { maxLength: 4, selector: ({ windowStart }) => windowStart })
})

const wanted = frame.filter((range) => isRange(...range))

describe("explain()", () => {
  law(
    "explain() tiles the range: its parts are in order, without a gap and without overlap",
    [wanted, known],
    (...drawn) => {
      const [[start, end]] = drawn
      const { parts } = explained(...drawn)
      assert.strictEqual(parts[0]?.start, start)
      assert.strictEqual(parts.at(-1)?.end, end)
      for (const [at, part] of parts.entries()) {
        assert.isTrue(isRange(part.start, part.end))
        if (at > 0) assert.strictEqual(part.start, parts[at - 1]?.end)
        // neighbours say different things, unless two exceptions have the same words
        if (at > 0 && part.exception === null) assert.notDeepEqual(wordsOf(part), wordsOf(parts[at - 1]!))
      }
    }
  )

  law(
    "explain() calls covered just what is covered, each part since the change that added it last",
    [wanted, known],
    (...drawn) => {
      const [[start, end]] = drawn
      const { covered, parts, roots } = explained(...drawn)
      const told = parts.filter(({ state }) => state === "covered")
      const time = RangeSet.make(told.map((part): Range => [part.start, part.end]))
      assert.deepStrictEqual(toPairs(time), toPairs(RangeSet.clip(covered, start, end)))
      for (const part of told) {
        const time = RangeSet.of(part.start, part.end)
        const last = roots.findLast(({ diff }) => RangeSet.intersect(diff.added, time).edges.length > 0)!
        assert.isTrue(RangeSet.contains(last.diff.added, time))
        assert.strictEqual(part.change?.version, last.version)
        assert.deepStrictEqual([part.job, part.exception], [null, null])
      }
    }
  )

  law(
    "explain() names for what is not covered the change that took it away last, and no other",
    [wanted, known],
    (...drawn) => {
      const { parts, roots } = explained(...drawn)
      for (const part of parts.filter(({ state }) => state !== "covered")) {
        const time = RangeSet.of(part.start, part.end)
        const touching = ({ diff }: CoverageRoot) =>
          RangeSet.intersect(RangeSet.union(diff.added, diff.removed), time).edges.length > 0
        const last = roots.findLast(touching)
        assert.strictEqual(part.change?.version, last?.version)
        if (last !== undefined) assert.isTrue(RangeSet.contains(last.diff.removed, time))
      }
    }
  )

  law(
    "explain() of a part of the range says the same as that of the whole",
    [wanted, wanted, known],
    (range, part, facts) => {
      const both = RangeSet.intersect(RangeSet.of(...range), RangeSet.of(...part))
      const inner = toPairs(both)[0]
      if (inner === undefined) return
      const stateAt = (parts: ReadonlyArray<ExplainedRange>, time: number) =>
        parts.find(({ end, start }) => start <= time && time < end)?.state
      const [whole, some] = [explained(range, facts).parts, explained(inner, facts).parts]
      for (const { start } of some) assert.strictEqual(stateAt(some, start), stateAt(whole, start))
    }
  )

  it.each<readonly [string, Known, ReadonlyArray<string>]>([
    ["nothing", {}, ["0-100 missing"]],
    [
      "commits",
      { commits: [{ added: rangesOf([0, 60]) }, { added: rangesOf([40, 80]) }] },
      ["0-60 covered by 1", "60-80 covered by 2", "80-100 missing"]
    ],
    [
      "a removal",
      { commits: [{ added: rangesOf([0, 60]) }, { removed: rangesOf([20, 40]) }] },
      ["0-20 covered by 1", "20-40 removed by 2", "40-60 covered by 1", "60-100 missing"]
    ],
    [
      "time that was brought again",
      {
        commits: [{ added: rangesOf([0, 60]) }, { removed: rangesOf([20, 40]) }, { added: rangesOf([20, 30]) }]
      },
      ["0-20 covered by 1", "20-30 covered by 3", "30-40 removed by 2", "40-60 covered by 1", "60-100 missing"]
    ],
    [
      "exceptions, which speak of what is not covered",
      {
        commits: [{ added: rangesOf([30, 60]) }],
        exceptions: [exceptionOf([10, 50], "deferred"), exceptionOf([80, 90], "unavailable")]
      },
      ["0-10 missing", "10-30 deferred", "30-60 covered by 1", "60-80 missing", "80-90 unavailable", "90-100 missing"]
    ],
    [
      "a job of some of it, which is open",
      { jobs: [jobOf({ ranges: rangesOf([20, 50]), state: "RUNNING" })] },
      ["0-20 missing", "20-50 underway job 0.1", "50-100 missing"]
    ],
    [
      "a job that goes before what was known, and one that does not",
      {
        exceptions: [exceptionOf([0, 40], "deferred")],
        jobs: [jobOf({ ranges: rangesOf([20, 60]), state: "FAILED", attempts: 2 })]
      },
      ["0-20 deferred", "20-40 deferred job 0.1", "40-60 failed job 0.1", "60-100 missing"]
    ],
    [
      "a job that is asked for what was taken away",
      {
        commits: [{ added: rangesOf([0, 100]) }, { removed: rangesOf([0, 40]) }],
        jobs: [jobOf({ ranges: rangesOf([0, 20]), run: 2 })]
      },
      ["0-20 underway by 2 job 0.2", "20-40 removed by 2", "40-100 covered by 1"]
    ],
    [
      "jobs that have ended",
      {
        jobs: [
          jobOf({ ranges: rangesOf([0, 50]), state: "SUCCEEDED" }),
          jobOf({ windowStart: 100, ranges: rangesOf([0, 200]), state: "QUARANTINED" })
        ]
      },
      ["0-50 missing job 0.1", "50-100 missing"]
    ]
  ])("explain() tells of %s", (_, facts, expected) => {
    assert.deepStrictEqual(told([0, 100], facts), expected)
  })

  it("explain() tells of a job that waits for a person, and of what it says itself", () => {
    const failure = { tag: "RowsRejected", message: "high below low", source: "binance" }
    const lease = { holder: "host-1", leaseMs: 5000 }
    const { parts } = explained([0, 200], {
      jobs: [
        jobOf({ state: "QUARANTINED", attempts: 5, failure }),
        jobOf({ windowStart: 100, ranges: rangesOf([100, 200]), state: "RUNNING", lease, nextAttemptAt: 7 })
      ]
    })
    const told = parts.map(({ job, state }) => ({ job, state }))
    assert.deepStrictEqual(told, [
      {
        state: "quarantined",
        job: {
          id: "0.1",
          state: "QUARANTINED",
          attempts: 5,
          nextAttemptAt: null,
          failure,
          holder: null,
          cause: "request-1"
        }
      },
      {
        state: "underway",
        job: {
          id: "100.1",
          state: "RUNNING",
          attempts: 0,
          nextAttemptAt: 7,
          failure: null,
          holder: "host-1",
          cause: "request-1"
        }
      }
    ])
  })

  it("explain() names of a change's jobs those of the part's windows, and whatever is no job of a window", () => {
    const jobs = ["0.1", "100.2", "200.1", "by hand"]
    const commits = [{ added: rangesOf([0, 300]) }]
    const [root] = rootsOf(commits)
    const changes = changesOf([{ ...root!, diff: { ...root!.diff, jobs } }])
    const jobsIn = (range: Range) => {
      const touches = lastTouches([], changes, RangeSet.of(...range))
      const evidence = { touches, root: { exceptions: [] }, covered: root!.covered, jobs: [], grid }
      return explain(evidence, range).map(({ change }) => change?.jobs)
    }
    assert.deepStrictEqual(jobsIn([0, 300]), [jobs])
    assert.deepStrictEqual(jobsIn([110, 120]), [["100.2", "by hand"]])
    assert.deepStrictEqual(jobsIn([90, 110]), [["0.1", "100.2", "by hand"]])
  })

  it("explain() of what the history says nothing of, or the opposite, names no change", () => {
    const touches = lastTouches([], changesOf(rootsOf([{ added: rangesOf([0, 50]) }])), rangesOf([0, 200]))
    const evidence = { touches, root: { exceptions: [] }, covered: rangesOf([100, 200]), jobs: [], grid }
    const told = explain(evidence, [0, 200]).map(({ change, state }) => [state, change])
    assert.deepStrictEqual(told, [
      ["missing", null],
      ["covered", null]
    ])
  })
})
