/** Is it told what was done to fill a range? */
import { assert, it } from "vitest"
import { ensureText } from "../../../bin/commands/ensure.ts"
import type { AvailabilityResult } from "../../../client/HistoryResult.ts"
import { meta } from "../../client/answers.ts"

const result: AvailabilityResult = {
  available: true,
  coverageRanges: [[0, 60_000]],
  missingRanges: [],
  jobs: [],
  sourceOutcomes: {},
  slaReport: meta.slaReport,
  coverageVersion: 2,
  requestId: "r",
  notes: ["a note"]
}

it("ensureText() says what is available and that no job was needed", () => {
  assert.deepStrictEqual(ensureText(result).split("\n"), [
    "available: 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z",
    "coverage version 2; 3 ms",
    "no job was needed",
    "a note"
  ])
})

it("ensureText() lists the jobs by window", () => {
  const jobs = [{ windowStart: 0, run: 2, state: "SUCCEEDED" }]
  assert.include(ensureText({ ...result, jobs }), "1970-01-01T00:00:00Z    2  SUCCEEDED")
})

it("ensureText() shortens a long list of ranges", () => {
  const coverageRanges = Array.from({ length: 9 }, (_, at): [number, number] => [at * 120_000, at * 120_000 + 60_000])
  assert.match(ensureText({ ...result, coverageRanges }), /and 6 more ranges/)
})
