/**
 * What is told of a read that is refused before its rows? Pure.
 *
 * All that is known by then. What takes the rows is left out: how many there are, who gave them, and what was found in
 * them. How many bars are missing does not: bars that are known to be empty are expected no more than they come.
 */
import type { Frame } from "../../protocol/frame/Frame.ts"
import { CoverageMissing, StrictViolation } from "../../protocol/history/Errors.ts"
import type { HistoryMeta } from "../../protocol/history/HistoryResult.ts"
import { Refused } from "./read.ts"
import type { Refusal } from "./verdict.ts"

const withoutCounts = (error: Refusal): Refusal => {
  if (error instanceof StrictViolation) return new StrictViolation({ missingRanges: error.missingRanges })
  if (!(error instanceof CoverageMissing)) return error
  const { missingBars, missingRanges } = error
  return new CoverageMissing({ missingBars, missingRanges })
}

/** The refusal, with what of its account needs no rows. */
export const refusedUnread = (error: Refusal, account: HistoryMeta, empty: Frame): Refused => {
  const { fingerprint: _content, qualitySummary: _counts, sourceContributions: _givers, ...meta } = account
  return new Refused({ error: withoutCounts(error), result: { df: empty, meta } })
}
