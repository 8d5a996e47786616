/** Does a page hold one entry a window, in order, whichever way it came about? */
import { Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  CoveragePage,
  emptyEntry,
  entryOf,
  withEntry,
  type WindowEntry
} from "../../../protocol/history/CoveragePage.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"

const chunk = fc.record({
  source: fc.string(),
  id: fc.stringMatching(/^[0-9a-f]{8}$/),
  ranges: rangeSet,
  contentHash: fc.string(),
  rows: fc.nat(1440),
  lastEventTime: fc.option(fc.integer())
})

const entry: fc.Arbitrary<WindowEntry> = fc.record({
  windowStart: fc.integer({ min: -4, max: 4 }),
  generation: fc.nat(3),
  chunks: fc.array(chunk, { maxLength: 2 })
})

const blank: CoveragePage = { format: 1, index: -1, windows: [] }

const page = fc.array(entry, { maxLength: 8 }).map((entries) => entries.reduce(withEntry, blank))

const starts = ({ windows }: CoveragePage): ReadonlyArray<number> => windows.map(({ windowStart }) => windowStart)

describe("CoveragePage", () => {
  law("withEntry() puts the entry where entryOf() finds it, and leaves the others", [page, entry], (page, entry) => {
    const changed = withEntry(page, entry)
    expect(entryOf(changed, entry.windowStart)).toBe(entry)
    for (const other of page.windows.filter(({ windowStart }) => windowStart !== entry.windowStart)) {
      expect(entryOf(changed, other.windowStart)).toBe(other)
    }
  })
  law("withEntry() keeps one entry a window, ascending", [page, entry], (page, entry) => {
    const ordered = [...new Set([...starts(page), entry.windowStart])].toSorted((a, b) => a - b)
    expect(starts(withEntry(page, entry))).toEqual(ordered)
  })
  law("withEntry() does not depend on the order of different windows", [page, entry, entry], (page, a, b) => {
    fc.pre(a.windowStart !== b.windowStart)
    expect(withEntry(withEntry(page, a), b)).toEqual(withEntry(withEntry(page, b), a))
  })
  law("a page is the same after JSON", [page], (page) => {
    const text = JSON.stringify(Schema.encodeSync(CoveragePage)(page))
    expect(Schema.decodeUnknownSync(CoveragePage)(JSON.parse(text))).toEqual(page)
  })
  it("entryOf() of a window that nothing is stored of is empty", () => {
    expect(entryOf(undefined, 60)).toEqual({ windowStart: 60, generation: 0, chunks: [] })
    expect(entryOf(blank, 60)).toEqual(emptyEntry(60))
  })
})
