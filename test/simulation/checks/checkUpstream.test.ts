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

  it("checkUpstream() tells of a page of what was set aside or skipped long before, and of nothing that is deferred", () => {
    const exceptions = [{ start: 60, end: 120, state: "quarantined" }]
    const aside = rootWritten(1, { version: 1, covered: [[0, 60]], exceptions })
    const page = asked(longAfterMs, 0, 120)
    assert.lengthOf(checkUpstream(recordWith({ roots: [aside], pagesAsked: [page] })), 1)
    const deferred = rootWritten(1, {
      version: 1,
      covered: [[0, 60]],
      exceptions: [{ start: 60, end: 120, state: "deferred" }]
    })
    assert.deepStrictEqual(checkUpstream(recordWith({ roots: [deferred], pagesAsked: [page] })), [])
  })

  it("checkUpstream() has nothing against a page of what was taken out of the coverage meanwhile", () => {
    const taken = rootWritten(12, { version: 2, covered: [[0, 30]] })
    const again = rootWritten(13, { version: 3, covered: [[0, 60]] })
    const page = asked(longAfterMs, 10, 60)
    assert.deepStrictEqual(checkUpstream(recordWith({ roots: [roots[0]!, taken, again], pagesAsked: [page] })), [])
  })
})
