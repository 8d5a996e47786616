/**
 * What becomes of stored rows when their source is asked for them once more?
 *
 * Pure. Where both have the same values the stored row stays, with its flags and its lineage, so that nothing changes
 * where nothing differs. A row with other values takes the place of the stored one and is marked, for good; so is a row
 * that appeared. One that the source does not have any more is gone.
 */
import { isSameValue } from "../../protocol/frame/Column.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import { includes } from "../../protocol/history/RangeMeasure.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"

/** Stored rows after a revision. */
export interface Revision {
  /** All rows as they are from now on. */
  readonly frame: Frame.Frame
  /** Stored rows that are not as they were: those that changed, and those that vanished. */
  readonly before: Frame.Frame
  /** What is there now that was not: those that changed, and those that appeared. */
  readonly after: Frame.Frame
}

/** Names of rows of a frame, as they are found. */
const rowList = (rowsMax: number) => {
  const rows = new Uint32Array(rowsMax)
  let count = 0
  return {
    add: (row: number): number => (rows[count++] = row),
    count: () => count,
    all: () => rows.subarray(0, count)
  }
}

/** Sealed stored rows with what was fetched of these ranges; sealed, too. Rows of other time stay as they are. */
export const mergeRevision = (stored: Frame.Frame, fetched: Frame.Frame, ranges: RangeSet): Revision => {
  const joined = Frame.concat([stored, fetched])
  const { columns, eventTimeMs } = joined
  const [first, total] = [Frame.length(stored), Frame.length(joined)]
  const [order, before, after, marked] = [rowList(total), rowList(total), rowList(total), rowList(total)]
  const isSame = (a: number, b: number): boolean => columns.every((column) => isSameValue(column, a, b))
  const takeFetched = (row: number): void => {
    after.add(row)
    marked.add(order.count())
    order.add(row)
  }
  let [old, fresh] = [0, first]
  while (old < first || fresh < total) {
    const oldMs = old < first ? eventTimeMs[old]! : Infinity
    const freshMs = fresh < total ? eventTimeMs[fresh]! : Infinity
    const isAsked = includes(ranges, Math.min(oldMs, freshMs))
    if (oldMs < freshMs || !isAsked) {
      if (oldMs <= freshMs) (isAsked ? before : order).add(old)
    } else if (oldMs > freshMs) takeFetched(fresh)
    else if (isSame(old, fresh)) order.add(old)
    else {
      before.add(old)
      takeFetched(fresh)
    }
    old += oldMs <= freshMs ? 1 : 0
    fresh += freshMs <= oldMs ? 1 : 0
  }
  const [frame, fetchedRows] = [Frame.pick(joined, order.all()), Frame.pick(joined, after.all())]
  for (const row of marked.all()) frame.flags[row]! |= RowFlag.revised
  return { frame, before: Frame.pick(joined, before.all()), after: fetchedRows }
}
