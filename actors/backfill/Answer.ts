/**
 * When is a source's answer about a stretch of time complete, and what does it prove?
 *
 * Pure. Pages are asked for from behind the last bar until the stretch's end is reached or nothing more comes. A bar
 * proves its own time. An absence proves that nothing was traded only between two bars, and only when it is not longer
 * than the source's `maxEmptyBars` and goes over no seam, or where the source knows that it has all of the time; so a
 * stretch that begins or ends with an absence is looked at a little beyond its edge, unless the source has that absence
 * whole, but never into time that is covered: what was proven there ends with a bar, or was proven by one. Time in
 * which the market is closed counts for nothing in an absence, and is proven by itself once it has been answered.
 *
 * Where stored time is asked about once more, an absence would take bars back. It is proven between two bars of this
 * answer alone, or where the source knows that it has all: what stands beside the stretch, and that a market is closed,
 * says nothing of what the source has now. An absence that is short for no other reason than that the market was closed
 * proves its open time.
 */
import { isRange, type Range } from "../../protocol/history/Range.ts"
import { at, isEmpty, size } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { openBefore, openBehind, openMs } from "./openTime.ts"
import type { Question } from "./Question.ts"

/** What has come so far. */
export interface Answer {
  readonly question: Question
  /** Everything before this has been answered. */
  readonly cursor: number
  /** The bars of the stretch, ascending. */
  readonly bars: ReadonlyArray<number>
  /** Where the absence before the first bar is counted from; null where nobody knows. */
  readonly before: number | null
  /** The first bar behind the stretch, or its end where that is covered; null where nobody knows. */
  readonly behind: number | null
  /** From where on before the stretch, and up to where behind it, was looked for a bar. */
  readonly lookedFrom: number
  readonly lookedUntil: number
  /** Whether a request for all of the rest came back with less than a full page. */
  readonly reachedEnd: boolean
  readonly emptyPages: number
  /** Whether a page went beyond the stretch: nothing of it is left out then. */
  readonly seenBehind: boolean
  /** Time of which the source has all that there was. */
  readonly whole: RangeSet.RangeSet
  /** Time over which an absence says nothing. */
  readonly seams: ReadonlyArray<Range>
}

/** A request to send, and which question it answers. */
export interface Request {
  readonly about: "stretch" | "before" | "behind"
  readonly start: number
  readonly end: number
}

/** One empty page may be a fault of the source: this many in a row are its word. */
const emptyPagesMeant = 2

/** Before anything was asked. */
export const begin = (question: Question): Answer => ({
  question,
  cursor: question.start,
  bars: [],
  before: question.coveredBefore ? question.start : null,
  behind: question.coveredBehind ? question.end : null,
  lookedFrom: question.start,
  lookedUntil: question.end,
  reachedEnd: false,
  emptyPages: 0,
  seenBehind: false,
  whole: RangeSet.empty,
  seams: []
})

/** The answer with what is known of where the source's parts meet. */
export const overSeams = (answer: Answer, seams: ReadonlyArray<Range>): Answer =>
  seams.length === 0 ? answer : { ...answer, seams: [...answer.seams, ...seams] }

/** The answer under the question as it is by now: time beside the stretch may have been covered since it was put. */
export const reconsidered = (answer: Answer, question: Question): Answer => ({
  ...answer,
  question,
  before: answer.before ?? (question.coveredBefore ? question.start : null),
  behind: answer.behind ?? (question.coveredBehind ? question.end : null)
})

/** Whether a request looks beyond the stretch, at time that others may be filling. */
export const isLook = ({ question }: Answer, { about, end }: Request): boolean =>
  about !== "stretch" || isRange(question.end, end)

const emptyMsMax = ({ intervalMs, maxEmptyBars }: Question): number => intervalMs * maxEmptyBars

/** How long an absence in `[from, until)` may be to mean a lack of trades: one that goes over a seam means nothing. */
const quietMsMax = ({ question, seams }: Answer, from: number, until: number): number =>
  seams.some(([start, end]) => isRange(start, until) && isRange(from, end)) ? 0 : emptyMsMax(question)

