/** Is of a history kept what is asked for, and no more than an answer carries? */
import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { Option } from "effect"
import { type AuditEntry, fromStored } from "../../../actors/admin/AuditEntry.ts"
import * as AuditDigest from "../../../actors/admin/AuditDigest.ts"
import type { CoverageRoot } from "../../../protocol/history/CoverageRoot.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { entriesOf, none, rootAfter, rootsOf, type Step, steps } from "../../support/auditedRoots.ts"
import { rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"

const all: AuditDigest.Wanted = { range: undefined, limit: 50, beforeVersion: Infinity, verify: true }

const digestOf = (entries: ReadonlyArray<AuditEntry>, wanted: Partial<AuditDigest.Wanted> = {}) =>
  AuditDigest.take(AuditDigest.empty, entries, { ...all, ...wanted })

const tenBars = (index: number): Range => [index * 10, index * 10 + 5]
const commits: ReadonlyArray<Step> = Array.from({ length: 9 }, (_, index) => ({ added: rangesOf(tenBars(index)) }))
const roots = rootsOf([...commits, { removed: rangesOf([0, 25]) }])
const entries = entriesOf(roots)

const toldOf = (entries: ReadonlyArray<AuditEntry>, wanted: Partial<AuditDigest.Wanted>, bytesMax = Infinity) => {
  const { changes, olderBefore } = AuditDigest.changesOf(digestOf(entries, wanted), { ...all, ...wanted }, bytesMax)
  return [changes.map(({ version }) => version), olderBefore] as const
}

describe("changesOf()", () => {
  it("changesOf() gives the newest, the newest last, and how to ask for those before", () => {
    assert.deepStrictEqual(toldOf(entries, {}), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], null])
    assert.deepStrictEqual(toldOf(entries, { limit: 4 }), [[7, 8, 9, 10], 7])
    assert.deepStrictEqual(toldOf(entries, { limit: 4, beforeVersion: 7 }), [[3, 4, 5, 6], 3])
    assert.deepStrictEqual(toldOf(entries, { limit: 4, beforeVersion: 3 }), [[1, 2], null])
    assert.deepStrictEqual(toldOf(entries, { limit: 2, beforeVersion: 3 }), [[1, 2], null])
    assert.deepStrictEqual(toldOf(entries, { beforeVersion: 1 }), [[], null])
  })

  it("changesOf() of a range has those that touch it, and of them what is in it", () => {
    const range: Range = [12, 22]
    assert.deepStrictEqual(toldOf(entries, { range }), [[2, 3, 10], null])
    assert.deepStrictEqual(toldOf(entries, { range, limit: 2 }), [[3, 10], 3])
    const { changes } = AuditDigest.changesOf(digestOf(entries, { range }), { ...all, range }, Infinity)
    assert.deepStrictEqual(
      changes.map(({ added, removed }) => [added, removed]),
      [
        [[[12, 15]], []],
        [[[20, 22]], []],
        [
          [],
          [
            [12, 15],
            [20, 22]
          ]
        ]
      ]
    )
  })

  it("changesOf() leaves out older ones that have no room, and never the newest", () => {
    const one = AuditDigest.bytesOf(AuditDigest.changesOf(digestOf(entries), all, Infinity).changes[8])
    assert.deepStrictEqual(toldOf(entries.slice(0, 9), {}, one * 3), [[7, 8, 9], 7])
    assert.deepStrictEqual(toldOf(entries.slice(0, 9), {}, 10), [[9], 9])
    assert.deepStrictEqual(toldOf([], {}, 10), [[], null])
  })

  it("changesOf() says all of a change", () => {
    const { changes } = AuditDigest.changesOf(digestOf(entries.slice(0, 2)), all, Infinity)
    assert.deepStrictEqual(changes[1], {
      version: 2,
      versionBefore: 1,
      committedAt: 20,
      added: [[10, 15]],
      removed: [],
      jobs: ["0.2"],
      source: "binance",
      cause: "request-2"
    })
  })
})

describe("take()", () => {
  law(
    "take() of a history in pages, wherever they end, keeps the same as of the whole",
    [steps, fc.array(fc.nat(8), { maxLength: 3 }), fc.integer({ min: 1, max: 5 })],
    (drawn, ends, limit) => {
      const told = entriesOf(rootsOf(drawn))
      const wanted = { ...all, limit, range: [-20, 60] as const }
      const cuts = [0, ...ends.toSorted((a, b) => a - b), told.length]
      const paged = cuts
        .slice(1)
        .reduce((digest, end, at) => AuditDigest.take(digest, told.slice(cuts[at], end), wanted), AuditDigest.empty)
      const { touches: _, ...whole } = AuditDigest.take(AuditDigest.empty, told, wanted)
      const { touches: __, ...some } = paged
      assert.deepStrictEqual(some, whole)
    }
  )

  it("take() counts what is no root, and goes on", () => {
    const torn = fromStored({ subject: "", revision: 15, value: Option.some(new Uint8Array(3)) })
    const digest = digestOf([entries[0]!, torn, entries[1]!])
    assert.strictEqual(digest.unreadable, 1)
    assert.deepStrictEqual(
      digest.changes.map(({ version, versionBefore }) => [version, versionBefore]),
      [
        [1, 0],
        [2, 1]
      ]
    )
    assert.strictEqual(digest.replay.firstBreak?.kind, "unreadable")
  })
})

describe("close()", () => {
  const closedWith = (root: CoverageRoot) =>
    AuditDigest.close(digestOf(entries), { root, covered: root.covered }, all).changes.map(({ version }) => version)

  it("close() adds the root that stands where it is not in the history yet", () => {
    const last = roots.at(-1)!
    assert.deepStrictEqual(closedWith(last).slice(-1), [10])
    assert.deepStrictEqual(closedWith(rootAfter(last, { added: rangesOf([0, 5]) })).slice(-2), [10, 11])
    assert.deepStrictEqual(closedWith(none).slice(-1), [10])
  })
})

describe("verdictOf()", () => {
  it("verdictOf() says whether it holds, and where it first does not", () => {
    const root = roots.at(-1)!
    const standing = { root, covered: root.covered }
    const held = AuditDigest.verdictOf(digestOf(entries), standing, 1)
    assert.deepStrictEqual(held, { holds: true, entries: 10, firstBreak: null })
    const torn = AuditDigest.verdictOf(digestOf(entries.slice(0, 3)), standing, 1)
    assert.deepInclude(torn, { holds: false, entries: 3 })
    assert.deepInclude(torn.firstBreak, { kind: "version", version: 10, sequence: null })
  })
})
