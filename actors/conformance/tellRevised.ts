/** How is it told what revised bars were, and what they are? Pure. */
import { type Column, isSameValue, missing } from "../../protocol/frame/Column.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { type RevisedBar, revisedBarsMax, type ToldValue, toldColumnsMax } from "../../protocol/history/RevisedBar.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Revision } from "./mergeRevision.ts"

/** Rows that are not as they were. */
type Differing = Pick<Revision, "after" | "before">

const toldValue = (column: Column, row: number): ToldValue => {
  switch (column.type) {
    case "float64":
    case "timestamp":
      return Number.isFinite(column.values[row]) ? column.values[row]! : null
    case "int64":
      return column.values[row] === missing.int64 ? null : String(column.values[row])
    case "bool":
      return column.values[row] === missing.bool ? null : column.values[row] === 1
    case "category":
      return column.dictionary[column.values[row]!] ?? null
  }
}

const toldRow = (columns: ReadonlyArray<Column>, row: number): Readonly<Record<string, ToldValue>> =>
  Object.fromEntries(columns.slice(0, toldColumnsMax).map((column) => [column.name, toldValue(column, row)]))

/** The first of the bars that differ, ascending. */
export const tellRevised = ({ after, before }: Differing, source: string): ReadonlyArray<RevisedBar> => {
  const { columns, eventTimeMs } = Frame.concat([before, after])
  const gone = Frame.length(before)
  const bars: Array<RevisedBar> = []
  let [old, fresh] = [0, gone]
  while (bars.length < revisedBarsMax && (old < gone || fresh < eventTimeMs.length)) {
    const oldMs = old < gone ? eventTimeMs[old]! : Infinity
    const freshMs = fresh < eventTimeMs.length ? eventTimeMs[fresh]! : Infinity
    const isBoth = oldMs === freshMs
    const told = isBoth ? columns.filter((column) => !isSameValue(column, old, fresh)) : columns
    bars.push({
      eventTime: Math.min(oldMs, freshMs),
      source,
      before: oldMs <= freshMs ? toldRow(told, old) : null,
      after: freshMs <= oldMs ? toldRow(told, fresh) : null
    })
    old += oldMs <= freshMs ? 1 : 0
    fresh += freshMs <= oldMs ? 1 : 0
  }
  return bars
}

/** The time of all bars that differ. */
export const timeOfRevised = ({ after, before }: Differing, intervalMs: number): RangeSet.RangeSet =>
  RangeSet.make(
    [before, after].flatMap(({ eventTimeMs }) =>
      Array.from(eventTimeMs, (start) => [start, start + intervalMs] as const)
    )
  )
