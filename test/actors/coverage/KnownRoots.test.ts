/** Does a reader go forward only, and also where storage was rolled back? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as KnownRoots from "../../../actors/coverage/KnownRoots.ts"
import { initial } from "../../../protocol/history/CoverageRoot.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { noting } from "../../../runtime/Invariants.ts"
import { rangesOf, series } from "../../support/jobs.ts"
import { violatedBy } from "../../support/violations.ts"

const empty = initial(series, { windowBars: 10, schemaVersion: 1 })

interface Read {
  readonly version: number
  readonly revision: number
  readonly covered?: ReadonlyArray<Range>
  readonly removed?: ReadonlyArray<Range>
}

const rootOf = ({ covered = [], removed = [], revision, version }: Read): KnownRoots.KnownRoot => {
  const ranges = rangesOf(...covered)
  const root = { ...empty, version, covered: ranges, diff: { ...empty.diff, removed: rangesOf(...removed) } }
  return { view: { root, covered: ranges }, revision, readAtMs: 0 }
}

/** The version that is told after these reads, and what they violate. */
const after = Effect.fnUntraced(function* (reads: ReadonlyArray<Read>, announced = 0) {
  let version: number | undefined
  const violated = yield* violatedBy(
    Effect.gen(function* () {
      const known = KnownRoots.make(yield* noting)
      known.announce("a", announced)
      for (const read of reads) known.add("a", rootOf(read))
      version = known.fresh("a", 0, 1000)?.view.root.version
    })
  )
  return { version, violated }
})

const half: Range = [0, 50]
const all: Range = [0, 100]

describe("add()", () => {
  it.effect.each([
    { title: "the next", second: { version: 4, revision: 11, covered: [all] }, version: 4 },
    { title: "the same", second: { version: 3, revision: 10, covered: [half] }, version: 3 },
    { title: "an older one of a replica that lags", second: { version: 2, revision: 9 }, version: 3 },
    { title: "one that says what it removed", second: { version: 4, revision: 11, removed: [half] }, version: 4 },
    { title: "one behind steps that were not seen", second: { version: 5, revision: 12 }, version: 5 }
  ])("add() of $title violates nothing", ({ second, version }) =>
    Effect.gen(function* () {
      const told = yield* after([{ version: 3, revision: 10, covered: [half] }, second])
      assert.deepStrictEqual(told, { version, violated: [] })
    })
  )

  it.effect("add() of an earlier version behind a later one", () =>
    Effect.gen(function* () {
      const { violated } = yield* after([
        { version: 3, revision: 10 },
        { version: 2, revision: 11 }
      ])
      assert.deepStrictEqual(violated, ["coverageForward"])
    })
  )

  it.effect("add() of the next version that lost time and does not say so", () =>
    Effect.gen(function* () {
      const { violated } = yield* after([
        { version: 3, revision: 10, covered: [all] },
        { version: 4, revision: 11, covered: [half] }
      ])
      assert.deepStrictEqual(violated, ["coverageKept"])
    })
  )

  it.effect("add() of a later version in an earlier revision is told to readers, and counted", () =>
    Effect.gen(function* () {
      const before = { version: 3, revision: 10, covered: [all] }
      const told = yield* after([before, { version: 1_048_579, revision: 8, covered: [half] }], 10)
      assert.deepStrictEqual(told, { version: 1_048_579, violated: ["storageKept"] })
    })
  )
})

describe("fresh()", () => {
  const makeKnown = Effect.map(noting, (note) => {
    const known = KnownRoots.make(note)
    known.add("a", rootOf({ version: 3, revision: 10 }))
    return known
  })

  it.effect("fresh() gives a root until a later one is announced, or it is too old, or all are forgotten", () =>
    Effect.gen(function* () {
      const known = yield* makeKnown
      assert.isDefined(known.fresh("a", 3, 4999))
      assert.isUndefined(known.fresh("a", 4, 0))
      assert.isUndefined(known.fresh("a", 3, 5000))
      assert.isUndefined(known.fresh("b", 0, 0))
      known.announce("a", 10)
      known.announce("a", 9)
      assert.isDefined(known.fresh("a", 3, 0))
      known.announce("a", 11)
      assert.isUndefined(known.fresh("a", 3, 0))
      known.add("a", rootOf({ version: 4, revision: 11 }))
      assert.isDefined(known.fresh("a", 4, 0))
      known.clear()
      assert.isUndefined(known.fresh("a", 0, 0))
    })
  )

  it.effect("last() gives the root that was read last, also when none is trusted", () =>
    Effect.gen(function* () {
      const known = yield* makeKnown
      assert.isUndefined(known.last("b"))
      known.announce("a", 11)
      known.clear()
      assert.strictEqual(known.last("a")?.view.root.version, 3)
      // what stands now counts, whatever was known before
      known.add("a", rootOf({ version: 2, revision: 4 }))
      assert.strictEqual(known.last("a")?.view.root.version, 2)
    })
  )
})

describe("after storage was rolled back", () => {
  const rolledBack = Effect.map(noting, (note) => {
    const known = KnownRoots.make(note)
    known.announce("a", 12)
    known.add("a", rootOf({ version: 2, revision: 9 }))
    return known
  })

  it.effect("yieldTo() tells what stands where that is of an earlier revision than what was announced", () =>
    Effect.gen(function* () {
      const violated = yield* violatedBy(
        Effect.gen(function* () {
          const known = yield* rolledBack
          assert.strictEqual(known.fresh("a", 0, 1000), undefined)
          known.yieldTo("a", rootOf({ version: 2, revision: 9 }))
          assert.strictEqual(known.fresh("a", 0, 1000)?.revision, 9)
        })
      )
      assert.deepStrictEqual(violated, ["storageKept"])
    })
  )

  it.effect("yieldTo() gives nothing up for a version that was never there", () =>
    Effect.gen(function* () {
      const known = KnownRoots.make(yield* noting)
      known.announce("a", 9)
      known.add("a", rootOf({ version: 2, revision: 9 }))
      known.yieldTo("a", rootOf({ version: 2, revision: 9 }))
      assert.strictEqual(known.fresh("a", 0, 1000)?.revision, 9)
      assert.strictEqual(known.fresh("a", 7, 1000), undefined)
    })
  )

  it.effect("clear() forgets what was announced, too", () =>
    Effect.gen(function* () {
      const known = yield* rolledBack
      known.clear()
      known.add("a", rootOf({ version: 2, revision: 9 }))
      assert.strictEqual(known.fresh("a", 0, 1000)?.revision, 9)
    })
  )
})
