/**
 * Which trades are asked for next, and of which time are they all there?
 *
 * Pure. Trades have numbers that ascend in time, so those that follow a trade are asked for by number, however long the
 * market was quiet in between. Only where to begin is found by time. That window's answer proves nothing by itself: it
 * may be cut off, or begin with its last trades where there are many. So the walk goes from the trade before the first
 * one found, and nothing counts until a trade before the range has been seen. What is behind the last trade counts as
 * empty when two answers in a row say that nothing follows.
 */
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"
import { isRange } from "../../protocol/history/Range.ts"
import type { Trades } from "../conformance/rollUpTrades.ts"

/** Trades with numbers that ascend, each number once. A number that no trade has has a `count` of 0. */
export type NumberedTrades = Required<Trades>

/** One request: the trades of a time, or those from a number on. At most `tradesPerRequest` of them. */
export type TradeQuery = { readonly from: number; readonly until: number } | { readonly fromId: number }

/** What bounds a walk. */
export interface Limits {
  /** The most trades of one answer. */
  readonly tradesPerRequest: number
  /** The longest time that can be asked about. */
  readonly windowMs: number
  /** In so many such times at the most a first trade is looked for. */
  readonly windowsMax: number
  /** A walk with so many trades ends with the bar that it is in, or before it where they become twice as many. */
  readonly tradesMax: number
  /** It ends with so many bars. */
  readonly barsMax: number
  /** One bar may have so many trades. */
  readonly tradesPerBarMax: number
}

/** The bars of `[start, end)`, which are boundaries of the interval. */
export interface Question {
  readonly interval: Interval
  readonly start: number
  readonly end: number
  readonly limits: Limits
}

/** Looking for a trade to begin with. */
interface Looking {
  readonly _tag: "looking"
  readonly from: number
  /** Whether all windows have been found empty once. */
  readonly isAgain: boolean
  /** A trade of the range of which it is not known whether one is before it. */
  readonly knownMs: number | null
}

/** Going on by number. */
interface Walking {
  readonly _tag: "walking"
  readonly nextId: number
  /** What was known when this number was found. */
  readonly knownMs: number | null
  /** By how many numbers the next step back is. */
  readonly back: number
  /** The time of the last trade seen, once one before the range was seen or none is before it. */
  readonly reachedMs: number | null
  /** How many answers in a row have said that nothing follows. */
  readonly ends: number
}

interface Ended {
  readonly _tag: "ended"
  readonly until: number
  /** The first bar has more trades than one bar may have. */
  readonly isCrowded: boolean
}

/** How far a walk has come. */
export interface TradeWalk {
  readonly question: Question
  readonly phase: Looking | Walking | Ended
  /** Trades of the range, ascending. */
  readonly parts: ReadonlyArray<NumberedTrades>
  readonly trades: number
  readonly bars: number
  readonly lastBar: number
}

/** Each step back is so many times as long as the one before: numbers may begin with a large one. */
const backGrowth = 32

/** One answer that nothing follows may be a fault of the exchange: this many in a row are its word. */
const endsMeant = 2

const looking: Omit<Looking, "from"> = { _tag: "looking", isAgain: false, knownMs: null }

const ended = (until: number, isCrowded = false): Ended => ({ _tag: "ended", until, isCrowded })

/** Before anything was asked. */
export const begin = (question: Question): TradeWalk => ({
  question,
  phase: isRange(question.start, question.end) ? { ...looking, from: question.start } : ended(question.start),
  parts: [],
  trades: 0,
  bars: 0,
  lastBar: -Infinity
})

/** Where looking for a first trade ends. */
const lookEnd = ({ end, interval, limits, start }: Question): number =>
  Math.min(end, Math.max(start + interval.lengthMs, alignDown(interval, start + limits.windowMs * limits.windowsMax)))

/** Where the next look ends: halfway to a trade that is known, so that what is before it fits into an answer. */
const lookUntil = ({ from, knownMs }: Looking, question: Question): number => {
  const { windowMs } = question.limits
  if (knownMs === null) return Math.min(from + windowMs, lookEnd(question))
  return from + Math.min(windowMs, Math.max(1, Math.ceil((knownMs + 1 - from) / 2)))
}

/** The next request; none when the walk has ended. */
export const next = ({ phase, question }: TradeWalk): TradeQuery | undefined => {
  if (phase._tag === "ended") return undefined
  if (phase._tag === "walking") return { fromId: phase.nextId }
  return { from: phase.from, until: lookUntil(phase, question) }
}

const afterLook = ({ question }: TradeWalk, phase: Looking, given: NumberedTrades): TradeWalk["phase"] => {
  const { limits, start } = question
  const at = given.eventTimeMs.findIndex((time) => !isRange(time, start))
  if (at >= 0) {
    const [nextId, back] = [Math.max(0, given.id[at]! - 1), limits.tradesPerRequest]
    return { _tag: "walking", nextId, knownMs: phase.knownMs, back, reachedMs: null, ends: 0 }
  }
  const until = lookUntil(phase, question)
  if (isRange(until, phase.knownMs === null ? lookEnd(question) : phase.knownMs + 1)) return { ...phase, from: until }
  // where a trade was known and is not found, an answer was wrong: from the begin then
  if (phase.knownMs !== null) return { ...looking, from: start }
  return phase.isAgain ? ended(until) : { ...looking, from: start, isAgain: true }
}

