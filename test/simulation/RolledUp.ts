/**
 * Which series of a run is rolled up from another, and who reads it?
 *
 * In some runs one of the series has bars of five minutes, too, which are made of those of one. They are read now and
 * then while things go wrong, and all of them in the end.
 */
import { Effect } from "effect"
import * as HistoryReader from "../../client/read.ts"
import type { HistoryFrame } from "../../client/HistoryFrame.ts"
import type { HistoryResult } from "../../client/HistoryResult.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { SeriesSettings } from "../../protocol/Settings.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import * as Callers from "./Callers.ts"
import type { History, Operation } from "./History.ts"
import * as Market from "./Market.ts"

/** A series that is rolled up, and when it is read. */
export interface RolledUp {
  /** The number of the series that it is made of. */
  readonly series: number
  readonly reads: ReadonlyArray<{ readonly atMs: number; readonly range: Range }>
}

/** Its interval. */
export const interval = "5m"
/** The length of its bars. */
export const barMs = 5 * Market.barMs
const windowBars = 4

/** All of it that is asked for: whole bars of what is asked for below. */
export const wanted: Range = [
  Math.ceil(Callers.wanted[0] / barMs) * barMs,
  Math.floor(Callers.wanted[1] / barMs) * barMs
]
const bars = (wanted[1] - wanted[0]) / barMs

const share = 0.2
const shareOfRestated = 0.5

/** What of that is so in the run of a seed; more often where a bar changes. Drawn apart from the rest of the run. */
export const draw = (seed: number, isRestated: boolean): RolledUp | undefined => {
  const next = seededNumbers(seed + 0x5_011)
  if (next() >= (isRestated ? shareOfRestated : share)) return undefined
  const pick = (count: number): number => Math.floor(next() * count)
  const series = pick(Callers.nodes.length)
  const reads = Array.from({ length: 2 + pick(4) }, () => {
    const first = pick(bars)
    const start = wanted[0] + first * barMs
    return { atMs: 2000 + next() * 38_000, range: [start, start + (1 + pick(bars - first)) * barMs] as const }
  })
  return { series, reads }
}

/** The series in a configuration. */
export const settingsOf = ({ series }: RolledUp): SeriesSettings => ({
  node: Callers.nodes[series]!,
  intervals: [interval],
  derivedFrom: Callers.interval,
  windowBars
})

/** What was answered to who read it. */
interface Answer {
  readonly series: number
  readonly range: Range
  readonly rolledUp: HistoryResult
}

const isAnswer = (answer: unknown): answer is Answer =>
  typeof answer === "object" && answer !== null && "rolledUp" in answer && "series" in answer

/** What such a read was answered; undefined for anything else. */
export const answerOf = ({ answer }: Operation): Answer | undefined => (isAnswer(answer) ? answer : undefined)

const aRead = (caller: Callers.Caller, series: number, range: Range, budgetMs: number): Callers.Question => {
  const node = Callers.nodes[series]!
  const put = HistoryReader.read(caller.session, [
    node,
    interval,
    ...range,
    { sla: { totalDeadlineMs: budgetMs, onViolation: "partial" } }
  ]).pipe(Effect.map((rolledUp: HistoryResult | HistoryFrame) => ({ series, range, rolledUp })))
  return {
    what: "read",
    about: `${node} ${interval} ${range[0]}..${range[1]}`,
    budgetMs,
    graceMs: Callers.marginMs,
    put: () => put
  }
}

/** Has it read at its times, and all of it at `lastAtMs`. */
export const load = (
  callers: ReadonlyArray<Callers.Caller>,
  history: History,
  given: { readonly rolledUp: RolledUp; readonly lastAtMs: number; readonly lastBudgetMs: number }
): void => {
  const { lastAtMs, lastBudgetMs, rolledUp } = given
  const { reads, series } = rolledUp
  for (const [index, { atMs, range }] of reads.entries()) {
    const caller = callers[index % callers.length]!
    const { world } = caller.process
    world.at(atMs, () => {
      const budgetMs = Callers.choose(world, Callers.budgetsMs)
      Callers.putQuestion(caller, `rolledUp${index}`, aRead(caller, series, range, budgetMs), history)
    })
  }
  const [caller] = callers
  caller!.process.world.at(lastAtMs, () =>
    Callers.putQuestion(caller!, "rolledUpLast", aRead(caller!, series, wanted, lastBudgetMs), history)
  )
}