/** Whether nothing but an absence is in `[from, until)` that means a lack of trades. */
const isQuiet = (answer: Answer, from: number, until: number): boolean => {
  const most = quietMsMax(answer, from, until)
  return until - from <= most || openMs(answer.question.closed, from, until) <= most
}

/** Whether the source has said that it has all of `[from, until)`: no bar beside it proves more. */
const isWhole = ({ whole }: Answer, from: number, until: number): boolean =>
  isEmpty(RangeSet.missing(whole, from, until))

/** What an absence between two bars proves; of stored time, what was closed only where all of it is short. */
const emptyIn = (answer: Answer, from: number, until: number): ReadonlyArray<Range> => {
  const { byBarsAlone, closed } = answer.question
  if (!isQuiet(answer, from, until)) return []
  const isShort = !byBarsAlone || until - from <= quietMsMax(answer, from, until)
  return isShort ? [[from, until]] : toPairs(RangeSet.missing(closed, from, until))
}

/**
 * What closed time a look beyond an absence at the stretch's edge passes over: one look after the other, and none where
 * no bar would prove anything of it. Of stored time what was closed is proven by a bar nearby alone, so that one is
 * looked for first.
 */
const looksOver = (question: Question, from: number, until: number): ReadonlyArray<RangeSet.RangeSet> => {
  const { byBarsAlone, closed } = question
  const [open, most] = [openMs(closed, from, until), emptyMsMax(question)]
  const isShort = byBarsAlone && isRange(from, until) && until - from <= most
  return [...(isShort ? [RangeSet.empty] : []), ...(open > 0 && open <= most ? [closed] : [])]
}

const firstWithTime = (sets: ReadonlyArray<RangeSet.RangeSet>): RangeSet.RangeSet =>
  sets.find((set) => !isEmpty(set)) ?? RangeSet.empty

const isStretchDone = ({ cursor, emptyPages, question, seenBehind }: Answer): boolean =>
  !isRange(cursor, question.end) || seenBehind || emptyPages >= emptyPagesMeant

/** A look before the stretch, where its first bars are absent and a bar right before it would prove that absence. */
const lookBefore = (answer: Answer): Request | undefined => {
  const { bars, before, lookedFrom, question } = answer
  const first = bars[0] ?? (isStretchDone(answer) ? (answer.behind ?? undefined) : undefined)
  if (before !== null || first === undefined || isWhole(answer, question.start, first)) return undefined
  const lookMs = emptyMsMax(question) + question.intervalMs
  const left = firstWithTime(
    looksOver(question, question.start, first).map((closed) =>
      RangeSet.clip(question.lookable, openBefore(closed, first, lookMs), lookedFrom)
    )
  )
  const [start, end] = at(left, size(left) - 1)
  return isRange(start, end) ? { about: "before", start, end } : undefined
}

/** What is left to be looked at behind the stretch, where its last bars are absent and a bar there would prove that. */
const leftBehind = ({ behind, cursor, lookedUntil, question }: Answer): RangeSet.RangeSet => {
  if (behind !== null) return RangeSet.empty
  const lookMs = emptyMsMax(question) + question.intervalMs
  return firstWithTime(
    looksOver(question, cursor, question.end).map((closed) =>
      RangeSet.clip(question.lookable, lookedUntil, openBehind(closed, cursor, lookMs))
    )
  )
}

/** A look behind the stretch, and behind closed time that is covered. */
const lookBehind = (answer: Answer): Request | undefined => {
  const [start, end] = at(leftBehind(answer), 0)
  return isRange(start, end) ? { about: "behind", start, end } : undefined
}

/** The rest once more, from behind the last bar; and beyond its end, where a bar there would prove the rest empty. */
const lookAgain = (answer: Answer): Request => {
  const { cursor, question } = answer
  const [start, end] = at(leftBehind(answer), 0)
  return { about: "stretch", start: cursor, end: start === question.end ? end : question.end }
}

/** The next request; none when the answer is complete. */
export const nextRequest = (answer: Answer): Request | undefined => {
  const { cursor, question, reachedEnd } = answer
  const look = lookBefore(answer)
  if (look !== undefined) return look
  if (isStretchDone(answer)) return lookBehind(answer)
  if (!reachedEnd) return { about: "stretch", start: cursor, end: question.end }
  return lookAgain(answer)
}

