/**
 * What did the steps do to rows, as those see it who read them later?
 *
 * By a name for what was done the bars of the rows that it was done to, like what quality rules find, and kept with it:
 * so it can be counted for any time of any answer.
 */
import * as Findings from "../../protocol/history/Findings.ts"
import { alignDown, type Interval } from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** Times of rows, each within its bar, by what was done to them. */
export type Touched = { readonly [Step in Findings.StepName]?: Iterable<number> }

/** The times of rows that are known by number. */
export const timesOf = (rows: ReadonlyArray<number>, timeMs: Float64Array): ReadonlyArray<number> =>
  rows.map((row) => timeMs[row]!)

/** The bars of what was touched, by step. */
export const tellSteps = (touched: Touched, interval: Interval): Findings.Findings =>
  Findings.ofSteps(
    Object.entries(touched).map(([step, times]) => {
      const starts = new Set(Array.from(times, (timeMs) => alignDown(interval, timeMs)))
      return [step, RangeSet.make(Array.from(starts, (start): Range => [start, start + interval.lengthMs]))] as const
    })
  )
