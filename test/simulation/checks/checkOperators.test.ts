/** Is it noticed when something is done that no operator has said, or in spite of what one has? */
import { assert, describe, it } from "vitest"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Word } from "../History.ts"
import { checkOperators } from "./checkOperators.ts"
import { jobWritten, operationWith, recordWith, rootWritten } from "./samples.ts"

const range: Range = [0, 60_000]
const aside = { tag: "WindowQuarantined", message: "set aside by x: op1", source: "operator" }
const calledOff = { tag: "Cancelled", message: "called off by x: op1", source: "operator" }
const refused = { tag: "SourceUnavailable", message: "the exchange refuses", source: "exchange" }

/** The problems of a job that changes so, each a second after the last, when this was said in the first. */
const problemsOf = (
  said: Word["verb"] | undefined,
  [before, after]: readonly [Partial<BackfillJob>, Partial<BackfillJob>],
  root?: ReturnType<typeof rootWritten>
) =>
  checkOperators(
    recordWith({
      jobs: [jobWritten(1, before), jobWritten(9, after)],
      ...(root === undefined ? {} : { roots: [root] })
    }),
    said === undefined
      ? []
      : [operationWith({ what: said, word: { verb: said, node: "sim:a", range }, invokedAtMs: 5000 })]
  )

const name = "job $KV.seamless-jobs.window at revision 9"

describe("checkOperators()", () => {
  it.each([
    ["retry", { state: "QUARANTINED" }, { state: "FAILED", nextAttemptAt: 0 }],
    ["skip", { state: "QUARANTINED" }, { state: "SUCCEEDED" }],
    ["cancel", { state: "RUNNING" }, { state: "FAILED", failure: calledOff }],
    ["quarantine", { state: "PENDING" }, { state: "QUARANTINED", failure: aside }]
  ] as const)("checkOperators() has nothing against a %s that was said, and tells of one that was not", (...sample) => {
    const [verb, before, after] = sample
    assert.deepStrictEqual(problemsOf(verb, [before, after]), [])
    const problem = `${name}: nobody has said ${verb}, and it is ${after.state}`
    assert.deepStrictEqual(problemsOf(undefined, [before, after]), [problem])
    assert.deepStrictEqual(problemsOf(verb, [before, { ...after, windowStart: 1e9 }]), [problem])
    assert.deepStrictEqual(problemsOf("invalidate", [before, after]), [problem])
  })

  it("checkOperators() has nothing against a window that is set aside for its failures", () => {
    assert.deepStrictEqual(
      problemsOf(undefined, [{ state: "RUNNING" }, { state: "QUARANTINED", failure: refused }]),
      []
    )
  })

  it.each(["PENDING", "RUNNING"] as const)("checkOperators() tells of a quarantine that ends %s", (state) => {
    assert.deepStrictEqual(problemsOf("retry", [{ state: "QUARANTINED" }, { state, run: 2 }]), [
      `${name}: ${state} after QUARANTINED`
    ])
  })

  it("checkOperators() tells of a job that was called off, and is to be tried again or opens by itself", () => {
    const off = { state: "FAILED", failure: calledOff } as const
    assert.deepStrictEqual(problemsOf("cancel", [{ state: "PENDING" }, { ...off, nextAttemptAt: 7 }]), [
      `${name}: called off, and to be tried again`
    ])
    assert.deepStrictEqual(problemsOf("cancel", [off, { run: 2, failure: calledOff }]), [
      `${name}: called off, and opened by itself`
    ])
    assert.deepStrictEqual(problemsOf("cancel", [off, { run: 2 }]), [])
  })

  it("checkOperators() tells of a skip of which the root says nothing", () => {
    const lacking = { ranges: RangeSet.of(0, 60), completedRanges: RangeSet.of(0, 20) }
    const change = [
      { state: "QUARANTINED", ...lacking },
      { state: "SUCCEEDED", ...lacking }
    ] as const
    const says = (until: number) =>
      rootWritten(4, { version: 1, covered: [], exceptions: [{ start: 20, end: until, state: "unavailable" }] })
    assert.deepStrictEqual(problemsOf("skip", change, says(60)), [])
    assert.deepStrictEqual(problemsOf("skip", change, says(59)), [
      `${name}: the root does not say of all its time that it was to skip`
    ])
  })
})
