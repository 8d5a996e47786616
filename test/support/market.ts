/**
 * What does a source say, and what is true of it?
 *
 * A market is a list of bars. It is asked as a worker asks a source: page by page, as the pure machine of a backfill
 * says, and it may give less than it was asked for. What it proves is compared with what can be known of the market
 * at all.
 */
import * as fc from "fast-check"
import * as Answer from "../../actors/backfill/Answer.ts"
import * as Question from "../../actors/backfill/Question.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { includes } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** The length of a bar; not 1, so that times and counts of bars can't be taken for each other. */
export const barMs = 10

/** Times that a market is asked about lie in `[0, wantedUntil)`; it has bars on either side as well. */
export const wantedUntil = 40 * barMs

/** A source: its bars, and its limits. */
export interface Market {
  /** Starts of bars, ascending. */
  readonly bars: ReadonlyArray<number>
  readonly maxEmptyBars: number
  readonly barsPerRequest: number
  /** Bars from here on are not final yet. */
  readonly finalUntil: number
  /** When it is closed; never without it. It may have bars then all the same. */
  readonly closed?: RangeSet.RangeSet
}

/** Starts of the bars with these numbers. */
export const barsAt = (...numbers: ReadonlyArray<number>): ReadonlyArray<number> =>
  numbers.map((number) => number * barMs)

/** How many of a page's bars the source gives. */
export type Cut = (bars: number) => number

/** A source that gives all of a page. */
export const whole: Cut = (bars) => bars

/** A market with some bars, sparse or dense. */
export const market: fc.Arbitrary<Market> = fc.record({
  bars: fc
    .uniqueArray(fc.integer({ min: -15, max: 54 }), { maxLength: 45 })
    .map((numbers) => barsAt(...numbers.toSorted((a, b) => a - b))),
  maxEmptyBars: fc.integer({ min: 0, max: 12 }),
  barsPerRequest: fc.constantFrom(1, 2, 3, 5, 100),
  finalUntil: fc.constantFrom(wantedUntil, wantedUntil + 5 * barMs, 1000 * barMs)
})

/** A market that closes now and then, and has bars then as well where `barsInClosed` says so. */
export const closingMarket = (barsInClosed: boolean): fc.Arbitrary<Market> =>
  fc
    .tuple(
      market,
      fc.array(fc.tuple(fc.integer({ min: -25, max: 64 }), fc.integer({ min: 1, max: 12 })), { maxLength: 5 })
    )
    .map(([of, hours]) => {
      const closed = RangeSet.make(hours.map(([start, length]): Range => [start * barMs, (start + length) * barMs]))
      const bars = barsInClosed ? of.bars : of.bars.filter((bar) => !includes(closed, bar))
      return { ...of, bars, closed }
    })

/** Sources that cut pages short, by what is drawn for each page: never to nothing, unless `least` is 0. */
export const cuts = (least: 0 | 1): fc.Arbitrary<Cut> =>
  fc.array(fc.integer({ min: least, max: 4 }), { minLength: 1, maxLength: 20 }).map((drawn) => {
    let page = 0
    return (bars) => {
      const give = drawn[page++ % drawn.length]!
      // twice nothing is the source's word: it is not drawn, but every other page may be empty
      return Math.min(bars, page % 2 === 0 ? Math.max(1, give) : give)
    }
  })

/** One request of a conversation, what came, and where the answer stood then. */
export interface Turn {
  readonly request: Answer.Request
  readonly page: ReadonlyArray<number>
  readonly answer: Answer.Answer
}

// a conversation that is still going on then never ends
const turnsMax = 500

/** Asks the market about a stretch until the answer is complete. */
export const converse = (
  { bars, closed = RangeSet.empty, ...limits }: Market,
  stretch: Range,
  { covered, cut }: { readonly covered: RangeSet.RangeSet; readonly cut: Cut }
): ReadonlyArray<Turn> => {
  const turns: Array<Turn> = []
  let answer = Answer.begin(
    Question.about(stretch, {
      ...limits,
      intervalMs: barMs,
      covered,
      shut: RangeSet.empty,
      closedIn: (range) => RangeSet.clip(closed, ...range)
    })
  )
  for (let request = Answer.nextRequest(answer); request !== undefined; request = Answer.nextRequest(answer)) {
    if (turns.length === turnsMax) throw new Error("the answer never ends")
    const asked = RangeSet.of(request.start, request.end)
    const full = bars.filter((bar) => includes(asked, bar)).slice(0, limits.barsPerRequest)
    const page = full.slice(0, cut(full.length))
    answer = Answer.take(answer, request, page)
    turns.push({ request, page, answer })
  }
  return turns
}

/** What a complete answer about the stretch proves. */
export const provenBy = (turns: ReadonlyArray<Turn>): RangeSet.RangeSet => {
  const last = turns.at(-1)
  return last === undefined ? RangeSet.empty : Answer.proven(last.answer)
}

/** Fills ranges one after the other, each with what is covered by then, as a worker does; gives all that is covered. */
export const fill = (
  of: Market,
  ranges: ReadonlyArray<Range>,
  before: RangeSet.RangeSet = RangeSet.empty
): RangeSet.RangeSet =>
  ranges.reduce((covered, range) => {
    const stretches = toPairs(RangeSet.missing(covered, ...range))
    return RangeSet.unionAll([
      covered,
      ...stretches.map((stretch) => provenBy(converse(of, stretch, { covered, cut: whole })))
    ])
  }, before)

/** Bars of `[from, until)` in which the market is open. */
const openBars = ({ closed = RangeSet.empty }: Market, from: number, until: number): number =>
  Array.from({ length: (until - from) / barMs }, (_, bar) => from + bar * barMs).filter(
    (time) => !includes(closed, time)
  ).length

/** All that can be known by asking: bars, closed time, and absences between two bars that are not too long. */
export const knowable = (of: Market): RangeSet.RangeSet => {
  const { closed = RangeSet.empty, finalUntil, maxEmptyBars } = of
  const final = of.bars.filter((bar) => bar < finalUntil)
  const pairs = final.map((bar, index): Range => {
    const behind = bar + barMs
    const next = final[index + 1]
    return [bar, next !== undefined && openBars(of, behind, next) <= maxEmptyBars ? next : behind]
  })
  return RangeSet.union(RangeSet.make(pairs), RangeSet.clip(closed, -Infinity, finalUntil))
}

/** The wanted time in windows of so many bars, in an order given by `ranks`. */
export const windowsOf = (windowBars: number, ranks: ReadonlyArray<number>): ReadonlyArray<Range> =>
  Array.from({ length: Math.ceil(wantedUntil / (windowBars * barMs)) }, (_, index) => {
    const [start, end] = [index * windowBars * barMs, Math.min(wantedUntil, (index + 1) * windowBars * barMs)]
    return { range: [start, end] as const, rank: ranks[index] ?? 0 }
  })
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ range }) => range)
