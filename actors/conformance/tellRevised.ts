/** How is it told what revised bars were, and what they are? Pure. */
import type { BarChange, ToldValue } from "../../protocol/history/BarChange.ts"
import { type RevisedBar, revisedBarsMax, toldColumnsMax, toldTextMax } from "../../protocol/history/RevisedBar.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { diffFrames } from "./diffFrames.ts"
import type { Revision } from "./mergeRevision.ts"

/** Rows that are not as they were. */
type Differing = Pick<Revision, "after" | "before">

const shortly = (value: ToldValue): ToldValue =>
  typeof value === "string" && value.length > toldTextMax ? `${value.slice(0, toldTextMax - 1)}…` : value

const firstColumns = (values: BarChange["before"]): BarChange["before"] =>
  values === null
    ? null
    : Object.fromEntries(
        Object.entries(values)
          .slice(0, toldColumnsMax)
          .map(([name, value]) => [name, shortly(value)])
      )

/** The first of the bars that differ, ascending. */
export const tellRevised = ({ after, before }: Differing, source: string): ReadonlyArray<RevisedBar> =>
  diffFrames(before, after)
    .slice(0, revisedBarsMax)
    .map(({ eventTime, after, before }) => ({
      eventTime,
      source,
      before: firstColumns(before),
      after: firstColumns(after)
    }))

/** The time of all bars that differ. */
export const timeOfRevised = ({ after, before }: Differing, intervalMs: number): RangeSet.RangeSet =>
  RangeSet.make(
    [before, after].flatMap(({ eventTimeMs }) =>
      Array.from(eventTimeMs, (start) => [start, start + intervalMs] as const)
    )
  )