/** What is known from a look behind the stretch, with the first bar there. */
const lookedBehind = ({ behind, lookedUntil, question }: Answer, { end }: Request, bar: number | undefined) => {
  const open = question.coveredBehindLook && end === question.lookUntil ? question.lookUntil : null
  return { behind: behind ?? bar ?? open, lookedUntil: Math.max(lookedUntil, end) }
}

/**
 * The answer with the bars that a request brought, ascending. Bars before the time that it was about are no answer to
 * it, whatever the source gives: each page brings the answer further, or counts as empty.
 */
export const take = (
  answer: Answer,
  request: Request,
  given: ReadonlyArray<number>,
  whole: RangeSet.RangeSet = RangeSet.empty
): Answer => {
  const { question } = answer
  const bars = given.filter((time) => !isRange(time, request.start))
  if (request.about === "before") {
    const last = bars.findLast((time) => isRange(time, request.end))
    const open = question.coveredBeforeLook && request.start === question.lookFrom ? question.lookFrom : null
    return { ...answer, lookedFrom: request.start, before: last === undefined ? open : last + question.intervalMs }
  }
  if (request.about === "behind") return { ...answer, ...lookedBehind(answer, request, bars[0]) }
  const inside = bars.filter((time) => isRange(time, question.end))
  const last = inside.at(-1)
  const next = bars[inside.length]
  const nothing = bars.length === 0 ? answer.emptyPages + 1 : 0
  const lastSeen = bars.at(-1)
  const seenUntil = lastSeen === undefined ? request.end : lastSeen + question.intervalMs
  return {
    ...answer,
    seenBehind: next !== undefined,
    bars: [...answer.bars, ...inside],
    cursor: last === undefined ? answer.cursor : last + question.intervalMs,
    ...(next !== undefined || nothing >= emptyPagesMeant ? lookedBehind(answer, request, next) : {}),
    reachedEnd: bars.length < question.barsPerRequest && !isRange(request.end, question.end),
    emptyPages: nothing,
    // what lies behind the page's last bar comes with the next page, from files that may be others by then
    whole: RangeSet.union(answer.whole, RangeSet.clip(whole, request.start, seenUntil))
  }
}

/**
 * The answer whose page says up to where it has gone, with bars or without. What it has whole counts up to there, and
 * the next one begins there: a page without bars that has gone on is none that counts as empty.
 */
export const upTo = (answer: Answer, request: Request, until: number, whole: RangeSet.RangeSet): Answer => {
  if (request.about !== "stretch" || !isRange(request.start, until)) return answer
  return {
    ...answer,
    cursor: Math.max(answer.cursor, until),
    reachedEnd: false,
    emptyPages: 0,
    whole: RangeSet.union(answer.whole, RangeSet.clip(whole, request.start, until))
  }
}

/** The time about which the source has said all that it has to say. */
export const answered = (answer: Answer): RangeSet.RangeSet => {
  const { cursor, question } = answer
  // whether the first bars are absent for good is open until the look before the stretch
  if (lookBefore(answer) !== undefined) return RangeSet.empty
  return RangeSet.of(question.start, nextRequest(answer) === undefined ? question.end : cursor)
}

/** What the answer so far proves covered. */
export const proven = (answer: Answer): RangeSet.RangeSet => {
  const { bars, before, behind, cursor, question } = answer
  const { end, intervalMs, start } = question
  const pairs: Array<Range> = []
  let from = before
  for (const bar of bars) {
    if (from !== null && isRange(from, bar)) pairs.push(...emptyIn(answer, from, bar))
    from = bar + intervalMs
    pairs.push([bar, from])
  }
  // what is behind the last bar is open until nothing more comes
  if (nextRequest(answer) === undefined && from !== null && behind !== null && isRange(cursor, end)) {
    pairs.push(...emptyIn(answer, from, behind))
  }
  const seen = RangeSet.of(start, nextRequest(answer) === undefined ? end : Math.min(cursor, end))
  const closed = question.byBarsAlone ? RangeSet.empty : RangeSet.intersect(question.closed, answered(answer))
  return RangeSet.unionAll([
    RangeSet.clip(RangeSet.make(pairs), start, end),
    closed,
    RangeSet.intersect(answer.whole, seen)
  ])
}
