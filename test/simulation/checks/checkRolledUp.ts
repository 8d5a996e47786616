/**
 * Is a bar that is rolled up what its finer bars say, also when these have changed?
 *
 * Whenever it is read it is made of all that was traded in its time; in the end it is made of the finer bars as they
 * stand, and none is missing whose finer bars are there.
 */
import { reservedColumns } from "../../../protocol/frame/DataSchema.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { HistoryResult } from "../../../client/HistoryResult.ts"
import * as Callers from "../Callers.ts"
import type { Operation } from "../History.ts"
import * as Market from "../Market.ts"
import * as RolledUp from "../RolledUp.ts"
import type { RunRecord } from "../RunRecord.ts"
import * as SimulatedSource from "../SimulatedSource.ts"
import { answerOf } from "./checkReads.ts"

/** The columns of a bar. */
const names = ["open", "high", "low", "close", "volume"] as const
type Bar = ReadonlyArray<number>

type CloseOf = (timeMs: number) => number | undefined

/** The bar that begins there, of the closing prices of what was traded; undefined where nothing was. */
const barOf = (startMs: number, closeOf: CloseOf): Bar | undefined => {
  const closes: Array<number> = []
  for (let time = startMs; time < startMs + RolledUp.barMs; time += Market.barMs) {
    const close = closeOf(time)
    if (close !== undefined) closes.push(close)
  }
  if (closes.length === 0) return undefined
  const sum = closes.reduce((total, close) => total + close, 0)
  return [closes[0]! - 1, Math.max(...closes) + 2, Math.min(...closes) - 2, closes.at(-1)!, sum / 10]
}

const rowsOf = ({ df: { columns } }: HistoryResult): ReadonlyMap<number, Bar> =>
  new Map(
    Array.from(columns[reservedColumns.eventTime] ?? [], Number).map((time, row) => [
      time,
      names.map((name) => Number(columns[name]?.[row]))
    ])
  )

const textOf = (bar: Bar | undefined): string => bar?.join(" ") ?? "none"

const startsIn = (set: RangeSet.RangeSet, [start, end]: Range): ReadonlyArray<number> =>
  Array.from({ length: (end - start) / RolledUp.barMs }, (_, bar) => start + bar * RolledUp.barMs).filter((time) =>
    RangeSet.contains(set, RangeSet.of(time, time + RolledUp.barMs))
  )

const coveredBy = ({ meta }: HistoryResult): RangeSet.RangeSet => RangeSet.make(meta.coverageRanges)

/** What the market may have said of a bar: with the first word on one that was restated, and with the last. */
const marketsBars = (series: number, startMs: number, restated: Market.Restated | undefined) => {
  const last: CloseOf = (time) =>
    time >= SimulatedSource.beginsAtMs(series) && Market.isTraded(series, time)
      ? Market.closeOf(series, time)
      : undefined
  const first: CloseOf = (time) => {
    const close = last(time)
    return close !== undefined && time === restated?.bar ? Market.firstWordOf(close) : close
  }
  return [barOf(startMs, last), barOf(startMs, first)].map(textOf)
}

const checkAnswer = (
  name: string,
  { range, rolledUp, series }: NonNullable<ReturnType<typeof RolledUp.answerOf>>,
  restated: Market.Restated | undefined
): ReadonlyArray<string> => {
  const rows = rowsOf(rolledUp)
  const covered = startsIn(coveredBy(rolledUp), range)
  const foreign = Array.from(rows.keys()).filter((time) => !covered.includes(time))
  return [
    ...foreign.map((time) => `${name}: bar ${time} came and is not covered`),
    ...covered.flatMap((time) => {
      const came = textOf(rows.get(time))
      return marketsBars(series, time, restated).includes(came)
        ? []
        : [`${name}: bar ${time} is ${came}, which its finer bars never said`]
    })
  ]
}

/** How long before it is read nothing has changed below, where it must have been heard of above. */
const heardWithinMs = 4000

/** Why a bar may be missing whose finer bars are there: its window waits for a person, or for its next try. */
const excuses = /refuse|failed|exchange/
const isExcused = (state: string, reason: string): boolean =>
  state === "unavailable" || state === "quarantined" || excuses.test(reason)

/** Bars that are not made of the finer ones as they stand in the end, or not there though these are. */
const checkEnd = (operations: ReadonlyArray<Operation>, run: RunRecord, isScarce: boolean): ReadonlyArray<string> => {
  const operation = operations.find(({ id }) => id === "rolledUpLast")
  if (operation === undefined) return []
  const above = RolledUp.answerOf(operation)
  if (above === undefined) return [`at the end, ${operation.about} gives ${operation.outcome}`]
  const node = Callers.nodes[above.series]!
  const below = operations.findLast((each) => each.id.startsWith("last") && answerOf(each)?.node === node)
  const finer = below && answerOf(below)
  if (below === undefined || finer === undefined || !("meta" in finer.result)) return []
  const sinceMs = Math.min(below.invokedAtMs, operation.invokedAtMs - heardWithinMs)
  const hasChanged = run.roots.some(
    (root) => root.node === node && root.atMs >= sinceMs && root.atMs <= operation.completedAtMs
  )
  if (hasChanged) return []
  const minutes = rowsOf(finer.result)
  const rows = rowsOf(above.rolledUp)
  const covered = coveredBy(above.rolledUp)
  const missing = above.rolledUp.meta.missingRanges
  return startsIn(coveredBy(finer.result), above.range).flatMap((time) => {
    const of = RangeSet.of(time, time + RolledUp.barMs)
    if (!RangeSet.contains(covered, of)) {
      const why = missing.find(({ end, start }) => start <= time && time < end)
      return isScarce || (why !== undefined && isExcused(why.state, why.reason))
        ? []
        : [`at the end, ${operation.about} lacks bar ${time}: ${why?.state}, ${why?.reason}`]
    }
    const [came, is] = [textOf(rows.get(time)), textOf(barOf(time, (minute) => minutes.get(minute)?.[3]))]
    return came === is ? [] : [`at the end, ${operation.about} has ${came} for bar ${time}, whose finer bars say ${is}`]
  })
}

/** Bars that are not what the finer ones say. */
export const checkRolledUp = (
  operations: ReadonlyArray<Operation>,
  run: RunRecord,
  { isScarce, restated }: { readonly isScarce: boolean; readonly restated?: Market.Restated | undefined }
): ReadonlyArray<string> => [
  ...operations.flatMap((operation) => {
    const answer = RolledUp.answerOf(operation)
    return answer === undefined ? [] : checkAnswer(`read ${operation.id} of ${operation.about}`, answer, restated)
  }),
  ...checkEnd(operations, run, isScarce)
]
