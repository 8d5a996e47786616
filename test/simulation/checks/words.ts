/** What has an operator said, by what a root, a job or an answer shows of it? */
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Callers from "../Callers.ts"
import * as Market from "../Market.ts"
import type { Operation, Word } from "../History.ts"
import type { RootWritten } from "../RunRecord.ts"

/** The words of these verbs about a series that had been said by then, and were not refused. */
export const saidBy = (
  operations: ReadonlyArray<Operation>,
  { atMs, node, verbs }: { readonly verbs: ReadonlyArray<Word["verb"]>; readonly node: string; readonly atMs: number }
): ReadonlyArray<Operation> =>
  operations.filter(
    ({ invokedAtMs, word }) =>
      word !== undefined && verbs.includes(word.verb) && word.node === node && invokedAtMs <= atMs
  )

/** The time that words are about. */
export const timeOf = (operations: ReadonlyArray<Operation>): RangeSet.RangeSet =>
  RangeSet.make(operations.flatMap(({ word }) => (word === undefined ? [] : [word.range])))

const windowMs = Callers.windowBars * Market.barMs

/** The time of all windows that have any of it. */
export const wholeWindows = (time: RangeSet.RangeSet): RangeSet.RangeSet =>
  RangeSet.make(
    toPairs(time).map(([start, end]): Range => [
      Math.floor(start / windowMs) * windowMs,
      Math.ceil(end / windowMs) * windowMs
    ])
  )

/** The time of a job's window. */
export const windowOf = ({ windowStart }: Pick<BackfillJob, "windowStart">): RangeSet.RangeSet =>
  RangeSet.of(windowStart, windowStart + windowMs)

/** The question that the cause of a change names: operators give its number as their reason. */
const nameIn = (cause: string): string => cause.slice(cause.lastIndexOf(": ") + 2)

/** The time that a root takes out of the coverage upon an operator's word; none where no operator has said so. */
export const invalidatedBy = (
  { atMs, node, root }: RootWritten,
  operations: ReadonlyArray<Operation>
): RangeSet.RangeSet => {
  if (!root.diff.cause.startsWith("invalidated by ")) return RangeSet.empty
  const said = saidBy(operations, { verbs: ["invalidate", "reprocess"], node, atMs })
  return timeOf(said.filter(({ id }) => id === nameIn(root.diff.cause)))
}
