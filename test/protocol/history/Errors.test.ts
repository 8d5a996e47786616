/** Does the message of an error say what was wrong, and not something that looks like it? */
import { describe, expect, it } from "vitest"
import { SlaViolated } from "../../../protocol/history/Errors.ts"

describe("SlaViolated", () => {
  it.each([
    ["storage", 100, 100.6, "storage took 101 ms of 100 ms"],
    ["minCoverage", 8000, 44, "fewer of the expected bars came than minCoverage demands, within 44 ms"],
    ["lag", 60_000, 120_000, "the newest bar is 120000 ms behind, and maxLagMs is 60000"]
  ])("of %s tells of milliseconds that were too many only where they were", (phase, budgetMs, waitedMs, message) => {
    expect(new SlaViolated({ phase, budgetMs, waitedMs }).message).toBe(message)
  })
})
