/** Is nothing deleted that a root names, or that is young, and everything else? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Candidate, planSweep, superseded } from "../../../actors/sweeper/planSweep.ts"
import { law } from "../../support/law.ts"

const ids = ["a", "b", "c", "d", "e", "f", "g", "h"]

const candidate = fc.record<Candidate>({
  id: fc.constantFrom(...ids),
  revision: fc.integer({ min: 1, max: 1000 }),
  bytes: fc.integer({ min: 0, max: 100 }),
  atMs: fc.integer({ min: 0, max: 100 })
})
const candidates = fc.uniqueArray(candidate, { selector: ({ revision }) => revision, maxLength: 20 })
const named = fc.subarray(ids).map((ids) => new Set(ids))
const moment = fc.record({ nowMs: fc.integer({ min: 0, max: 200 }), ageMs: fc.integer({ min: 0, max: 100 }) })

describe("planSweep()", () => {
  law(
    "planSweep() deletes just what no kept root names and what is older than the age",
    [candidates, named, moment],
    (all, ids, at) => {
      const { deletions } = planSweep(all, ids, at)
      expect(deletions).toEqual(all.filter(({ atMs, id }) => !ids.has(id) && at.nowMs - atMs > at.ageMs))
    }
  )

  law("planSweep() counts each candidate once", [candidates, named, moment], (all, ids, at) => {
    const { kept, swept, young } = planSweep(all, ids, at)
    expect(kept.count + young.count + swept.count).toBe(all.length)
    expect(kept.bytes + young.bytes + swept.bytes).toBe(all.reduce((sum, { bytes }) => sum + bytes, 0))
  })

  it("planSweep() keeps what is just as old as the age", () => {
    const at = { nowMs: 100, ageMs: 50 }
    const one = { id: "a", revision: 1, bytes: 1, atMs: 50 }
    expect(planSweep([one], new Set(), at).deletions).toEqual([])
    expect(planSweep([{ ...one, atMs: 49 }], new Set(), at).deletions).toHaveLength(1)
  })
})

describe("superseded()", () => {
  it("superseded() tells when the next one came, and of the last that none has", () => {
    const at = (revision: number, atMs: number): Candidate => ({ id: "", revision, bytes: 1, atMs })
    const told = superseded([at(1, 10), at(4, 700), at(9, 705)])
    expect(told.map(({ atMs, id }) => [id, atMs])).toEqual([
      ["1", 700],
      ["4", 705],
      ["9", Infinity]
    ])
    expect(superseded([])).toEqual([])
  })

  law(
    "superseded() lets none go before those that were there earlier, nor before the next one is old",
    [candidates, moment],
    (all, at) => {
      const { deletions } = planSweep(superseded(all), new Set(), at)
      expect(deletions.map(({ revision }) => revision)).toEqual(
        all.slice(0, deletions.length).map(({ revision }) => revision)
      )
      for (const index of deletions.keys()) expect(at.nowMs - all[index + 1]!.atMs).toBeGreaterThan(at.ageMs)
    }
  )
})
