/**
 * Is each missing range fetched once, however many ask? (Invariant 12)
 *
 * A source is never asked about time that has been covered, or set aside for a person, for longer than a lease and the
 * way to hear of it, but for a look right beside what is missing.
 */
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import type { RootWritten, RunRecord } from "../RunRecord.ts"

/** A worker that was frozen for longer than its lease asks for nothing new that was covered before then. */
const knownAfterMs = 12_000

/** What of a series need not be asked for by a root: it is covered for good, or an operator has it left alone. */
const settledBy = ({ root: { covered, exceptions, unsettled = [] } }: RootWritten): RangeSet.RangeSet => {
  const known = RangeSet.make([
    ...covered,
    ...exceptions.flatMap(({ end, start, state }): ReadonlyArray<Range> =>
      state === "unavailable" || state === "quarantined" ? [[start, end]] : []
    )
  ])
  return RangeSet.subtract(known, RangeSet.make(unsettled.map(({ end, start }): Range => [start, end])))
}

/** Pages that were asked for in vain. */
export const checkUpstream = ({ pagesAsked, roots }: RunRecord): ReadonlyArray<string> =>
  pagesAsked.flatMap(({ atMs, endMs, host, node, startMs }) => {
    const before = roots.filter((written) => written.node === node && written.atMs <= atMs)
    const known = before.findLastIndex((written) => written.atMs <= atMs - knownAfterMs)
    if (known === -1) return []
    // what was taken out of the coverage meanwhile is wanted again
    const wanted = before
      .slice(known)
      .reduce(
        (left, written) => RangeSet.union(left, RangeSet.subtract(RangeSet.of(startMs, endMs), settledBy(written))),
        RangeSet.empty
      )
    return isEmpty(wanted) ? [`${host} asks for ${node} ${startMs}..${endMs}, which was covered long before`] : []
  })
