/** Are the trades of a time all there when a walk says so, whatever the exchange's answers are cut to? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as TradeWalk from "../../../actors/sources/TradeWalk.ts"
import type { Interval } from "../../../protocol/history/Interval.ts"
import { law } from "../../support/law.ts"

/** Bars of ten milliseconds. */
const interval: Interval = { text: "10ms", lengthMs: 10, anchorMs: 0 }

const limits: TradeWalk.Limits = {
  tradesPerRequest: 4,
  windowMs: 20,
  windowsMax: 3,
  tradesMax: 12,
  barsMax: 5,
  tradesPerBarMax: 1000
}

interface Trade {
  readonly id: number
  readonly timeMs: number
  /** 0 where the number was given to none. */
  readonly count: number
}

/** A market, and how its exchange answers. */
interface Venue {
  /** Ascending in number and time. */
  readonly trades: ReadonlyArray<Trade>
  /** Whether a time that has more than fits into an answer is answered with its last trades. */
  readonly givesLast: boolean
  /** How many trades are left of an answer, by its place; all where it says nothing. */
  readonly cuts: ReadonlyArray<number | null>
}

const columns = (trades: ReadonlyArray<Trade>): TradeWalk.NumberedTrades => ({
  eventTimeMs: Float64Array.from(trades, ({ timeMs }) => timeMs),
  id: Float64Array.from(trades, ({ id }) => id),
  price: Float64Array.from(trades, ({ id }) => id),
  amount: Float64Array.from(trades, () => 1),
  count: Float64Array.from(trades, ({ count }) => count)
})

const healthy = ({ givesLast, trades }: Venue, query: TradeWalk.TradeQuery): ReadonlyArray<Trade> => {
  if ("fromId" in query) return trades.filter(({ id }) => id >= query.fromId).slice(0, limits.tradesPerRequest)
  const inside = trades.filter(({ timeMs }) => query.from <= timeMs && timeMs < query.until)
  return givesLast ? inside.slice(-limits.tradesPerRequest) : inside.slice(0, limits.tradesPerRequest)
}

/** Answers one request after the other. No two in a row are cut, and none that is asked again. */
const exchange = (venue: Venue) => {
  const asked: Array<TradeWalk.TradeQuery> = []
  const cut = new Set<string>()
  let isCut = false
  const answer = (query: TradeWalk.TradeQuery): TradeWalk.NumberedTrades => {
    const place = asked.push(query) - 1
    const key = JSON.stringify(query)
    const kept = isCut || cut.has(key) ? null : (venue.cuts[place % venue.cuts.length] ?? null)
    isCut = kept !== null
    if (isCut) cut.add(key)
    const trades = healthy(venue, query)
    return columns(kept === null ? trades : trades.slice(0, kept))
  }
  return { answer, asked }
}

// a walk needs fewer, or goes in circles
const requestsMax = 2000

const walkOf = (venue: Venue, start: number, end: number, bounds: Partial<TradeWalk.Limits> = {}) => {
  const { answer, asked } = exchange(venue)
  let walk = TradeWalk.begin({ interval, start, end, limits: { ...limits, ...bounds } })
  for (let query = TradeWalk.next(walk); query !== undefined; query = TradeWalk.next(walk)) {
    walk = TradeWalk.take(walk, answer(query))
    if (asked.length > requestsMax) throw new Error(`no end: ${JSON.stringify(asked.slice(0, 20))}`)
  }
  return { walk, asked, until: TradeWalk.wholeUntil(walk) }
}

const idsOf = ({ parts }: TradeWalk.TradeWalk, until: number): ReadonlyArray<number> =>
  parts.flatMap(({ eventTimeMs, id }) => Array.from(id).filter((_, row) => eventTimeMs[row]! < until))

const within = (trades: ReadonlyArray<Trade>, start: number, until: number): ReadonlyArray<number> =>
  trades.filter(({ count, timeMs }) => count > 0 && start <= timeMs && timeMs < until).map(({ id }) => id)

/** One walk after the other, each from where the last one ended. */
const readAll = (venue: Venue, start: number, end: number): ReadonlyArray<number> => {
  const ids: Array<number> = []
  for (let from = start; from < end;) {
    const { until, walk } = walkOf(venue, from, end)
    expect(until).toBeGreaterThan(from)
    ids.push(...idsOf(walk, until))
    from = until
  }
  return ids
}

const steps = fc.array(
  fc.record({
    // some at once, most soon, a few after long
    waitMs: fc.oneof(fc.constant(0), fc.nat(6), fc.nat(6), fc.integer({ min: 40, max: 150 })),
    skipped: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(9)),
    count: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.constant(0))
  }),
  { maxLength: 60 }
)

const venues: fc.Arbitrary<Venue> = fc
  .record({
    steps,
    firstId: fc.nat(6),
    givesLast: fc.boolean(),
    cuts: fc.array(fc.option(fc.nat(3)), { minLength: 1, maxLength: 7 })
  })
  .map(({ cuts, firstId, givesLast, steps }) => {
    let [id, timeMs] = [firstId - 1, 0]
    const trades = steps.map(({ count, skipped, waitMs }) => {
      id += 1 + skipped
      timeMs += waitMs
      return { id, timeMs, count }
    })
    return { trades, givesLast, cuts }
  })

