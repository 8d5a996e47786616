/**
 * Which change was the last to touch each part of a stretch of time?
 *
 * Pure. A batch of changes is looked at from its newest: what one has touched, no earlier one has touched last. So a
 * history of any length is gone through batch by batch, and no more is kept of it than counts in the end.
 */
import type { CoverageDiff } from "../../protocol/history/CoverageRoot.ts"
import { areApart, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** What one root changed. */
export interface Change {
  readonly version: number
  /** The version that it followed; 0 for the first. */
  readonly versionBefore: number
  readonly committedAt: number
  readonly diff: CoverageDiff
}

/** Time that a change was the last to touch. */
export interface Touch {
  readonly how: "added" | "removed"
  readonly change: Change
  /** Never empty. */
  readonly ranges: RangeSet.RangeSet
}

// what a change both brings and takes away is gone behind it
const hows = ["removed", "added"] as const

const touchesIn = (wanted: RangeSet.RangeSet, how: Touch["how"], change: Change): ReadonlyArray<Touch> => {
  const ranges = RangeSet.intersect(change.diff[how], wanted)
  return isEmpty(ranges) ? [] : [{ how, change, ranges }]
}

/** The last touches of the wanted time after these changes, in their order, given those `before` them. */
export const lastTouches = (
  before: ReadonlyArray<Touch>,
  changes: ReadonlyArray<Change>,
  wanted: RangeSet.RangeSet
): ReadonlyArray<Touch> => {
  const touches: Array<Touch> = []
  let open = wanted
  for (const change of changes.toReversed()) {
    for (const how of hows) {
      for (const touch of touchesIn(open, how, change)) {
        touches.push(touch)
        open = RangeSet.subtract(open, touch.ranges)
      }
    }
  }
  // most batches touch nothing of it, or nothing of what most others did
  if (touches.length === 0) return before
  const touched = RangeSet.subtract(wanted, open)
  const kept = before.flatMap((touch) => {
    if (areApart(touch.ranges, touched)) return [touch]
    const ranges = RangeSet.subtract(touch.ranges, touched)
    return isEmpty(ranges) ? [] : [{ ...touch, ranges }]
  })
  return [...touches, ...kept]
}
