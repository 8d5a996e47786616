/** Is a longer bar said to be known where, and only where, it follows from the shorter ones? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isCarriedUp, proveBars } from "../../../actors/conformance/proveBars.ts"
import { mergeFrames, rowsIn } from "../../../actors/conformance/mergeFrames.ts"
import { rollUpBars } from "../../../actors/conformance/rollUpBars.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { outward } from "../../../protocol/history/alignRanges.ts"
import * as MissingRange from "../../../protocol/history/MissingRange.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { intervalOf, sealedFrame } from "../../support/rows.ts"

const minuteMs = 60_000
const five = intervalOf("5m")
const stretch = RangeSet.of(-200 * minuteMs, 205 * minuteMs)
const none = RangeSet.empty

/** The state of each minute: covered, missing, or out of reach in one way or another. */
const states = ["covered", "missing", "deferred", "due", "quarantined", "unavailable"] as const
type State = (typeof states)[number]

const nowMs = 1_000_000

const below = (minutes: ReadonlyArray<State>) => {
  const at = (index: number): [number, number] => [(index - 200) * minuteMs, (index - 199) * minuteMs]
  const covered = RangeSet.make(minutes.flatMap((state, index) => (state === "covered" ? [at(index)] : [])))
  const missing = minutes.flatMap((state, index): ReadonlyArray<MissingRange.MissingRange> => {
    if (state === "covered") return []
    const [start, end] = at(index)
    const retryAt = { deferred: nowMs + 1 + index, due: nowMs }[state as string] ?? null
    return [{ start, end, state: state === "due" ? "deferred" : state, reason: state, retryAt, evidence: "seen" }]
  })
  return { covered, missing, interval: "1m" }
}

/** Runs of minutes in one state, so that whole bars are of one too. */
const minutes = fc
  .array(
    fc.tuple(fc.constantFrom(...states, "covered" as const, "covered" as const), fc.integer({ min: 1, max: 12 })),
    {
      maxLength: 40
    }
  )
  .map((runs) => {
    const all = runs.flatMap(([state, length]) => Array.from({ length }, (): State => state))
    return [...all, ...Array.from({ length: 405 }, (): State => "missing")].slice(0, 405)
  })

/** What must be true of a bar by the states of its minutes. */
const fateOf = (of: ReadonlyArray<State>): string => {
  for (const state of ["unavailable", "quarantined", "deferred"] as const) if (of.includes(state)) return state
  return of.every((state) => state === "covered") ? "proven" : "pending"
}

const starts = (set: RangeSet.RangeSet): ReadonlyArray<number> =>
  toPairs(set).flatMap(([start, end]) =>
    Array.from({ length: (end - start) / five.lengthMs }, (_, bar) => start + bar * five.lengthMs)
  )

describe("proveBars()", () => {
  law("proveBars() has each bar as all of its minutes make it, one by one", [minutes], (drawn) => {
    const { exceptions, pending, proven } = proveBars(stretch, five, below(drawn), nowMs)
    const fates = new Map<number, string>([
      ...starts(proven).map((start) => [start, "proven"] as const),
      ...starts(pending).map((start) => [start, "pending"] as const),
      ...exceptions.flatMap((each) =>
        starts(RangeSet.of(each.start, each.end)).map((start) => [start, each.state] as const)
      )
    ])
    const expected = Array.from({ length: 81 }, (_, bar) => {
      const start = (bar * 5 - 200) * minuteMs
      return [start, fateOf(drawn.slice(bar * 5, bar * 5 + 5))] as const
    })
    expect(Array.from(fates).toSorted(([a], [b]) => a - b)).toEqual(expected)
  })

  law(
    "proveBars() gives exceptions that are carried up, ascending, with the latest time to ask again",
    [minutes],
    (drawn) => {
      const { exceptions } = proveBars(stretch, five, below(drawn), nowMs)
      for (const [index, each] of exceptions.entries()) {
        expect(isCarriedUp(each, "1m")).toBe(true)
        expect(isCarriedUp(each, "5m")).toBe(false)
        expect(each.start).toBeGreaterThanOrEqual(exceptions[index - 1]?.end ?? -Infinity)
        if (each.state !== "deferred") continue
        const last = starts(RangeSet.of(each.start, each.end)).map((start) => {
          const first = start / minuteMs + 200
          return Math.max(
            ...drawn.slice(first, first + 5).map((state, at) => (state === "deferred" ? nowMs + 1 + first + at : 0))
          )
        })
        expect(last.every((retryAt) => retryAt === each.retryAt)).toBe(true)
      }
    }
  )

  const order = fc.array(fc.tuple(fc.integer({ min: -200, max: 204 }), fc.integer({ min: 1, max: 60 })), {
    maxLength: 25
  })

  law(
    "proveBars() of what comes bit by bit, rolled up bit by bit, is the whole rolled up",
    [sealedFrame, order],
    (whole, parts) => {
      const empty = Frame.empty(ohlcv)
      let covered = none
      let above = none
      let rows = empty
      const rest = [-200, 405] as const
      for (const [from, length] of [...parts, rest]) {
        covered = RangeSet.intersect(
          RangeSet.union(covered, RangeSet.of(from * minuteMs, (from + length) * minuteMs)),
          stretch
        )
        const open = RangeSet.subtract(stretch, above)
        const missing = MissingRange.classify(RangeSet.subtract(open, covered), [])
        const { exceptions, pending, proven } = proveBars(open, five, { covered, missing, interval: "1m" }, nowMs)
        expect(exceptions).toEqual([])
        expect(RangeSet.equals(RangeSet.union(above, proven), RangeSet.subtract(stretch, pending))).toBe(true)
        // only what is covered by now is there to be rolled up
        const stored = Frame.concat([empty, ...rowsIn(whole, covered)])
        rows = mergeFrames([rows, rollUpBars(Frame.concat([empty, ...rowsIn(stored, proven)]), five)])
        above = RangeSet.union(above, proven)
      }
      expect(RangeSet.equals(above, stretch)).toBe(true)
      expect(contentHash(rows)).toBe(contentHash(mergeFrames([empty, rollUpBars(whole, five)])))
    }
  )

  it("proveBars() says of a bar what it rests on, and nothing of its neighbours", () => {
    const drawn = Array.from({ length: 405 }, (_, index): State => (index === 203 ? "unavailable" : "covered"))
    const { exceptions, pending, proven } = proveBars(stretch, five, below(drawn), nowMs)
    expect(exceptions).toEqual([
      {
        start: 0,
        end: five.lengthMs,
        state: "unavailable",
        reason: "unavailable",
        retryAt: null,
        evidence: "its 1m bars: seen"
      }
    ])
    expect(toPairs(pending)).toEqual([])
    expect(toPairs(RangeSet.subtract(stretch, proven))).toEqual(
      toPairs(outward(RangeSet.of(3 * minuteMs, 4 * minuteMs), five))
    )
  })
})
