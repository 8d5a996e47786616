/** Does a source's answer end, and is all that it is said to prove true? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Answer from "../../../actors/backfill/Answer.ts"
import * as Question from "../../../actors/backfill/Question.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import {
  barMs,
  barsAt,
  converse,
  cuts,
  fill,
  knowable,
  market,
  type Market,
  provenBy,
  wantedUntil,
  whole,
  windowsOf
} from "../../support/market.ts"

const nothing = RangeSet.empty

const stretch = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 10 }))
  .map(([start, length]): Range => [start * barMs, (start + length) * barMs])

const wantedOf = (set: RangeSet.RangeSet) => RangeSet.clip(set, 0, wantedUntil)

const barsOf = (set: RangeSet.RangeSet): RangeSet.RangeSet =>
  RangeSet.make(toPairs(set).map(([start, end]): Range => [start / barMs, end / barMs]))

/** A market of these bars, with nothing in the way of asking it. */
const plain = (numbers: ReadonlyArray<number>, changes: Partial<Market> = {}): Market => ({
  bars: barsAt(...numbers),
  maxEmptyBars: 3,
  barsPerRequest: 100,
  finalUntil: Infinity,
  ...changes
})

/** What a market proves about bars `[start, end)`, in bars. */
const proves = (of: Market, [start, end]: Range, coveredBars: ReadonlyArray<Range> = []) => {
  const covered = RangeSet.make(coveredBars.map(([from, until]): Range => [from * barMs, until * barMs]))
  const turns = converse(of, [start * barMs, end * barMs], { covered, cut: whole })
  return { pairs: toPairs(barsOf(provenBy(turns))), requests: turns.length }
}

describe("nextRequest()", () => {
  law(
    "nextRequest() ends after a number of requests that the bars bound",
    [market, stretch, cuts(0)],
    (of, at, cut) => {
      const turns = converse(of, at, { covered: nothing, cut })
      const inside = of.bars.filter((bar) => includes(RangeSet.of(...at), bar)).length
      // each bar may come alone and after an empty page; then two that are empty, a look on either side
      expect(turns.length).toBeLessThanOrEqual(2 * inside + 5)
    }
  )

  law(
    "nextRequest() never asks about covered time, nor about bars that are not final",
    [market, stretch, cuts(1)],
    (of, at, cut) => {
      const covered = RangeSet.subtract(RangeSet.of(-200 * barMs, 200 * barMs), RangeSet.of(...at))
      const known = [nothing, covered, RangeSet.clip(covered, -Infinity, 0), knowable({ ...of, maxEmptyBars: 0 })]
      for (const before of known.map((set) => RangeSet.subtract(set, RangeSet.of(...at)))) {
        for (const { request } of converse(of, at, { covered: before, cut })) {
          const asked = RangeSet.of(request.start, request.end)
          expect(toPairs(RangeSet.intersect(asked, before))).toEqual([])
          expect(toPairs(RangeSet.clip(RangeSet.subtract(asked, RangeSet.of(...at)), of.finalUntil, Infinity))).toEqual(
            []
          )
        }
      }
    }
  )

  law(
    "nextRequest() needs no more than full pages for a stretch without absences",
    [fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 })],
    (bars, barsPerRequest) => {
      const dense = plain(
        Array.from({ length: 100 }, (_, bar) => bar - 20),
        { barsPerRequest }
      )
      const turns = converse(dense, [0, bars * barMs], { covered: nothing, cut: whole })
      expect(turns).toHaveLength(Math.ceil(bars / barsPerRequest))
    }
  )

  it("nextRequest() goes on behind the last bar after a page that came short", () => {
    const dense = plain([0, 1, 2, 3, 4, 5], { barsPerRequest: 4 })
    const turns = converse(dense, [0, 5 * barMs], { covered: nothing, cut: (bars) => Math.min(bars, 2) })
    expect(turns.map(({ request }) => request.start / barMs)).toEqual([0, 2, 4])
  })

  it("nextRequest() does not look before a stretch whose absence is too long for any bar to prove", () => {
    expect(proves(plain([-1, 4, 5]), [0, 6])).toEqual({ pairs: [[4, 6]], requests: 1 })
  })
})

