/** Is it noticed when a source is asked more often than its account allows? */
import { assert, describe, it } from "vitest"
import { checkBudget } from "./checkBudget.ts"

const allowed = { requestsPerMinute: 3, concurrency: 2 }

const sent = (...times: ReadonlyArray<readonly [atMs: number, lastsMs: number]>) =>
  times.map(([atMs, lastsMs]) => ({ atMs, endedAtMs: atMs + lastsMs }))

describe("checkBudget()", () => {
  it("checkBudget() has nothing against as many requests as are allowed, in any minute and at once", () => {
    assert.deepStrictEqual(checkBudget(sent([0, 10], [1, 9], [10, 5], [60_000, 5], [60_001, 5]), allowed), [])
  })

  it("checkBudget() tells of one more within a minute", () => {
    assert.deepStrictEqual(checkBudget(sent([0, 1], [10, 1], [20, 1], [59_999, 1]), allowed), [
      "at 59999 ms the source was asked 4 times within a minute"
    ])
  })

  it("checkBudget() tells of one more that is under way", () => {
    assert.deepStrictEqual(checkBudget(sent([0, 30], [10, 30], [20, 30]), allowed), [
      "at 20 ms 3 requests are under way at the source"
    ])
  })
})
