/** Is the entry that was meant found in a long log, by a few looks? */
import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Ranked, searchLog } from "../../runtime/searchLog.ts"
import { law } from "../support/law.ts"

interface Entry {
  readonly revision: number
  readonly rank: number
}

/** A log of these entries, and how often it is looked into. */
const logOf = (entries: ReadonlyArray<Entry>) => {
  const ranked = entries.map((entry): Ranked<Entry> => ({ ...entry, entry }))
  const looks = { count: 0 }
  const from = (revision: number) =>
    Effect.sync(() => {
      looks.count += 1
      return ranked.find((one) => one.revision >= revision)!
    })
  return { looks, log: { first: ranked[0]!, last: ranked.at(-1)!, from } }
}

const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1000 })), {
  minLength: 1,
  maxLength: 60
})

/** Entries with others' in between, whose ranks rise unevenly. */
const entries = steps.map((gaps) => {
  let [revision, rank] = [0, 0]
  return gaps.map(([between, further]): Entry => ({ revision: (revision += between), rank: (rank += further) }))
})

const search = (log: ReadonlyArray<Entry>, rank: number) => {
  const made = logOf(log)
  const found = Effect.runSync(searchLog(made.log, rank))
  return { found: found?.entry, looks: made.looks.count }
}

describe("searchLog()", () => {
  law(
    "searchLog() finds what going through the log from its end does",
    [entries, fc.double({ min: 0, max: 1, noNaN: true })],
    (log, share) => {
      const rank = Math.floor(share * (log.at(-1)!.rank + 2))
      expect(search(log, rank).found).toEqual(log.findLast((one) => one.rank <= rank))
    }
  )

  it("searchLog() of a version in a log of its own looks at two entries, however long it is", () => {
    const log = Array.from({ length: 100_000 }, (_, index) => ({ revision: index + 7, rank: index + 1 }))
    for (const rank of [2, 17, 99_999]) {
      const { found, looks } = search(log, rank)
      expect(found?.rank).toBe(rank)
      expect(looks).toBeLessThanOrEqual(2)
    }
  })

  it("searchLog() looks no more than twice for each halving, however uneven the log is", () => {
    const log = Array.from({ length: 5000 }, (_, index) => ({
      revision: index * 200 + 1,
      rank: Math.floor(1.008 ** index) + index
    }))
    for (let at = 0; at < log.length; at += 97) {
      const { found, looks } = search(log, log[at]!.rank)
      expect(found).toEqual(log[at])
      expect(looks).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(log.at(-1)!.revision)) + 2)
    }
  })
})