const ranges = fc
  .tuple(fc.nat(20), fc.integer({ min: 1, max: 20 }))
  .map(([start, length]): [number, number] => [start * 10, (start + length) * 10])

const steady = (count: number, everyMs: number, fromMs = 0): ReadonlyArray<Trade> =>
  Array.from({ length: count }, (_, id) => ({ id, timeMs: fromMs + id * everyMs, count: 1 }))

describe("TradeWalk", () => {
  law("wholeUntil() is time of which all trades came, each once", [venues, ranges], (venue, [start, end]) => {
    const { until, walk } = walkOf(venue, start, end)
    expect(until % interval.lengthMs).toBe(0)
    expect(until).toBeLessThanOrEqual(end)
    expect(idsOf(walk, until)).toEqual(within(venue.trades, start, until))
  })

  law("walks that go on where the last one ended have all trades", [venues, ranges], (venue, [start, end]) => {
    expect(readAll(venue, start, end)).toEqual(within(venue.trades, start, end))
  })

  it("goes over quiet time by number, in one request however long it is", () => {
    const trades = [...steady(3, 5, 100), { id: 3, timeMs: 90_000, count: 1 }]
    const { asked, until } = walkOf({ trades, givesLast: false, cuts: [null] }, 100, 80_000)
    expect(until).toBe(80_000)
    expect(asked).toEqual([{ from: 100, until: 120 }, { fromId: 0 }])
  })

  it("asks about no time that is longer than the exchange allows, and says how far it looked", () => {
    const trades = [{ id: 7, timeMs: 0, count: 1 }]
    const { asked, until } = walkOf({ trades, givesLast: false, cuts: [null] }, 100, 1000)
    expect(asked).toEqual([
      { from: 100, until: 120 },
      { from: 120, until: 140 },
      { from: 140, until: 160 },
      { from: 100, until: 120 },
      { from: 120, until: 140 },
      { from: 140, until: 160 }
    ])
    expect(until).toBe(160)
  })

  it("takes one answer that nothing follows for no end, and two for the end", () => {
    const trades = steady(5, 5)
    const { asked, until } = walkOf({ trades, givesLast: false, cuts: [null] }, 0, 200)
    expect(asked).toEqual([{ from: 0, until: 20 }, { fromId: 0 }, { fromId: 4 }, { fromId: 5 }])
    expect(until).toBe(200)
    const cut = walkOf({ trades, givesLast: false, cuts: [null, null, 0] }, 0, 200)
    expect(cut.asked.filter((query) => "fromId" in query && query.fromId === 4)).toHaveLength(2)
    expect(idsOf(cut.walk, cut.until)).toEqual([0, 1, 2, 3, 4])
  })

  it("ends with the bar before the one in which its trades are many, and never within a bar", () => {
    const { until, walk } = walkOf({ trades: steady(100, 1), givesLast: false, cuts: [null] }, 0, 100)
    expect(until).toBe(10)
    expect(TradeWalk.isCrowded(walk)).toBe(false)
  })

  it("goes on to the end of a bar with many trades, so that none of it is asked for twice", () => {
    // eleven trades a bar, and a page is full with ten
    const busy = Array.from({ length: 110 }, (_, id) => ({ id, timeMs: Math.floor((id * 10) / 11), count: 1 }))
    const { asked, until } = walkOf({ trades: busy, givesLast: false, cuts: [null] }, 0, 100, { tradesMax: 10 })
    expect(until).toBe(10)
    expect(asked).toEqual([{ from: 0, until: 20 }, { fromId: 0 }, { fromId: 4 }, { fromId: 8 }])
    // a bar that is too many behind others is left for the next walk
    const [few, many] = [steady(5, 2), steady(200, 0, 10).map((trade) => ({ ...trade, id: trade.id + 5 }))]
    const crowd = walkOf({ trades: [...few, ...many], givesLast: false, cuts: [null] }, 0, 100, { tradesMax: 10 })
    expect(crowd.until).toBe(10)
    expect(crowd.asked.length).toBeLessThan(9)
  })

  it("gives up a bar that has more trades than fit", () => {
    const crowded = steady(100, 0)
    const { until, walk } = walkOf({ trades: crowded, givesLast: true, cuts: [null] }, 0, 100, { tradesPerBarMax: 20 })
    expect(until).toBe(0)
    expect(TradeWalk.isCrowded(walk)).toBe(true)
  })

  it("is not long in finding that no trade is before the first, where numbers begin with a large one", () => {
    const trades = steady(3, 5, 10).map((trade) => ({ ...trade, id: trade.id + 1_000_000 }))
    const { asked, until, walk } = walkOf({ trades, givesLast: false, cuts: [null] }, 0, 20)
    expect(idsOf(walk, until)).toEqual([1_000_000, 1_000_001])
    expect(asked.length).toBeLessThan(15)
  })

  it("begins with the first trade where the exchange gives the last ones of a time", () => {
    const trades = steady(40, 1, 3)
    expect(readAll({ trades, givesLast: true, cuts: [null] }, 0, 50)).toEqual(within(trades, 0, 50))
    // all of one millisecond, so that no shorter time has fewer
    const together = steady(40, 0, 3)
    expect(readAll({ trades: together, givesLast: true, cuts: [null] }, 0, 10)).toEqual(within(together, 0, 10))
  })
})
