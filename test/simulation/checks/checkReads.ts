/**
 * Is every answer true, and whole as far as it says so?
 *
 * A bar that came was asked for and is the market's; a bar of covered time that did not come was never traded; covered
 * and missing time are the range; nothing is unavailable but what the source does not have; and whoever has seen a
 * version is not answered with an older one. (Invariant 5)
 */
import type { HistoryFrame } from "../../../client/HistoryFrame.ts"
import type { HistoryResult } from "../../../client/HistoryResult.ts"
import { reservedColumns } from "../../../protocol/frame/DataSchema.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { includes, isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import * as Callers from "../Callers.ts"
import type { Operation } from "../History.ts"
import * as Market from "../Market.ts"
import * as SimulatedSource from "../SimulatedSource.ts"
import { saidBy, timeOf, wholeWindows } from "./words.ts"

/** An answer to a read, and what it was asked. */
export interface Answer {
  readonly node: string
  readonly range: Range
  readonly minVersion: number
  readonly result: HistoryResult | HistoryFrame
}

const isAnswer = (answer: unknown): answer is Answer =>
  typeof answer === "object" && answer !== null && "result" in answer && "node" in answer

/** Bars of one series that came, and of what. */
interface Came {
  readonly series: number
  readonly range: Range
  readonly covered: RangeSet.RangeSet
  readonly df: HistoryFrame
  readonly words: WordsOn
}

/** What a source may have said of a bar, given what it says in the end. */
type WordsOn = (close: number, timeMs: number) => ReadonlyArray<number>

const checkBars = (name: string, { covered, df, range, series, words }: Came): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const { close } = df.columns
  const times = df.columns[reservedColumns.eventTime] ?? []
  const asked = RangeSet.of(...range)
  const came = new Set<number>()
  let last = -Infinity
  for (let row = 0; row < df.length; row++) {
    const time = Number(times[row])
    came.add(time)
    if (time <= last) problems.push(`${name}: bar ${time} after ${last}`)
    last = time
    if (!includes(asked, time)) problems.push(`${name}: bar ${time} was not asked for`)
    if (!Market.isTraded(series, time)) problems.push(`${name}: bar ${time} was never traded`)
    else if (!words(Market.closeOf(series, time), time).includes(Number(close?.[row])))
      problems.push(`${name}: bar ${time} is not the market's`)
  }
  for (let time = range[0]; time < range[1]; time += Market.barMs) {
    if (came.has(time)) continue
    if (includes(covered, time) && Market.isTraded(series, time)) {
      problems.push(`${name}: bar ${time} is covered, was traded, and did not come`)
    }
  }
  return problems
}

const checkAnswer = (
  name: string,
  { minVersion, node, range, result }: Answer,
  { skipped, words }: { readonly skipped: RangeSet.RangeSet; readonly words: WordsOn }
): ReadonlyArray<string> => {
  if (!("meta" in result)) return [`${name}: no account of the answer`]
  const { df, meta } = result
  const series = Callers.nodes.indexOf(node)
  const covered = RangeSet.intersect(RangeSet.make(meta.coverageRanges), RangeSet.of(...range))
  const problems = [...checkBars(name, { series, covered, df, range, words })]
  const missing = RangeSet.make(meta.missingRanges.map(({ end, start }): Range => [start, end]))
  const unaccounted = RangeSet.subtract(RangeSet.of(...range), RangeSet.union(covered, missing))
  if (!isEmpty(unaccounted)) problems.push(`${name}: time that is neither covered nor missing`)
  if (!isEmpty(RangeSet.intersect(covered, missing))) problems.push(`${name}: time that is covered and missing`)
  const never = RangeSet.make(
    meta.missingRanges.flatMap(({ end, start, state }) => (state === "unavailable" ? [[start, end] as const] : []))
  )
  const had = RangeSet.subtract(RangeSet.clip(never, SimulatedSource.beginsAtMs(series), Infinity), skipped)
  if (!isEmpty(had)) problems.push(`${name}: time that the source has and that is called unavailable`)
  if (meta.coverageVersion < minVersion) {
    problems.push(`${name}: version ${meta.coverageVersion} for who has seen ${minVersion}`)
  }
  return problems
}

/** What a read was answered; undefined for anything else. */
export const answerOf = ({ answer }: Operation): Answer | undefined => (isAnswer(answer) ? answer : undefined)

const isOwed = (state: string): boolean => state !== "unavailable" && state !== "quarantined"

/**
 * Whether all is there at the end, but for what a source has refused, which is tried again later and later, and what
 * waits for a person. With a budget that is too small for it something may be still to come.
 */
export const checkLast = (operations: ReadonlyArray<Operation>, isScarce = false): ReadonlyArray<string> =>
  operations
    .filter(({ id }) => id.startsWith("last"))
    .flatMap(({ about, answer, outcome }) => {
      if (outcome !== "ok") return [`at the end, ${about} gives ${outcome}`]
      if (!isAnswer(answer) || !("meta" in answer.result)) return []
      return answer.result.meta.missingRanges
        .filter(({ reason, state }) => !isScarce && isOwed(state) && !/refuse|failed|exchange/.test(reason))
        .map(({ end, reason, start, state }) => `at the end, ${about} lacks ${start}..${end}: ${state}, ${reason}`)
    })

/** Time of whole windows that operators have skipped by then. */
const skippedBy = (operations: ReadonlyArray<Operation>, node: string, atMs: number): RangeSet.RangeSet =>
  wholeWindows(timeOf(saidBy(operations, { verbs: ["skip"], node, atMs })))

/** What answers said that is not so; a bar that was restated may be read as it was before. */
export const checkReads = (operations: ReadonlyArray<Operation>, restated?: Market.Restated): ReadonlyArray<string> => {
  const words: WordsOn = (close, timeMs) => (timeMs === restated?.bar ? [close, Market.firstWordOf(close)] : [close])
  return operations.flatMap(({ about, answer, completedAtMs, id }) => {
    if (!isAnswer(answer)) return []
    const skipped = skippedBy(operations, answer.node, completedAtMs)
    return checkAnswer(`read ${id} of ${about}`, answer, { skipped, words })
  })
}
