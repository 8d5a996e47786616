/** Is a history of roots believed just where it holds, and is it told where it does not? */
import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { Option } from "effect"
import { type AuditEntry, fromStored } from "../../../actors/admin/AuditEntry.ts"
import { begin, conclude, type Replay, replayEntry } from "../../../actors/admin/replayAudit.ts"
import { raiseVersion } from "../../../actors/coverage/judgeHistory.ts"
import { sha256 } from "../../../protocol/frame/contentHash.ts"
import { type CoverageRoot, inlineRangesMax, rolledBackBy } from "../../../protocol/history/CoverageRoot.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { bytesOfRoot, entriesOf, none, rootAfter, rootsOf, steps } from "../../support/auditedRoots.ts"
import { rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const replay = (entries: ReadonlyArray<AuditEntry>): Replay => entries.reduce(replayEntry, begin)

const standing = (root: CoverageRoot, covered = root.covered) => ({ root, covered })

/** The break in a few words: what, at which version, in which entry. */
const breakOf = ({ firstBreak }: Replay) =>
  firstBreak === undefined ? "holds" : `${firstBreak.kind} ${firstBreak.version} @${firstBreak.sequence}`

/** What breaks a history that ends with this root, of which nothing was swept. */
const brokenIn = (entries: ReadonlyArray<AuditEntry>, end: CoverageRoot): string =>
  breakOf(conclude(replay(entries), standing(end)))

const entryAt = (revision: number, bytes: Uint8Array): AuditEntry =>
  fromStored({ subject: "", revision, value: Option.some(bytes) })

const roots = rootsOf([
  { added: rangesOf([0, 50]) },
  { added: rangesOf([50, 100]) },
  { removed: rangesOf([20, 30]) },
  { added: rangesOf([200, 300]) }
])
const entries = entriesOf(roots)
const last = roots.at(-1)!

describe("replayEntry()", () => {
  law("replayEntry() of each root in turn adds up to the coverage of the last", [steps], (drawn) => {
    const all = rootsOf(drawn)
    const whole = replay(entriesOf(all))
    const end = all.at(-1) ?? none
    assert.strictEqual(breakOf(whole), "holds")
    assert.strictEqual(whole.entries, all.length)
    assert.deepStrictEqual(toPairs(whole.covered), toPairs(end.covered))
    assert.strictEqual(breakOf(conclude(whole, standing(end))), "holds")
  })

  law(
    "replayEntry() finds an entry that is gone, that is there twice, or that is another",
    [steps.filter(({ length }) => length > 1), fc.nat(7), fc.constantFrom("gone", "twice", "other")],
    (drawn, rank, what) => {
      const all = rootsOf(drawn)
      const at = rank % (all.length - 1)
      const told = [...entriesOf(all)]
      const other = entriesOf([{ ...all[at]!, committedAt: 7 }])[0]!
      if (what === "gone") told.splice(at, 1)
      else if (what === "twice") told.splice(at, 0, told[at]!)
      else told[at] = other
      assert.isDefined(conclude(replay(told), standing(all.at(-1)!)).firstBreak)
    }
  )

  it("replayEntry() stops at the first break, and keeps what held until then", () => {
    const twice = replay([entries[0]!, entries[0]!, ...entries.slice(2)])
    assert.strictEqual(breakOf(twice), "version 1 @10")
    assert.strictEqual(twice.entries, 1)
    assert.deepStrictEqual(toPairs(twice.covered), [[0, 50]])
    assert.strictEqual(conclude(twice, standing(last)), twice)
  })

  it("replayEntry() wants version 1 first, which names nothing", () => {
    assert.strictEqual(brokenIn(entries.slice(1), last), "version 2 @20")
    const linked = entriesOf([{ ...roots[0]!, previousRootHash: "a" }])
    assert.strictEqual(breakOf(replay(linked)), "link 1 @10")
    assert.strictEqual(breakOf(replay(entriesOf([{ ...roots[0]!, version: 0 }]))), "version 0 @10")
  })

  it("replayEntry() wants the hash of the one before: of its bytes, or of what this build reads of them", () => {
    const [first, second] = [roots[0]!, roots[1]!]
    const later = entryAt(10, bytesOfRoot(first, { invented: "later" }))
    assert.strictEqual(breakOf(replay([later, entryAt(20, bytesOfRoot(second))])), "holds")
    const byBytes = { ...second, previousRootHash: sha256(later.bytes) }
    assert.strictEqual(breakOf(replay([later, entryAt(20, bytesOfRoot(byBytes))])), "holds")
    const wrong = entriesOf([first, { ...second, previousRootHash: sha256(new Uint8Array(1)) }])
    assert.strictEqual(breakOf(replay(wrong)), "link 2 @20")
  })

  it("replayEntry() of what is no root says which entry it is", () => {
    const broken = replay([entries[0]!, entryAt(25, new TextEncoder().encode("{}"))])
    assert.strictEqual(breakOf(broken), "unreadable 2 @25")
    const torn = replay([entryAt(10, bytesOfRoot(roots[0]!, { covered: [[5, 1]] }))])
    assert.strictEqual(breakOf(torn), "unreadable 1 @10")
  })

  it("replayEntry() finds a change that says less or more than the root has", () => {
    const second = rootAfter(roots[0]!, { added: rangesOf([50, 100]) })
    const told = (added: ReadonlyArray<Range>) =>
      replay(entriesOf([roots[0]!, { ...second, diff: { ...second.diff, added: rangesOf(...added) } }]))
    assert.deepInclude(told([[50, 90]]).firstBreak, { kind: "coverage", version: 2, lost: [], beyond: [[90, 100]] })
    assert.deepInclude(told([[50, 120]]).firstBreak, { kind: "coverage", version: 2, lost: [[100, 120]], beyond: [] })
  })

  it("replayEntry() goes on where storage was rolled back, from a version that none had before", () => {
    const audited = { version: last.version, entry: Option.some(entries.at(-1)!.bytes) }
    // the root is as it was after the second commit: a removal is undone, and an addition lost
    const left = roots[1]!
    const raised = raiseVersion(left, audited, { covered: left.covered, nowMs: 1000 })
    assert.strictEqual(raised.version, last.version + rolledBackBy)
    const next = rootAfter(raised, { added: rangesOf([400, 500]) })
    const all = replay(entriesOf([...roots, raised, next]))
    assert.strictEqual(breakOf(all), "holds")
    assert.deepStrictEqual(toPairs(all.covered), [
      [0, 100],
      [400, 500]
    ])
    assert.strictEqual(breakOf(conclude(replay(entriesOf([...roots, raised])), standing(next))), "holds")
    assert.strictEqual(breakOf(conclude(replay(entries), standing(raised))), "holds")
    const leapt = entriesOf([...roots, { ...raised, diff: { ...raised.diff, cause: "request" } }])
    assert.strictEqual(brokenIn(leapt, raised), `version ${raised.version} @50`)
    assert.strictEqual(breakOf(replay(entriesOf([...roots, { ...raised, version: 6 }]))), "version 6 @50")
  })

  law(
    "replayEntry() of roots that were rolled back to any before, or to nothing, adds up to what was left",
    [steps, fc.nat(8)],
    (drawn, rank) => {
      const all = rootsOf(drawn)
      const end = all.at(-1) ?? none
      const left = [none, ...all][rank % (all.length + 1)]!
      if (left === end) return
      const audited = { version: end.version, entry: Option.some(bytesOfRoot(end)) }
      const raised = raiseVersion(left, audited, { covered: left.covered, nowMs: 0 })
      const whole = replay(entriesOf([...all, raised]))
      assert.strictEqual(breakOf(whole), "holds")
      assert.deepStrictEqual(toPairs(whole.covered), toPairs(left.covered))
    }
  )
})

describe("a history of which the oldest roots are gone", () => {
  law(
    "conclude() takes the first that is left as it is, where those before it were swept",
    [steps, fc.nat(7)],
    (drawn, rank) => {
      const all = rootsOf(drawn)
      if (all.length === 0) return
      const gone = rank % all.length
      const left = replay(entriesOf(all).slice(gone))
      for (const keptFrom of [gone + 1, gone + 5]) {
        assert.strictEqual(breakOf(conclude(left, standing(all.at(-1)!), keptFrom)), "holds")
      }
      assert.deepStrictEqual([left.entries, left.late?.version], [all.length - gone, gone === 0 ? undefined : gone + 1])
      // where more is gone than was swept it is a break
      if (gone === 0) return
      const lost = conclude(left, standing(all.at(-1)!), gone)
      assert.deepInclude(lost.firstBreak, { kind: "version", version: gone + 1, sequence: (gone + 1) * 10 })
      assert.strictEqual(lost.entries, 0)
    }
  )

  law(
    "conclude() takes no gap for a loss that a sweep made while the history was read, and every other for one",
    [steps, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), fc.integer({ min: 1, max: 9 })],
    (drawn, areGone, keptFrom) => {
      const all = rootsOf(drawn)
      const end = all.at(-1)
      if (end === undefined) return
      // the last one stands, and is not swept
      const isLeft = (at: number) => !areGone[at] || at === all.length - 1
      const begins = all.filter((_, at) => at > 0 && isLeft(at) && !isLeft(at - 1)).map(({ version }) => version)
      const left = entriesOf(all).filter((_, at) => isLeft(at))
      const found = conclude(replay(left), standing(end), keptFrom)
      const lost = begins.find((version) => version > keptFrom)
      assert.strictEqual(breakOf(found), lost === undefined ? "holds" : `version ${lost} @${lost * 10}`)
      assert.strictEqual(
        found.late?.version,
        begins.findLast((version) => version <= keptFrom)
      )
    }
  )

  it("conclude() tells of the first gap that is none of a sweep's, and not of what is behind it", () => {
    const many = rootsOf(Array.from({ length: 12 }, (_, at) => ({ added: rangesOf([at * 10, at * 10 + 5]) })))
    const told = entriesOf(many)
    const end = many.at(-1)!
    // versions 3 and 4, 7, and 10 are gone
    const left = told.filter((_, at) => ![2, 3, 6, 9].includes(at))
    const told4 = conclude(replay(left), standing(end), 4)
    assert.strictEqual(told4.firstBreak?.problem, "version 5 comes after version 2")
    assert.deepStrictEqual([breakOf(told4), told4.entries, told4.late], ["version 5 @50", 2, undefined])
    const told5 = conclude(replay(left), standing(end), 5)
    assert.strictEqual(told5.firstBreak?.problem, "version 8 comes after version 6")
    assert.deepStrictEqual([breakOf(told5), told5.entries, told5.late?.version], ["version 8 @80", 2, 5])
    const all = conclude(replay(left), standing(end), 11)
    assert.deepStrictEqual([breakOf(all), all.entries, all.late?.version], ["holds", 2, 11])
    // what was swept and then is another root is none the less a break
    const wrong = [...left.slice(0, -1), ...entriesOf([{ ...end, previousRootHash: "a" }])]
    assert.strictEqual(breakOf(conclude(replay(wrong), standing(end), 11)), "link 12 @10")
    assert.strictEqual(breakOf(conclude(replay(wrong), standing(end), 4)), "version 5 @50")
  })

  it("replayEntry() finds what is wrong behind the first that is left, and knows nothing of what that has in pages", () => {
    const told = entriesOf(roots)
    assert.strictEqual(breakOf(conclude(replay([told[1]!, told[3]!]), standing(last), 2)), "version 4 @40")
    const wrong = rootAfter(roots[1]!, { added: rangesOf([100, 150]), changes: { covered: rangesOf([0, 120]) } })
    assert.strictEqual(replay([told[1]!, ...entriesOf([wrong])]).firstBreak?.kind, "coverage")
    const many = RangeSet.make(Array.from({ length: inlineRangesMax + 9 }, (_, at): Range => [at * 20, at * 20 + 10]))
    const paged = rootsOf([{}, { added: many }, { added: rangesOf([7, 9]) }, { added: rangesOf([50_000, 50_010]) }])
    const whole = RangeSet.unionAll([many, rangesOf([7, 9]), rangesOf([50_000, 50_010])])
    const left = replay(entriesOf(paged).slice(1))
    assert.strictEqual(breakOf(conclude(left, standing(paged.at(-1)!, whole), 2)), "holds")
    const lost = RangeSet.subtract(whole, rangesOf([50_000, 50_005]))
    assert.strictEqual(conclude(left, standing(paged.at(-1)!, lost), 2).firstBreak?.kind, "coverage")
  })
})