describe("proven()", () => {
  law(
    "proven() holds only time of the stretch, once the answer is complete",
    [market, stretch, cuts(1)],
    (of, at, cut) => {
      const proven = provenBy(converse(of, at, { covered: nothing, cut }))
      expect(RangeSet.contains(RangeSet.of(...at), proven)).toBe(true)
    }
  )

  law(
    "proven() holds each bar of the stretch, and only absences between near bars",
    [market, stretch, cuts(1)],
    (of, at, cut) => {
      const proven = provenBy(converse(of, at, { covered: nothing, cut }))
      const bars = of.bars.filter((bar) => includes(RangeSet.of(...at), bar))
      expect(bars.filter((bar) => !includes(proven, bar))).toEqual([])
      expect(RangeSet.contains(knowable({ ...of, finalUntil: Infinity }), proven)).toBe(true)
    }
  )

  law(
    "proven() has every bar that came and no bar that did not, though pages were cut",
    [market, stretch, cuts(1)],
    (of, at, cut) => {
      const turns = converse(of, at, { covered: nothing, cut })
      const came = new Set(turns.flatMap(({ page }) => page))
      const proven = provenBy(turns)
      expect(of.bars.filter((bar) => includes(proven, bar) && !came.has(bar))).toEqual([])
    }
  )

  law("proven() only grows while pages come", [market, stretch, cuts(1)], (of, at, cut) => {
    let before: RangeSet.RangeSet = nothing
    for (const { answer } of converse(of, at, { covered: nothing, cut })) {
      expect(RangeSet.contains(Answer.proven(answer), before)).toBe(true)
      before = Answer.proven(answer)
    }
  })

  it("proven() joins bars over an absence of maxEmptyBars, and not over a longer one", () => {
    expect(proves(plain([0, 4, 9]), [0, 10]).pairs).toEqual([
      [0, 5],
      [9, 10]
    ])
  })

  it("proven() says nothing about an absence at the edge that no bar beyond it ends", () => {
    expect(proves(plain([2, 3]), [0, 6]).pairs).toEqual([[2, 4]])
  })

  it("proven() takes a bar beyond the edge as the end of an absence", () => {
    expect(proves(plain([-1, 2, 3, 6]), [0, 6]).pairs).toEqual([[0, 6]])
  })

  it("proven() takes the edge of covered time as the end of an absence", () => {
    expect(
      proves(
        plain([-1, 2, 3, 6]),
        [0, 6],
        [
          [-5, 0],
          [6, 9]
        ]
      ).pairs
    ).toEqual([[0, 6]])
  })

  it("proven() has nothing where nothing came", () => {
    expect(proves(plain([]), [0, 6]).pairs).toEqual([])
  })

  it("proven() does not take a bar that is not final as the end of an absence", () => {
    expect(proves(plain([0, 1, 4], { finalUntil: 3 * barMs }), [0, 3]).pairs).toEqual([[0, 2]])
  })
})

describe("proven() of a market that closes", () => {
  // a session of four bars, a night of six
  const closed = RangeSet.make(
    Array.from({ length: 20 }, (_, day): Range => [(day * 10 - 46) * barMs, (day * 10 - 40) * barMs])
  )

  it("proven() has closed time without a bar beside it, and none of a session in which no bar came", () => {
    expect(proves(plain([], { closed }), [0, 20]).pairs).toEqual([
      [4, 10],
      [14, 20]
    ])
  })

  it("proven() hides no outage of several sessions, also where all nights between them are covered", () => {
    const outage = plain([0, 1, 2, 3, 43], { maxEmptyBars: 6, closed })
    const windows = [0, 1, 2, 3, 4].map((day): Range => [day * 10 * barMs, (day + 1) * 10 * barMs])
    // each session lacks four bars, fewer than mean a lack of trades
    const asked = toPairs(barsOf(fill(outage, [...windows, ...windows])))
    expect(asked).toEqual([
      [0, 10],
      [14, 20],
      [24, 30],
      [34, 40],
      [43, 50]
    ])
  })

  it("proven() takes the end of one session and the begin of the next as one absence", () => {
    const quiet = plain([0, 12], { maxEmptyBars: 5, closed })
    expect(proves(quiet, [0, 13]).pairs).toEqual([[0, 13]])
    expect(proves({ ...quiet, maxEmptyBars: 4 }, [0, 13]).pairs).toEqual([
      [0, 1],
      [4, 10],
      [12, 13]
    ])
  })
})

