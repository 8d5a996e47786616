/**
 * Which row stands for each event time?
 */
import { type Column, isSameValue } from "../../protocol/frame/Column.ts"
import { isAscending } from "../../protocol/frame/Frame.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import { orderRows } from "./orderRows.ts"

/** One row for each event time, and how many gave way. */
export interface Kept {
  /** The rows kept, by number, ascending in event time; `"all"` where the rows are in that order as they lie. */
  readonly rows: Uint32Array | "all"
  readonly gaveWayCount: number
}

/**
 * Chooses among rows of one event time. Rows with the same values are one, the first of them, and nothing is said of
 * it. Of rows that differ the last given stands, or the last of those with the highest version where a column of
 * versions is named, and is flagged a duplicate. Writes `flags` in place.
 */
export const markDuplicates = (
  { columns, eventTimeMs, flags }: Omit<Frame, "lineage">,
  versionColumn?: string
): Kept => {
  if (isAscending(eventTimeMs)) return { rows: "all", gaveWayCount: 0 }
  const isOlder = versionOrder(columns.find(({ name }) => name === versionColumn))
  const kept = new Uint32Array(eventTimeMs.length)
  let count = 0
  for (const row of orderRows([eventTimeMs])) {
    const last = kept[count - 1]
    if (last === undefined || eventTimeMs[last] !== eventTimeMs[row]) {
      kept[count] = row
      count += 1
    } else if (!isSameRow(columns, last, row)) {
      const standing = isOlder(row, last) ? last : row
      kept[count - 1] = standing
      flags[standing]! |= RowFlag.duplicate
    }
  }
  return { rows: kept.slice(0, count), gaveWayCount: eventTimeMs.length - count }
}

const isSameRow = (columns: ReadonlyArray<Column>, a: number, b: number): boolean =>
  columns.every((column) => isSameValue(column, a, b))

/** Whether a row's version is lower than another's; one that is missing is lower than any. */
const versionOrder = (column: Column | undefined): ((row: number, other: number) => boolean) => {
  if (column?.type === "int64") return (row, other) => column.values[row]! < column.values[other]!
  if (column?.type !== "float64" && column?.type !== "timestamp") return () => false
  const versionOf = (row: number): number => (Number.isNaN(column.values[row]) ? -Infinity : column.values[row]!)
  return (row, other) => versionOf(row) < versionOf(other)
}
