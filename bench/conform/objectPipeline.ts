/**
 * What does the same work cost with an object for each row?
 *
 * The plain way: rows as objects, and each step an array method. It does what the columnar steps do to bars, no more.
 */
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { TypedRows } from "./marketRows.ts"

/** One bar. */
export interface BarRow {
  readonly eventTime: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly flags: number
}

const values = ["open", "high", "low", "close", "volume"] as const

const isSame = (a: BarRow, b: BarRow): boolean => values.every((name) => Object.is(a[name], b[name]))

const toObjects = ({ columns, eventTime }: TypedRows): ReadonlyArray<BarRow> => {
  const [open, high, low, close, volume] = columns.map((column) => column.values)
  return Array.from(eventTime, (timeMs, row) => ({
    eventTime: timeMs,
    open: open![row]!,
    high: high![row]!,
    low: low![row]!,
    close: close![row]!,
    volume: volume![row]!,
    flags: RowFlag.backfilled
  }))
}

/** The bars in order, one a time. */
export const conformObjects = (rows: TypedRows, interval: Interval): ReadonlyArray<BarRow> => {
  let highest = -Infinity
  const marked = toObjects(rows)
    .filter((row) => Number.isFinite(row.eventTime))
    .map((row) => ({ ...row, eventTime: alignDown(interval, row.eventTime) }))
    .map((row) => {
      const isLate = row.eventTime < highest
      highest = Math.max(highest, row.eventTime)
      return isLate ? { ...row, flags: row.flags | RowFlag.outOfOrder } : row
    })
  const kept = new Map<number, BarRow>()
  for (const row of marked) {
    const before = kept.get(row.eventTime)
    if (before === undefined) kept.set(row.eventTime, row)
    else if (!isSame(before, row)) kept.set(row.eventTime, { ...row, flags: row.flags | RowFlag.duplicate })
  }
  return Array.from(kept.values()).toSorted((a, b) => a.eventTime - b.eventTime)
}