describe("answered()", () => {
  law(
    "answered() holds what a page brought, and in the end all of the stretch",
    [market, stretch, cuts(1)],
    (of, at, cut) => {
      const turns = converse(of, at, { covered: nothing, cut })
      for (const { answer } of turns) {
        const answered = Answer.answered(answer)
        expect(RangeSet.contains(RangeSet.of(...at), answered)).toBe(true)
      }
      expect(toPairs(Answer.answered(turns.at(-1)!.answer))).toEqual([at])
    }
  )

  law("answered() holds no time in which a bar is still to come", [market, stretch, cuts(1)], (of, at, cut) => {
    const came = new Set<number>()
    for (const { answer, page } of converse(of, at, { covered: nothing, cut })) {
      for (const bar of page) came.add(bar)
      const answered = Answer.answered(answer)
      expect(of.bars.filter((bar) => includes(answered, bar) && !came.has(bar))).toEqual([])
    }
  })
})

describe("filling a range", () => {
  const ranks = fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 })
  const windowBars = fc.constantFrom(1, 3, 5, 8, 10, 20)

  law("proven() of a range asked at once is all that can be known of it", [market], (of) => {
    expect(toPairs(fill(of, [[0, wantedUntil]]))).toEqual(toPairs(wantedOf(knowable(of))))
  })

  law(
    "proven() window by window, in any order, is never more than can be known",
    [market, windowBars, ranks],
    (of, bars, order) => {
      expect(RangeSet.contains(knowable(of), fill(of, windowsOf(bars, order)))).toBe(true)
    }
  )

  law("proven() window by window has every bar, whatever the order", [market, windowBars, ranks], (of, bars, order) => {
    const covered = fill(of, windowsOf(bars, order))
    const wanted = of.bars.filter((bar) => includes(RangeSet.of(0, wantedUntil), bar))
    expect(wanted.filter((bar) => !includes(covered, bar))).toEqual([])
  })

  law(
    "proven() does not depend on the order of windows that begin and end with a bar",
    [market, fc.constantFrom(5, 8, 10, 20), ranks],
    (of, bars, order) => {
      const windows = windowsOf(bars, order)
      const edges = windows.flatMap(([start, end]) => [start, end - barMs])
      const anchored = { ...of, bars: Array.from(new Set([...of.bars, ...edges])).toSorted((a, b) => a - b) }
      expect(toPairs(fill(anchored, windows))).toEqual(toPairs(fill(anchored, [[0, wantedUntil]])))
    }
  )
})

