/**
 * Which bars of two frames differ, and in what?
 *
 * Pure. Bars are the same where every column has the same value, as JSON tells it; a column that only one of them has
 * is missing in the other. Lineage and flags are no values.
 */
import { reservedColumns } from "../../protocol/frame/DataSchema.ts"
import { type JsonColumns, toJson } from "../../protocol/frame/FrameJson.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { BarChange, ToldValue } from "../../protocol/history/BarChange.ts"

const reserved = new Set<string>(Object.values(reservedColumns))

/** The bars of a frame, one after another. */
interface Bars {
  readonly columns: JsonColumns
  row: number
}

const valueAt = ({ columns, row }: Bars, name: string): ToldValue => columns[name]?.[row] ?? null

const valuesAt = (bars: Bars, names: ReadonlyArray<string>): Record<string, ToldValue> =>
  Object.fromEntries(names.map((name) => [name, valueAt(bars, name)]))

/** The bars of two sealed frames that differ, in the order of time. */
export const diffFrames = (before: Frame, after: Frame): ReadonlyArray<BarChange> => {
  const [old, now]: readonly [Bars, Bars] = [
    { columns: toJson(before), row: 0 },
    { columns: toJson(after), row: 0 }
  ]
  const names = Array.from(new Set([...Object.keys(now.columns), ...Object.keys(old.columns)])).filter(
    (name) => !reserved.has(name)
  )
  const changes: Array<BarChange> = []
  while (old.row < before.eventTimeMs.length || now.row < after.eventTimeMs.length) {
    const oldTime = before.eventTimeMs[old.row] ?? Infinity
    const newTime = after.eventTimeMs[now.row] ?? Infinity
    const eventTime = Math.min(oldTime, newTime)
    const isBoth = oldTime === newTime
    const told = isBoth ? names.filter((name) => valueAt(old, name) !== valueAt(now, name)) : names
    if (told.length > 0) {
      changes.push({
        eventTime,
        before: oldTime === eventTime ? valuesAt(old, told) : null,
        after: newTime === eventTime ? valuesAt(now, told) : null
      })
    }
    if (oldTime === eventTime) old.row += 1
    if (newTime === eventTime) now.row += 1
  }
  return changes
}