/** Where to begin once more, since a trade of the range is before the one found. */
const lookCloser = ({ question: { start } }: TradeWalk, phase: Walking, first: number, isGap: boolean) => {
  const isCloser = phase.knownMs === null || isRange(first, phase.knownMs)
  if (!isGap && isCloser) return { ...looking, from: start, knownMs: first }
  // numbers that nobody has, or more trades of one millisecond than fit into an answer: by number then
  return { ...phase, nextId: Math.max(0, phase.nextId - phase.back), back: phase.back * backGrowth, ends: 0 }
}

/** The trades of the range. */
const within = ({ end, start }: Question, given: NumberedTrades): NumberedTrades => {
  const isWithin = (_: number, row: number): boolean =>
    given.count[row]! > 0 && !isRange(given.eventTimeMs[row]!, start) && isRange(given.eventTimeMs[row]!, end)
  return {
    eventTimeMs: given.eventTimeMs.filter(isWithin),
    id: given.id.filter(isWithin),
    price: given.price.filter(isWithin),
    amount: given.amount.filter(isWithin),
    count: given.count.filter(isWithin)
  }
}

const withTrades = (walk: TradeWalk, given: NumberedTrades): TradeWalk => {
  const part = within(walk.question, given)
  let { bars, lastBar } = walk
  for (const time of part.eventTimeMs) {
    const bar = alignDown(walk.question.interval, time)
    if (bar !== lastBar) bars += 1
    lastBar = bar
  }
  return { ...walk, parts: [...walk.parts, part], trades: walk.trades + part.id.length, bars, lastBar }
}

const closedAt = ({ end, interval, start }: Question, reachedMs: number): number =>
  Math.max(start, Math.min(end, alignDown(interval, reachedMs)))

/** The phase behind an answer that goes on where the walk was, with the bars before `closedBefore` whole. */
const afterStep = ({ bars, question, trades }: TradeWalk, phase: Walking, closedBefore: number): TradeWalk["phase"] => {
  const { end, limits, start } = question
  const { ends, reachedMs } = phase
  // a trade that was found by time, and that by number nobody has, proves nothing
  if (ends >= endsMeant) return ended(reachedMs === null ? start : end)
  if (reachedMs === null) return phase
  if (!isRange(reachedMs, end)) return ended(end)
  const closed = closedAt(question, reachedMs)
  if (closed === start) return trades >= limits.tradesPerBarMax ? ended(start, true) : phase
  // what has come of the bar behind is asked for again: better little of it
  const isFull = trades >= limits.tradesMax && (closed > closedBefore || trades >= 2 * limits.tradesMax)
  return isFull || bars > limits.barsMax ? ended(closed) : phase
}

/** Up to where all trades have come: bars before are whole, and where there is none nothing was traded. */
export const wholeUntil = ({ phase, question }: TradeWalk): number => {
  const { interval, start } = question
  if (phase._tag === "ended") return phase.until
  if (phase._tag === "looking") return phase.isAgain ? Math.max(start, alignDown(interval, phase.from)) : start
  return phase.reachedMs === null ? start : closedAt(question, phase.reachedMs)
}

const step = (walk: TradeWalk, phase: Walking, given: NumberedTrades): TradeWalk => {
  const { limits, start } = walk.question
  const [first, last] = [given.eventTimeMs[0], given.eventTimeMs.at(-1)]
  const isBegun = phase.reachedMs !== null || phase.nextId === 0
  const closed = wholeUntil(walk)
  if (first === undefined || last === undefined) {
    return { ...walk, phase: afterStep(walk, { ...phase, ends: phase.ends + 1 }, closed) }
  }
  if (!isBegun && !isRange(first, start)) {
    return { ...walk, phase: lookCloser(walk, phase, first, given.id[0] !== phase.nextId) }
  }
  const further = withTrades(walk, given)
  const ends = given.id.length < limits.tradesPerRequest ? 1 : 0
  const next = { ...phase, nextId: given.id.at(-1)! + 1, reachedMs: last, ends }
  return { ...further, phase: afterStep(further, next, closed) }
}

const behind = ({ amount, count, eventTimeMs, id, price }: NumberedTrades, row: number): NumberedTrades => ({
  eventTimeMs: eventTimeMs.subarray(row),
  id: id.subarray(row),
  price: price.subarray(row),
  amount: amount.subarray(row),
  count: count.subarray(row)
})

/** The walk with what its request brought. Trades before the number that was asked for are no answer to it. */
export const take = (walk: TradeWalk, given: NumberedTrades): TradeWalk => {
  const { phase } = walk
  if (phase._tag === "ended") return walk
  if (phase._tag === "looking") return { ...walk, phase: afterLook(walk, phase, given) }
  const row = given.id.findIndex((id) => id >= phase.nextId)
  return step(walk, phase, behind(given, row < 0 ? given.id.length : row))
}

/** Whether the first bar has more trades than can be taken at once. */
export const isCrowded = ({ phase }: TradeWalk): boolean => phase._tag === "ended" && phase.isCrowded