describe("whole time", () => {
  const at = (bar: number): number => bar * barMs
  const options = {
    intervalMs: barMs,
    maxEmptyBars: 3,
    barsPerRequest: 10,
    covered: nothing,
    shut: nothing,
    closedIn: Question.neverClosed,
    finalUntil: Infinity
  }
  const question = Question.about([at(0), at(100)], options)
  const take = (answer: Answer.Answer, numbers: ReadonlyArray<number>, known: RangeSet.RangeSet) =>
    Answer.take(answer, Answer.nextRequest(answer)!, numbers.map(at), known)
  const provenBars = (answer: Answer.Answer) => toPairs(barsOf(Answer.proven(answer)))

  it("proven() has an absence of any length in time that the source has whole, and no other", () => {
    const known = RangeSet.of(at(2), at(60))
    const answer = take(Answer.begin(question), [2, 50, 70], known)
    expect(provenBars(answer)).toEqual([
      [2, 60],
      [70, 71]
    ])
  })

  it("proven() has time without a bar up to its end, once nothing more comes", () => {
    const known = RangeSet.of(at(-50), at(90))
    let answer = take(Answer.begin(question), [1], known)
    expect(provenBars(answer)).toEqual([[0, 2]])
    while (Answer.nextRequest(answer) !== undefined) answer = take(answer, [], known)
    expect(provenBars(answer)).toEqual([[0, 90]])
  })

  it("proven() does not take a later page's word for time that an earlier page was asked about", () => {
    const first = take(Answer.begin(question), [0, 30], nothing)
    const second = take(first, [40], RangeSet.of(at(0), at(100)))
    expect(provenBars(second)).toEqual([
      [0, 1],
      [30, 41]
    ])
  })

  it("upTo() has the next page begin where the last one ended, with bars or without", () => {
    const first = Answer.nextRequest(Answer.begin(question))!
    const quiet = Answer.upTo(take(Answer.begin(question), [], nothing), first, at(40), RangeSet.of(at(0), at(70)))
    expect(Answer.nextRequest(quiet)).toEqual({ about: "stretch", start: at(40), end: at(100) })
    expect(provenBars(quiet)).toEqual([[0, 40]])
    expect(toPairs(barsOf(Answer.answered(quiet)))).toEqual([[0, 40]])
    const second = Answer.nextRequest(quiet)!
    const traded = Answer.upTo(take(quiet, [45], nothing), second, at(60), RangeSet.of(at(40), at(60)))
    expect(Answer.nextRequest(traded)).toEqual({ about: "stretch", start: at(60), end: at(100) })
    expect(provenBars(traded)).toEqual([[0, 60]])
    const last = Answer.upTo(take(traded, [], nothing), Answer.nextRequest(traded)!, at(100), RangeSet.of(0, at(100)))
    // whole up to its end: neither a second page nor a look beside it proves more
    expect(Answer.nextRequest(last)).toBeUndefined()
    expect(provenBars(last)).toEqual([[0, 100]])
  })

  it("upTo() of a page that has gone no further changes nothing: two of them are its word", () => {
    let answer = Answer.begin(question)
    for (let pages = 0; pages < 2; pages++) {
      const request = Answer.nextRequest(answer)!
      expect(request.start).toBe(at(0))
      answer = Answer.upTo(take(answer, [], nothing), request, at(0), nothing)
    }
    expect(Answer.nextRequest(answer)).toBeUndefined()
    expect(provenBars(answer)).toEqual([])
  })

  it("proven() has no absence that goes over a seam, however little of the seam was asked about", () => {
    const over = (covered: RangeSet.RangeSet, [from, to]: Range, numbers: ReadonlyArray<number>) => {
      const asked = Question.about([at(from), at(to)], { ...options, covered })
      const seams: ReadonlyArray<Range> = [
        [at(11), at(13)],
        [at(90), Infinity]
      ]
      return take(Answer.overSeams(Answer.begin(asked), seams), numbers, nothing)
    }
    expect(provenBars(over(nothing, [0, 100], [0, 3, 10, 13]))).toEqual([
      [0, 4],
      [10, 11],
      [13, 14]
    ])
    expect(provenBars(over(nothing, [0, 100], [10, 12]))).toEqual([
      [10, 11],
      [12, 13]
    ])
    // others have the rest of the seam, and what is behind the last part
    const beside = over(RangeSet.make([[at(12), at(20)]]), [9, 12], [9, 10])
    expect(provenBars(take(beside, [], nothing))).toEqual([[9, 11]])
    const behind = over(RangeSet.make([[at(92), at(100)]]), [88, 92], [88, 89])
    expect(provenBars(take(behind, [], nothing))).toEqual([[88, 90]])
  })
})
