/**
 * When is a source's answer about a stretch of time complete, and what does it prove?
 *
 * Pure. Pages are asked for from behind the last bar until the stretch's end is reached or nothing more comes. A bar
 * proves its own time. An absence proves that nothing was traded only between two bars, and only when it is not longer
 * than the source's `maxEmptyBars`, or where the source knows that it has all of the time; so a stretch that begins or
 * ends with an absence is looked at a little beyond its edge, but never into time that is covered: what was proven
 * there ends with a bar, or was proven by one.
 */
import { isRange, type Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
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
  readonly lookedBefore: boolean
  /** Whether a request for all of the rest came back with less than a full page. */
  readonly reachedEnd: boolean
  readonly emptyPages: number
  /** Whether a page went beyond the stretch: nothing of it is left out then. */
  readonly seenBehind: boolean
  /** Time of which the source has all that there was. */
  readonly whole: RangeSet.RangeSet
}

/** A request to send, and which question it answers. */
export interface Request {
  readonly about: "stretch" | "before"
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
  lookedBefore: false,
  reachedEnd: false,
  emptyPages: 0,
  seenBehind: false,
  whole: RangeSet.empty
})

/** The answer under the question as it is by now: time beside the stretch may have been covered since it was put. */
export const reconsidered = (answer: Answer, question: Question): Answer => ({
  ...answer,
  question,
  before: answer.before ?? (question.coveredBefore ? question.start : null),
  behind: answer.behind ?? (question.coveredBehind ? question.end : null)
})

/** Whether a request looks beyond the stretch, at time that others may be filling. */
export const isLook = ({ question }: Answer, { about, end }: Request): boolean =>
  about === "before" || isRange(question.end, end)

const emptyMsMax = ({ intervalMs, maxEmptyBars }: Question): number => intervalMs * maxEmptyBars

const isStretchDone = ({ cursor, emptyPages, question, seenBehind }: Answer): boolean =>
  !isRange(cursor, question.end) || seenBehind || emptyPages >= emptyPagesMeant

/** A look before the stretch, where its first bars are absent and a bar right before it would prove that absence. */
const lookBefore = (answer: Answer): Request | undefined => {
  const { bars, before, lookedBefore, question } = answer
  const first = bars[0] ?? (isStretchDone(answer) ? (answer.behind ?? undefined) : undefined)
  if (before !== null || lookedBefore || first === undefined || first === question.start) return undefined
  if (first - question.start > emptyMsMax(question)) return undefined
  const start = Math.max(question.lookFrom, first - emptyMsMax(question) - question.intervalMs)
  return isRange(start, question.start) ? { about: "before", start, end: question.start } : undefined
}

/** The rest once more, from behind the last bar; and beyond its end, where a bar there would prove the rest empty. */
const lookAgain = ({ behind, cursor, question }: Answer): Request => {
  const provable = question.end - cursor <= emptyMsMax(question) && behind === null
  const until = Math.min(question.lookUntil, cursor + emptyMsMax(question) + question.intervalMs)
  return { about: "stretch", start: cursor, end: provable ? Math.max(question.end, until) : question.end }
}

/** The next request; none when the answer is complete. */
export const nextRequest = (answer: Answer): Request | undefined => {
  const { cursor, question, reachedEnd } = answer
  const look = lookBefore(answer)
  if (look !== undefined) return look
  if (isStretchDone(answer)) return undefined
  if (!reachedEnd) return { about: "stretch", start: cursor, end: question.end }
  return lookAgain(answer)
}

/** The answer with the bars that a request brought, ascending. */
export const take = (
  answer: Answer,
  request: Request,
  bars: ReadonlyArray<number>,
  whole: RangeSet.RangeSet = RangeSet.empty
): Answer => {
  const { question } = answer
  if (request.about === "before") {
    const last = bars.at(-1)
    const open = question.coveredBeforeLook && request.start === question.lookFrom ? question.lookFrom : null
    return { ...answer, lookedBefore: true, before: last === undefined ? open : last + question.intervalMs }
  }
  const inside = bars.filter((time) => isRange(time, question.end))
  const last = inside.at(-1)
  const next = bars[inside.length]
  const nothing = bars.length === 0 ? answer.emptyPages + 1 : 0
  const lastSeen = bars.at(-1)
  const seenUntil = lastSeen === undefined ? request.end : lastSeen + question.intervalMs
  const open =
    question.coveredBehindLook && request.end === question.lookUntil && nothing >= emptyPagesMeant
      ? question.lookUntil
      : null
  return {
    ...answer,
    seenBehind: next !== undefined,
    bars: [...answer.bars, ...inside],
    cursor: last === undefined ? answer.cursor : last + question.intervalMs,
    behind: answer.behind ?? next ?? open,
    reachedEnd: bars.length < question.barsPerRequest && !isRange(request.end, question.end),
    emptyPages: nothing,
    // what lies behind the page's last bar comes with the next page, from files that may be others by then
    whole: RangeSet.union(answer.whole, RangeSet.clip(whole, request.start, seenUntil))
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
    // joined to the bar before, unless the absence between them is too long to mean a lack of trades
    const joined = from !== null && bar - from <= emptyMsMax(question)
    pairs.push([joined ? Math.max(start, from ?? start) : bar, bar + intervalMs])
    from = bar + intervalMs
  }
  // what is behind the last bar is open until nothing more comes
  if (
    nextRequest(answer) === undefined &&
    from !== null &&
    behind !== null &&
    isRange(cursor, end) &&
    behind - from <= emptyMsMax(question)
  ) {
    pairs.push([Math.max(start, from), end])
  }
  const seen = RangeSet.of(start, nextRequest(answer) === undefined ? end : Math.min(cursor, end))
  return RangeSet.union(RangeSet.make(pairs), RangeSet.intersect(answer.whole, seen))
}
