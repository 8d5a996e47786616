/**
 * Is each missing range fetched once, however many ask? (Invariant 12)
 *
 * A source is never asked about time that has been covered for longer than a lease and the way to hear of it, but for a
 * look right beside what is missing.
 */
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { RunRecord } from "../RunRecord.ts"

/** A worker that was frozen for longer than its lease asks for nothing new that was covered before then. */
const knownAfterMs = 12_000

/** Pages that were asked for in vain. */
export const checkUpstream = ({ pagesAsked, roots }: RunRecord): ReadonlyArray<string> =>
  pagesAsked.flatMap(({ atMs, endMs, host, node, startMs }) => {
    const known = roots.findLast(({ atMs: committedAt, node: of }) => of === node && committedAt <= atMs - knownAfterMs)
    if (known === undefined) return []
    const unknown = RangeSet.subtract(RangeSet.of(startMs, endMs), RangeSet.make(known.root.covered))
    return isEmpty(unknown) ? [`${host} asks for ${node} ${startMs}..${endMs}, which was covered long before`] : []
  })
