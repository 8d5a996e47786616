/** Is a range that somebody asks about one that there can be, on the grid of its series? */
import * as Result from "effect/Result"
import { InvalidRequest, UnalignedRange } from "./Errors.ts"
import * as Interval from "./Interval.ts"
import { isRange, type Range } from "./Range.ts"

/** A range as it was asked for. */
export interface AskedRange {
  readonly start: number
  readonly end: number
  /** `expand` widens a range to whole bars; without it one that is not aligned is refused. */
  readonly align?: "exact" | "expand"
}

/** The range on the grid, or what is wrong with it, and what would be right. */
export const checkRange = (
  { align = "exact", end, start }: AskedRange,
  interval: Interval.Interval
): Result.Result<Range, InvalidRequest | UnalignedRange> => {
  if (!isRange(start, end)) {
    const problem = `is ${start} and end is ${end}: a range is [start, end), and start comes first`
    return Result.fail(new InvalidRequest({ field: "start", problem }))
  }
  const [alignedStart, alignedEnd] = [Interval.alignDown(interval, start), Interval.alignUp(interval, end)]
  const isAligned = alignedStart === start && alignedEnd === end
  return isAligned || align === "expand"
    ? Result.succeed([alignedStart, alignedEnd])
    : Result.fail(new UnalignedRange({ start, end, interval: interval.text, alignedStart, alignedEnd }))
}
