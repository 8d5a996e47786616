/**
 * Which stretches is a source asked about, so that what is wanted takes the fewest requests?
 *
 * Pure. Two stretches with little between them are asked for as one, and what is between them is filled along: but only
 * where nobody has it, it may be asked for, and the one stretch takes no page more than the two. Covered time is never
 * asked for again, so it always parts them.
 */
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** What must be known of the source. */
export interface Paging {
  readonly intervalMs: number
  readonly barsPerRequest: number
  /** The most bars between two stretches that are asked along. */
  readonly joinGapsBars: number
}

const barsIn = ([start, end]: Range, { intervalMs }: Paging): number => (end - start) / intervalMs

/** Pages that a source with a bar at each time takes for the stretch. */
export const pagesFor = (stretch: Range, paging: Paging): number =>
  Math.ceil(barsIn(stretch, paging) / paging.barsPerRequest)

/** The stretches of `wanted`, joined over parts of `askable`, which is time that may be asked along. */
export const planStretches = (
  wanted: RangeSet.RangeSet,
  askable: RangeSet.RangeSet,
  paging: Paging
): RangeSet.RangeSet => {
  const stretches: Array<Range> = []
  for (const next of toPairs(wanted)) {
    const last = stretches.at(-1)
    if (last === undefined) {
      stretches.push(next)
      continue
    }
    const gap: Range = [last[1], next[0]]
    const both: Range = [last[0], next[1]]
    const isWorthIt =
      barsIn(gap, paging) <= paging.joinGapsBars &&
      RangeSet.contains(askable, RangeSet.of(...gap)) &&
      pagesFor(both, paging) <= pagesFor(last, paging) + pagesFor(next, paging)
    if (isWorthIt) stretches[stretches.length - 1] = both
    else stretches.push(next)
  }
  return RangeSet.make(stretches)
}
