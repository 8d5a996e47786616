/** Is it noticed when a version that is read again is not what it was, or is refused though it is kept? */
import { assert, describe, it } from "vitest"
import type { Operation } from "../History.ts"
import { pastRead } from "../PastReads.ts"
import { checkPastReads } from "./checkPastReads.ts"
import { operationWith, recordWith, rootWritten } from "./samples.ts"

const rootsMs = 20_000

/** Versions 1 and 2, of which the second took the place of the first in the second second. */
const roots = [1, 2].map((version) => rootWritten(version, { version, covered: [] }))

const resultOf = (coverageVersion: number, fingerprint: string, close: number, reason = "") => ({
  df: { length: 1, columns: {}, types: {}, toColumns: () => ({ close: [close] }) },
  meta: { coverageVersion, fingerprint, missingRanges: [{ start: 0, end: 1, state: "missing", reason, retryAt: null }] }
})

const read = (changes: Partial<Operation>) =>
  operationWith({ what: pastRead, about: "sim:a 0..60 as of version 1", completedAtMs: 5000, ...changes })

const answered = (again: object, id = "past0") =>
  read({ id, answer: { node: "sim:a", first: resultOf(1, "f", 7), firstAtMs: 1000, again } })

const problemsOf = (operation: Operation, { isRolledBack = false, skewMs = 0 } = {}) =>
  checkPastReads([operation], recordWith({ roots }), { rootsMs, skewMs, isRolledBack })

describe("checkPastReads()", () => {
  it("checkPastReads() has nothing against the same rows of the same version, or what was not read in time", () => {
    assert.deepStrictEqual(problemsOf(answered(resultOf(1, "f", 7))), [])
    assert.deepStrictEqual(problemsOf(answered(resultOf(1, "none", 0, "stored, but not read in time"))), [])
  })

  it("checkPastReads() tells of another version, another fingerprint and other rows", () => {
    assert.lengthOf(problemsOf(answered(resultOf(2, "f", 7))), 1)
    assert.lengthOf(problemsOf(answered(resultOf(1, "g", 7))), 1)
    assert.lengthOf(problemsOf(answered(resultOf(1, "f", 8))), 1)
  })

  it("checkPastReads() tells of a version that is refused before another has long taken its place", () => {
    const refused = (completedAtMs: number, version = 1) =>
      read({ outcome: "UnknownPoint", completedAtMs, about: `sim:a 0..60 as of version ${version}` })
    assert.lengthOf(problemsOf(refused(20_000)), 1)
    assert.deepStrictEqual(problemsOf(refused(30_000)), [])
    assert.deepStrictEqual(problemsOf(refused(20_000), { skewMs: 3000 }), [])
    assert.lengthOf(problemsOf(refused(30_000, 2)), 1)
    assert.lengthOf(problemsOf(refused(30_000, 3)), 1)
    assert.deepStrictEqual(problemsOf(refused(30_000, 3), { isRolledBack: true }), [])
  })

  it("checkPastReads() tells of who is not answered at the end, and of nobody before", () => {
    const late = { outcome: "DeadlineExceeded" }
    assert.deepStrictEqual(problemsOf(read(late)), [])
    assert.lengthOf(problemsOf(read({ ...late, id: "pastLast0" })), 1)
  })
})
