/** Does a backfill go from one status to the next as it should, and never back from its end? */
import { Option, Result } from "effect"
import { describe, expect, it } from "vitest"
import * as backfillStep from "../../../actors/backfills/backfillStep.ts"
import type { BackfillSpec, BackfillStatus } from "../../../protocol/history/NamedBackfill.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"

const spec: BackfillSpec = {
  nodeId: "a",
  interval: "1m",
  start: 0,
  end: 60_000,
  order: "oldest_first",
  jobClass: "bulk"
}
const made = backfillStep.created("x", { spec, by: "alice" }, 5)
const standing = (status: BackfillStatus) => ({
  ...made,
  status,
  reason: "a reason",
  quarantined: RangeSet.of(0, 60_000)
})

describe("backfillStep", () => {
  it("created() runs, and knows who made it", () => {
    expect(made).toMatchObject({ name: "x", ...spec, status: "running", createdAt: 5, by: "alice", changedBy: "alice" })
  })

  it("isOf() tells the same order from any other", () => {
    expect(backfillStep.isOf(standing("done"), { ...spec })).toBe(true)
    expect(backfillStep.isOf(made, { ...spec, end: 120_000 })).toBe(false)
    expect(backfillStep.isOf(made, { ...spec, order: "newest_first" })).toBe(false)
  })

  const outcomes = [
    ["running", "paused", "paused"],
    ["running", "cancelled", "cancelled"],
    ["paused", "running", "running"],
    ["paused", "cancelled", "cancelled"],
    ["done", "running", "BackfillEnded"],
    ["done", "paused", "BackfillEnded"],
    ["done", "cancelled", "BackfillEnded"],
    ["cancelled", "running", "BackfillEnded"],
    ["cancelled", "paused", "BackfillEnded"]
  ] as const

  it.each(outcomes)("changed() of one that is %s to %s makes %s", (from, to, outcome) => {
    const made = backfillStep.changed(standing(from), { to, by: "bob" }, 9)
    if (Result.isFailure(made)) return expect(made.failure).toMatchObject({ _tag: outcome, status: from })
    expect(made.success).toMatchObject({ status: outcome, changedAt: 9, changedBy: "bob", reason: "" })
  })

  it.each(["running", "paused", "cancelled"] as const)(
    "changed() of one that is %s to the same changes nothing",
    (to) => {
      const before = standing(to)
      expect(Result.getSuccess(backfillStep.changed(before, { to, by: "bob" }, 9))).toEqual(Option.some(before))
    }
  )

  it("changed() to running asks anew for what was quarantined; to anything else it remembers it", () => {
    const quarantinedAfter = (from: BackfillStatus, to: "running" | "cancelled") =>
      Result.map(backfillStep.changed(standing(from), { to, by: "bob" }, 9), ({ quarantined }) => quarantined)
    expect(quarantinedAfter("paused", "running")).toEqual(Result.succeed(RangeSet.empty))
    expect(quarantinedAfter("paused", "cancelled")).toEqual(Result.succeed(RangeSet.of(0, 60_000)))
  })
})