describe("conclude()", () => {
  it("conclude() is content with the last root, and with the next one", () => {
    assert.strictEqual(breakOf(conclude(replay(entries), standing(last))), "holds")
    const next = rootAfter(last, { added: rangesOf([500, 600]) })
    const all = conclude(replay(entries), standing(next))
    assert.strictEqual(breakOf(all), "holds")
    assert.strictEqual(all.entries, 5)
    assert.strictEqual(breakOf(conclude(begin, standing(none))), "holds")
    assert.strictEqual(breakOf(conclude(begin, standing(roots[0]!))), "holds")
  })

  it("replayEntry() wants what a change revised to be covered", () => {
    const revised = (...pairs: ReadonlyArray<Range>) => {
      const root = rootAfter(last, {})
      return breakOf(replay(entriesOf([...roots, { ...root, diff: { ...root.diff, revised: rangesOf(...pairs) } }])))
    }
    assert.strictEqual(revised([0, 20], [40, 60]), "holds")
    assert.strictEqual(revised([0, 21]), "coverage 5 @50")
  })

  it("conclude() finds a root that is behind its history, beyond it, or another one", () => {
    const at = (root: CoverageRoot) => breakOf(conclude(replay(entries), standing(root)))
    assert.strictEqual(at(roots[2]!), "standing 3 @null")
    assert.strictEqual(at(none), "standing 0 @null")
    assert.strictEqual(at({ ...last, committedAt: 7 }), "standing 4 @null")
    assert.strictEqual(at({ ...last, version: 6 }), "version 6 @null")
    assert.strictEqual(at({ ...rootAfter(last, {}), previousRootHash: "another" }), "link 5 @null")
    assert.strictEqual(breakOf(conclude(begin, standing(last))), "version 4 @null")
  })

  it("conclude() holds all of the coverage against it, also what the root leaves to its pages", () => {
    // one range more than a root holds: the first is in the pages alone
    const many = RangeSet.make(Array.from({ length: inlineRangesMax + 1 }, (_, at): Range => [at * 20, at * 20 + 10]))
    const [root] = rootsOf([{ added: many }])
    assert.strictEqual(root!.coveredInPagesBefore, 20)
    const all = replay(entriesOf([root!]))
    assert.strictEqual(breakOf(conclude(all, standing(root!, many))), "holds")
    const lacking = conclude(all, standing(root!))
    assert.deepInclude(lacking.firstBreak, { kind: "coverage", version: 1, lost: [[0, 10]], beyond: [] })
    const more = conclude(all, standing(root!, RangeSet.union(many, rangesOf([10, 15]))))
    assert.deepInclude(more.firstBreak, { kind: "coverage", lost: [], beyond: [[10, 15]] })
  })

  law("conclude() holds where coverage is the same, and nowhere else", [steps, rangeSet], (drawn, covered) => {
    const all = rootsOf(drawn)
    const end = all.at(-1) ?? none
    const verdict = breakOf(conclude(replay(entriesOf(all)), standing(end, covered)))
    assert.strictEqual(verdict === "holds", RangeSet.equals(covered, end.covered))
  })
})
