/** Is it told what an answer lacks, and why? */
import { assert, it } from "vitest"
import { describeMissing } from "../../bin/describeMissing.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"

const ranges: ReadonlyArray<MissingRange> = [
  { start: 0, end: 60_000, state: "missing", reason: "not filled yet", retryAt: null },
  { start: 60_000, end: 120_000, state: "deferred", reason: "too soon", retryAt: 180_000 }
]

it("describeMissing() writes a line a range, with its state, its reason and when to ask again", () => {
  assert.deepStrictEqual(describeMissing(ranges, "table").split("\n"), [
    "state     start                 end                   ask again             reason",
    "missing   1970-01-01T00:00:00Z  1970-01-01T00:01:00Z                        not filled yet",
    "deferred  1970-01-01T00:01:00Z  1970-01-01T00:02:00Z  1970-01-01T00:03:00Z  too soon"
  ])
})

it("describeMissing() tells what a reason rests on", () => {
  const told: MissingRange = {
    start: 0,
    end: 60_000,
    state: "unavailable",
    reason: "before its listing",
    retryAt: null,
    evidence: "configured: listed at 1970-01-01T00:01:00Z"
  }
  const [, line] = describeMissing([told], "table").split("\n")
  assert.isTrue(line?.endsWith("before its listing (configured: listed at 1970-01-01T00:01:00Z)"), line)
})

it("describeMissing() in JSON is one line, with the ranges as they came", () => {
  const text = describeMissing(ranges, "json")
  assert.notInclude(text, "\n")
  assert.deepStrictEqual(JSON.parse(text), { missingRanges: ranges })
})
