/**
 * Which rows came behind a later one?
 */
import type { Frame } from "../../protocol/frame/Frame.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"

/**
 * Flags each row whose event time is lower than that of a row before it, and gives their number. Writes `flags` in
 * place. Rows of one bar are not behind each other.
 */
export const markOutOfOrder = ({ eventTimeMs, flags }: Pick<Frame, "eventTimeMs" | "flags">): number => {
  let highestMs = -Infinity
  let outOfOrderCount = 0
  for (let row = 0; row < eventTimeMs.length; row++) {
    const timeMs = eventTimeMs[row]!
    if (timeMs < highestMs) {
      flags[row]! |= RowFlag.outOfOrder
      outOfOrderCount += 1
    } else highestMs = timeMs
  }
  return outOfOrderCount
}
