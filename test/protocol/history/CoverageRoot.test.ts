/** Does a root keep its meaning and its hash through JSON, and is every change of it another hash? */
import { Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CoverageRoot, initial, rootHash } from "../../../protocol/history/CoverageRoot.ts"
import { MissingState } from "../../../protocol/history/MissingRange.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"
import { text } from "../frames.ts"

const time = fc.maxSafeInteger()
const hash = fc.stringMatching(/^[0-9a-f]{8}$/)

const exception = fc.record({
  start: time,
  end: time,
  state: fc.constantFrom(...MissingState.literals),
  reason: text,
  retryAt: fc.option(time)
})

const root: fc.Arbitrary<CoverageRoot> = fc.record({
  format: fc.constant(1 as const),
  series: fc.record({ nodeId: text, interval: fc.constantFrom("1m", "1w") }),
  version: fc.nat(),
  committedAt: time,
  covered: rangeSet,
  coveredInPagesBefore: fc.option(time),
  exceptions: fc.array(exception, { maxLength: 2 }),
  watermarks: fc.record({ eventTimeLow: fc.option(time), eventTimeHigh: fc.option(time) }),
  schemaVersion: fc.nat(),
  windowBars: fc.nat(),
  pages: fc.array(fc.record({ index: fc.integer(), id: hash }), { maxLength: 2 }),
  sealedTailSequence: fc.nat(),
  previousRootHash: hash,
  diff: fc.record({ added: rangeSet, removed: rangeSet, jobs: fc.array(text), source: text, cause: text })
})

const toText = (root: CoverageRoot): string => JSON.stringify(Schema.encodeSync(CoverageRoot)(root))
const fromText = (json: string): CoverageRoot => Schema.decodeUnknownSync(CoverageRoot)(JSON.parse(json))

/** The same JSON with the keys of each object in reverse. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, each]) => [key, reversed(each)])
  )
}

const first = initial({ nodeId: "a", interval: "1m" }, { windowBars: 1440, schemaVersion: 1 })

describe("CoverageRoot", () => {
  law("a root and its hash are kept through JSON", [root], (root) => {
    const again = fromText(toText(root))
    expect(again).toEqual(root)
    expect(rootHash(again)).toBe(rootHash(root))
  })
  law("rootHash() does not depend on the order in which fields were written", [root], (root) =>
    expect(rootHash(fromText(JSON.stringify(reversed(JSON.parse(toText(root))))))).toBe(rootHash(root))
  )
  law("rootHash() tells different roots apart", [root, root], (a, b) =>
    expect(rootHash(a) === rootHash(b)).toBe(toText(a) === toText(b))
  )
  it.each<readonly [string, Partial<CoverageRoot>]>([
    ["version", { version: 1 }],
    ["covered", { covered: RangeSet.of(0, 60_000) }],
    ["coveredInPagesBefore", { coveredInPagesBefore: 0 }],
    ["watermarks", { watermarks: { eventTimeLow: 0, eventTimeHigh: null } }],
    ["diff", { diff: { ...first.diff, cause: "another" } }],
    ["previousRootHash", { previousRootHash: rootHash(first) }]
  ])("rootHash() sees a change of %s", (_, change) => {
    expect(rootHash({ ...first, ...change })).not.toBe(rootHash(first))
  })
  it("initial() is a root of version 0 without coverage, and has JSON of its own", () => {
    expect(first.version).toBe(0)
    expect(first.covered).toEqual(RangeSet.empty)
    expect(fromText(toText(first))).toEqual(first)
  })
})
