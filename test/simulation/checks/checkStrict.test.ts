/** Is it noticed when a strict read is told less than stood? */
import { assert, describe, it } from "vitest"
import type { HistoryResult } from "../../../client/HistoryResult.ts"
import type { Operation } from "../History.ts"
import { strictRead } from "../StrictReads.ts"
import { checkStrict } from "./checkStrict.ts"
import { operationWith, rootWritten } from "./samples.ts"

const roots = [rootWritten(3, { version: 1, covered: [] }), rootWritten(5, { version: 2, covered: [] })]
const node = roots[0]!.node

const told = (coverageVersion: number, changes: Partial<Operation> = {}) => {
  const result = { df: {}, meta: { coverageVersion } } as HistoryResult
  const answer = { node, range: [0, 1], minVersion: 0, result }
  return operationWith({ what: strictRead, id: "strict0", about: node, invokedAtMs: 4000, answer, ...changes })
}

describe("checkStrict()", () => {
  it("checkStrict() tells of a version before one that stood when the read began", () => {
    assert.deepStrictEqual(checkStrict([told(0)], { roots }), [
      `strict read strict0 of ${node}: version 0, and 1 stood when it began`
    ])
    assert.deepStrictEqual(checkStrict([told(1), told(2)], { roots }), [])
    assert.lengthOf(checkStrict([told(1, { invokedAtMs: 5001 })], { roots }), 1)
  })

  it("checkStrict() has nothing against other reads, and against an error but at the end", () => {
    assert.deepStrictEqual(checkStrict([told(0, { what: "read" })], { roots }), [])
    const failed = { outcome: "DeadlineExceeded", answer: undefined }
    assert.deepStrictEqual(checkStrict([told(0, failed)], { roots }), [])
    assert.lengthOf(checkStrict([told(0, { ...failed, id: "strictLast0" })], { roots }), 1)
  })
})
