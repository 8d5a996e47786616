/** How do rows that came in parts become one sealed frame? */
import * as Frame from "../../protocol/frame/Frame.ts"
import { at, size } from "../../protocol/history/RangeMeasure.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import { orderRows } from "./orderRows.ts"

/**
 * The rows of sealed frames that share no event time, as one sealed frame. The first of them may be a schema's, without
 * rows; any other without rows has no say, nor columns.
 */
export const mergeFrames = (frames: ReadonlyArray<Frame.Frame>): Frame.Frame => {
  const joined = Frame.concat(frames.filter((frame, index) => index === 0 || Frame.length(frame) > 0))
  return Frame.isAscending(joined.eventTimeMs) ? joined : Frame.pick(joined, orderRows([joined.eventTimeMs]))
}

/** The rows of a sealed frame with event times in the set, as parts that share memory with it. */
export const rowsIn = (frame: Frame.Frame, set: RangeSet): ReadonlyArray<Frame.Frame> =>
  Array.from({ length: size(set) }, (_, index) => Frame.within(frame, ...at(set, index)))
