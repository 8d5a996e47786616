/** Is it noticed when a root forgets, repeats itself, or names what is not there? */
import { assert, describe, it } from "vitest"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Market from "../Market.ts"
import type { RunRecord } from "../RunRecord.ts"
import { checkCoverage } from "./checkCoverage.ts"
import { operationWith, recordWith, rootWritten } from "./samples.ts"

const subject = keySubject(Stream.coverage, "series")
const { barMs } = Market

const problemsOf = (parts: Partial<RunRecord>) => checkCoverage(recordWith(parts))

const first = rootWritten(4, { version: 1, covered: [[0, 8 * barMs]] })

const audited = (version: number, revision = version, of = "audit.a") => ({
  subject: of,
  revision,
  atMs: revision,
  atOrder: revision,
  version
})

describe("checkCoverage()", () => {
  it("checkCoverage() has nothing against roots that only grow, and name what was stored before them", () => {
    const found = problemsOf({
      roots: [
        rootWritten(3, { version: 1, covered: [[0, barMs]], pages: ["p"] }),
        // written again, as after an answer that was lost
        rootWritten(4, { version: 1, covered: [[0, barMs]], pages: ["p"] }),
        rootWritten(6, { version: 2, covered: [[0, 2 * barMs]], pages: ["p", "q"] })
      ],
      pages: new Map([
        ["p", { atOrder: 2, chunkIds: ["c"] }],
        ["q", { atOrder: 5, chunkIds: ["c"] }]
      ]),
      chunks: new Map([["c", 1]]),
      audited: [audited(1), audited(2), audited(1, 3, "audit.b")]
    })
    assert.deepStrictEqual(found, [])
  })

  it("checkCoverage() has nothing against the leap of versions after storage was rolled back", () => {
    const leap = rootWritten(5, { version: 1 + 2 ** 20, covered: first.root.covered })
    const leapt = audited(1 + 2 ** 20, 2)
    assert.deepStrictEqual(problemsOf({ roots: [first, leap], audited: [audited(1), leapt] }), [])
  })

  it("checkCoverage() tells of a version that falls", () => {
    const older = rootWritten(5, { version: 0, covered: first.root.covered })
    assert.include(problemsOf({ roots: [first, older] }), `root of ${subject} at revision 5: version 0 after 1`)
  })

  it("checkCoverage() tells how many covered bars were lost", () => {
    const smaller = rootWritten(5, {
      version: 2,
      covered: [
        [0, 2 * barMs],
        [5 * barMs, 9 * barMs]
      ]
    })
    assert.deepStrictEqual(problemsOf({ roots: [first, smaller] }), [
      `root of ${subject} at revision 5: 3 covered bars were lost`
    ])
  })

  it("checkCoverage() has nothing against the loss of what an operator has taken out, and of that alone", () => {
    const word = { verb: "invalidate", node: "sim:a", range: [2 * barMs, 5 * barMs] } as const
    const said = operationWith({ id: "word1", what: "invalidate", word })
    const without = (cause: string, from = 2) => {
      const covered = [
        [0, from * barMs],
        [5 * barMs, 8 * barMs]
      ] as const
      const smaller = rootWritten(5, { version: 2, covered, diff: { cause } })
      return checkCoverage(recordWith({ roots: [first, smaller] }), [said])
    }
    assert.deepStrictEqual(without("invalidated by x: word1"), [])
    const lost = (bars: number) => [`root of ${subject} at revision 5: ${bars} covered bars were lost`]
    assert.deepStrictEqual(without("invalidated by x: word1", 1), lost(1))
    assert.deepStrictEqual(without("invalidated by x: word2"), lost(3))
    assert.deepStrictEqual(without("request-1"), lost(3))
  })

  it.each([1, 3])("checkCoverage() tells of another root, of version %i after 1", (version) => {
    const other = rootWritten(5, { version, covered: [[0, 9 * barMs]] })
    assert.deepStrictEqual(problemsOf({ roots: [first, other] }), [
      `root of ${subject} at revision 5: another root of version ${version}`
    ])
  })

  it("checkCoverage() tells of a page that was stored after the root that names it, or never", () => {
    const roots = [rootWritten(4, { version: 1, covered: [], pages: ["p"] })]
    const problem = `root of ${subject} at revision 4: page p was not stored before it`
    assert.deepStrictEqual(problemsOf({ roots }), [problem])
    assert.deepStrictEqual(problemsOf({ roots, pages: new Map([["p", { atOrder: 5, chunkIds: [] }]]) }), [problem])
  })

  it("checkCoverage() tells of a chunk that was stored after the page that names it, or never", () => {
    const roots = [rootWritten(4, { version: 1, covered: [], pages: ["p"] })]
    const pages = new Map([["p", { atOrder: 2, chunkIds: ["c"] }]])
    const problem = "page p: chunk c was not stored before it"
    assert.deepStrictEqual(problemsOf({ roots, pages }), [problem])
    assert.deepStrictEqual(problemsOf({ roots, pages, chunks: new Map([["c", 3]]) }), [problem])
  })

  it("checkCoverage() tells of a first audit that is not of the first version", () => {
    assert.deepStrictEqual(problemsOf({ audited: [audited(2)] }), ["audit audit.a at 2: version 2 after 0"])
  })

  it.each([1, 2, 4])("checkCoverage() tells of an audit of version %i after 2", (version) => {
    assert.deepStrictEqual(problemsOf({ audited: [audited(1), audited(2), audited(version, 9)] }), [
      `audit audit.a at 9: version ${version} after 2`
    ])
  })
})
