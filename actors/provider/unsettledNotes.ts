/** What should a reader know of bars that may still change? */
import { bars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { UnsettledRange } from "../../protocol/history/Unsettled.ts"

/** A note where bars of the answer's covered time are unsettled; none where all have settled. */
export const unsettledNotes = (
  unsettled: ReadonlyArray<UnsettledRange> | undefined,
  covered: RangeSet.RangeSet,
  intervalMs: number
): ReadonlyArray<string> => {
  if (unsettled === undefined) return []
  const here = unsettled.filter(({ end, start }) => !isEmpty(RangeSet.clip(covered, start, end)))
  const time = RangeSet.intersect(RangeSet.make(here.map(({ end, start }) => [start, end] as const)), covered)
  if (isEmpty(time)) return []
  const sources = [...new Set(here.map(({ source }) => source))].join(", ")
  const count = bars(time, intervalMs)
  return [
    `${count} ${count === 1 ? "bar" : "bars"} may still be changed by ${sources}, and will be asked for once more`
  ]
}
