/** Is it found when roots that were given to readers are gone, and is none of their versions given again? */
import { assert, describe, it } from "vitest"
import { Option, Schema } from "effect"
import { judgeHistory, raiseVersion } from "../../../actors/coverage/judgeHistory.ts"
import { sha256 } from "../../../protocol/frame/contentHash.ts"
import { CoverageRoot, initial, rootHash } from "../../../protocol/history/CoverageRoot.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { series } from "../../support/jobs.ts"

const encode = Schema.encodeSync(CoverageRoot)

const next = (before: CoverageRoot, changes: Partial<CoverageRoot> = {}): CoverageRoot => ({
  ...before,
  version: before.version + 1,
  committedAt: before.committedAt + 10,
  previousRootHash: before.version === 0 ? "" : rootHash(before),
  diff: { ...before.diff, cause: "request" },
  ...changes
})

const none = initial(series, { windowBars: 10, schemaVersion: 1 })
const first = next(none, { covered: RangeSet.of(0, 50) })
const second = next(first, { covered: RangeSet.of(0, 100) })
const third = next(second)

const audited = (root: CoverageRoot, more: object = {}) => ({
  version: root.version,
  entry: Option.some(Codec.toJson({ ...encode(root), ...more }))
})

const nothing = { version: 0, entry: Option.none<Uint8Array>() }

describe("judgeHistory()", () => {
  it("judgeHistory() of a root that is audited, or the next one, fits", () => {
    assert.strictEqual(judgeHistory(none, nothing), "fits")
    assert.strictEqual(judgeHistory(first, nothing), "fits")
    assert.strictEqual(judgeHistory(second, audited(second)), "fits")
    assert.strictEqual(judgeHistory(third, audited(second)), "fits")
  })

  it("judgeHistory() fits where a later build wrote what this one does not read", () => {
    const more = { invented: "later" }
    assert.strictEqual(judgeHistory(second, audited(second, more)), "fits")
    // linked by this build, which reads less, or by the later one
    assert.strictEqual(judgeHistory(third, audited(second, more)), "fits")
    const bytes = Option.getOrThrow(audited(second, more).entry)
    assert.strictEqual(judgeHistory(next(second, { previousRootHash: sha256(bytes) }), audited(second, more)), "fits")
  })

  it("judgeHistory() of a root behind its audit, or of another one of its version, is rolled back", () => {
    assert.strictEqual(judgeHistory(none, audited(first)), "rolledBack")
    assert.strictEqual(judgeHistory(second, audited(third)), "rolledBack")
    assert.strictEqual(judgeHistory(next(first, { committedAt: 7 }), audited(second)), "rolledBack")
  })

  it("judgeHistory() of an audit that lacks a root, or that the root is not linked to, is broken", () => {
    assert.strictEqual(judgeHistory(second, nothing), "broken")
    assert.strictEqual(judgeHistory(third, audited(first)), "broken")
    assert.strictEqual(judgeHistory(next(second, { previousRootHash: "another" }), audited(second)), "broken")
  })
})

describe("raiseVersion()", () => {
  const raised = raiseVersion(first, audited(third), { covered: first.covered, nowMs: 5 })

  it("raiseVersion() gives a version beyond all, later than any, with what is lost", () => {
    assert.strictEqual(raised.version, 3 + 1_048_576)
    assert.strictEqual(raised.committedAt, third.committedAt + 1)
    assert.strictEqual(raised.previousRootHash, rootHash(first))
    assert.deepStrictEqual(raised.covered, first.covered)
    assert.deepStrictEqual(toPairs(raised.diff.removed), [[50, 100]])
  })

  it("raiseVersion() gives what fits, before it is audited and after", () => {
    assert.strictEqual(judgeHistory(raised, audited(third)), "fits")
    assert.strictEqual(judgeHistory(raised, audited(raised)), "fits")
    assert.strictEqual(judgeHistory(next(raised), audited(raised)), "fits")
  })

  it("raiseVersion() again, also from nothing, gives none of the versions before", () => {
    const again = raiseVersion(none, audited(raised), { covered: RangeSet.empty, nowMs: 1e15 })
    assert.strictEqual(again.version, raised.version + 1_048_576)
    assert.strictEqual(again.committedAt, 1e15)
    assert.strictEqual(again.previousRootHash, "")
    assert.deepStrictEqual(toPairs(again.diff.removed), [[0, 50]])
  })

  it("raiseVersion() says what stands again, which lost roots had taken away, as far as their own ranges tell", () => {
    const without = next(third, { covered: RangeSet.of(0, 30), diff: { ...third.diff, removed: RangeSet.of(30, 100) } })
    const { added, removed } = raiseVersion(second, audited(without), { covered: second.covered, nowMs: 5 }).diff
    assert.deepStrictEqual(toPairs(added), [[30, 100]])
    assert.deepStrictEqual(toPairs(removed), [])
    const spilt = next(third, { covered: RangeSet.of(80, 90), coveredInPagesBefore: 60 })
    const seen = raiseVersion(second, audited(spilt), { covered: second.covered, nowMs: 5 }).diff
    assert.deepStrictEqual(toPairs(seen.added), [
      [60, 80],
      [90, 100]
    ])
  })

  it("raiseVersion() goes by the number alone where the entry can't be read", () => {
    const unreadable = { version: 9, entry: Option.some(new Uint8Array(3)) }
    const { diff, version } = raiseVersion(first, unreadable, { covered: first.covered, nowMs: 5 })
    assert.strictEqual(version, 9 + 1_048_576)
    assert.deepStrictEqual(toPairs(diff.removed), [])
  })
})
