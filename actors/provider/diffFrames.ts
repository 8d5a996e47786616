/**
 * Which bars of two frames differ, and in what?
 *
 * Pure. Bars are the same where every column has the same value, as JSON tells it; a column that only one of them has
 * is missing in the other. Lineage and flags are no values.
 */
import { reservedColumns } from "../../protocol/frame/DataSchema.ts"
import { type JsonColumns, toJson } from "../../protocol/frame/FrameJson.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { BarChange } from "../../protocol/history/HistoryDiff.ts"

type Value = JsonColumns[string][number]

const reserved = new Set<string>(Object.values(reservedColumns))

const valuesAt = (columns: JsonColumns, names: ReadonlyArray<string>, row: number): Record<string, Value> =>
  Object.fromEntries(names.map((name) => [name, columns[name]?.[row] ?? null]))

/** What differs between a bar and the one in its place; undefined where nothing does. */
const changeOf = (
  time: number,
  names: ReadonlyArray<string>,
  old: { readonly columns: JsonColumns; readonly row: number },
  now: { readonly columns: JsonColumns; readonly row: number }
): BarChange | undefined => {
  const differing = names.filter(
    (name) => (old.columns[name]?.[old.row] ?? null) !== (now.columns[name]?.[now.row] ?? null)
  )
  if (differing.length === 0) return undefined
  const [before, after] = [valuesAt(old.columns, differing, old.row), valuesAt(now.columns, differing, now.row)]
  return { time, kind: "changed", old: before, new: after }
}

/** The bars of two sealed frames that differ, in the order of time. */
export const diffFrames = (before: Frame, after: Frame): ReadonlyArray<BarChange> => {
  const [old, now] = [toJson(before), toJson(after)]
  const names = Array.from(new Set([...Object.keys(now), ...Object.keys(old)])).filter((name) => !reserved.has(name))
  const changes: Array<BarChange> = []
  let [oldRow, newRow] = [0, 0]
  while (oldRow < before.eventTimeMs.length || newRow < after.eventTimeMs.length) {
    const oldTime = before.eventTimeMs[oldRow] ?? Infinity
    const newTime = after.eventTimeMs[newRow] ?? Infinity
    const time = Math.min(oldTime, newTime)
    if (oldTime === newTime) {
      const change = changeOf(time, names, { columns: old, row: oldRow }, { columns: now, row: newRow })
      if (change !== undefined) changes.push(change)
    } else if (oldTime === time) {
      changes.push({ time, kind: "removed", old: valuesAt(old, names, oldRow), new: null })
    } else {
      changes.push({ time, kind: "added", old: null, new: valuesAt(now, names, newRow) })
    }
    if (oldTime === time) oldRow += 1
    if (newTime === time) newRow += 1
  }
  return changes
}
