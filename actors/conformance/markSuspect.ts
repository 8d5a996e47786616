/**
 * Which rows are doubtful by what was found of their time?
 *
 * Some rules know it of a row only when they have seen later ones, which may be on the next page: what they tell of its
 * time by then has to be said by its flags, too.
 */
import * as Frame from "../../protocol/frame/Frame.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import type * as RangeSet from "../../protocol/history/RangeSet.ts"

/** The rows, those of that time flagged SUSPECT; the frame itself where all of them are. */
export const markSuspect = (frame: Frame.Frame, time: RangeSet.RangeSet): Frame.Frame => {
  let flags = frame.flags
  for (const [start, end] of toPairs(time)) {
    const until = Frame.lowerBound(frame, end)
    for (let row = Frame.lowerBound(frame, start); row < until; row++) {
      if ((flags[row]! & RowFlag.suspect) !== 0) continue
      if (flags === frame.flags) flags = frame.flags.slice()
      flags[row]! |= RowFlag.suspect
    }
  }
  return flags === frame.flags ? frame : { ...frame, flags }
}
