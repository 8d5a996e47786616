/** Is each change below taken once, in its order, and is a gap never taken for nothing? */
import * as fc from "fast-check"
import { describe, expect } from "vitest"
import * as takeChanges from "../../../actors/derived/takeChanges.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const changes = fc
  .array(fc.record({ removed: rangeSet, revised: fc.option(rangeSet, { nil: undefined }) }), {
    minLength: 1,
    maxLength: 8
  })
  .map((diffs) =>
    diffs.map(({ removed, revised }, index): takeChanges.ChangedRoot => ({
      version: index + 4,
      diff: revised === undefined ? { removed } : { removed, revised }
    }))
  )

const all = (taken: takeChanges.Taken, some: ReadonlyArray<takeChanges.ChangedRoot>) =>
  some.reduce(takeChanges.take, taken)

describe("take()", () => {
  law("take() of roots in their order touches what any of them removed or revised", [changes], (roots) => {
    const { isBroken, touched, version } = all(takeChanges.from(3), roots)
    const each = roots.flatMap(({ diff: { removed, revised } }) => [removed, revised ?? RangeSet.empty])
    expect(toPairs(touched)).toEqual(toPairs(RangeSet.unionAll(each)))
    expect([isBroken, version]).toEqual([false, 3 + roots.length])
  })

  law("take() of a root that was taken before changes nothing", [changes, fc.nat(7)], (roots, again) => {
    const taken = all(takeChanges.from(3), roots)
    expect(all(taken, roots.slice(0, again + 1))).toBe(taken)
  })

  law("take() is broken where, and only where, a root is left out", [changes, fc.nat(7)], (roots, left) => {
    const some = roots.filter((_, index) => index !== left)
    expect(all(takeChanges.from(3), some).isBroken).toBe(left < roots.length - 1)
  })
})
