/**
 * What is the content of an answer's part of a window?
 *
 * That of the rows as they lie in chunks, in the types that they have there. What is served has the columns of the
 * schema of today: its hash would depend on more than the data.
 */
import { contentHash } from "../../protocol/frame/contentHash.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { at, isEmpty, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Merged } from "../conformance/mergeBySource.ts"
import { mergeFrames } from "../conformance/mergeFrames.ts"
import type { PlannedWindow, StoredWindow } from "../sources/storedWindows.ts"
import type { WindowContent } from "./fingerprint.ts"

/** The rows of a sealed frame with event times in the set, which may be very many ranges. */
const rowsIn = (frame: Frame.Frame, set: RangeSet.RangeSet): Frame.Frame => {
  if (size(set) <= 1) return Frame.within(frame, ...at(set, 0))
  const rows = new Uint32Array(Frame.length(frame))
  let count = 0
  for (let range = 0; range < size(set); range++) {
    const [start, end] = at(set, range)
    for (let row = Frame.lowerBound(frame, start); frame.eventTimeMs[row]! < end; row++) rows[count++] = row
  }
  return Frame.pick(frame, rows.subarray(0, count))
}

/** The content of the rows that are taken of a window; its hash is known already where they are one whole chunk. */
export const windowContent = (
  { chunks, rows, windowStart }: Pick<StoredWindow, "chunks" | "rows" | "windowStart">,
  { contributions, frame }: Merged
): WindowContent => {
  const [only, ...others] = chunks
  const count = Frame.length(frame)
  if (only !== undefined && others.length === 0 && count > 0 && only.rows === count) {
    return { windowStart, contentHash: only.contentHash }
  }
  const taken = rows.map((each) => rowsIn(each.frame, contributions.get(each.source) ?? RangeSet.empty))
  return { windowStart, contentHash: contentHash(mergeFrames(taken.filter((part) => Frame.length(part) > 0))) }
}

const contentOfNone = contentHash(mergeFrames([]))

/** The content of a window as its pages tell it: where its rows are one whole chunk, or none; else undefined. */
export const contentByName = ({ chunks, ranges, windowStart }: PlannedWindow): WindowContent | undefined => {
  const [only, ...others] = chunks
  if (only === undefined || others.length > 0 || !isEmpty(RangeSet.subtract(only.ranges, ranges))) return undefined
  return { windowStart, contentHash: only.rows === 0 ? contentOfNone : only.contentHash }
}
