/** Is it noticed when a source is asked for what has long been covered? */
import { assert, describe, it } from "vitest"
import { recordWith, rootWritten } from "./samples.ts"
import { checkUpstream } from "./checkUpstream.ts"

const roots = [rootWritten(1, { version: 1, covered: [[0, 60]] }), rootWritten(2, { version: 2, covered: [[0, 120]] })]

/** Twelve seconds after the first root. */
const longAfterMs = 13_000

const asked = (atMs: number, startMs: number, endMs: number) => ({ atMs, host: "a1", node: "sim:a", startMs, endMs })

const problemsOf = (page: ReturnType<typeof asked>) => checkUpstream(recordWith({ roots, pagesAsked: [page] }))

describe("checkUpstream()", () => {
  it.each([
    ["what was not covered when it had to be known", asked(longAfterMs, 0, 61)],
    ["what has been covered for no longer than a lease", asked(longAfterMs - 1, 0, 60)],
    ["a series of which nothing is covered", { ...asked(longAfterMs, 0, 60), node: "sim:b" }]
  ])("checkUpstream() has nothing against a page of %s", (_, page) => {
    assert.deepStrictEqual(problemsOf(page), [])
  })

  it("checkUpstream() tells of a page of nothing but what was covered long before", () => {
    const problem = (range: string) => `a1 asks for sim:a ${range}, which was covered long before`
    assert.deepStrictEqual(problemsOf(asked(longAfterMs, 10, 60)), [problem("10..60")])
    assert.deepStrictEqual(problemsOf(asked(longAfterMs + 1000, 10, 120)), [problem("10..120")])
  })
})
