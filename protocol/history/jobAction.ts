/** What does a demand for some of a window make of the window's newest job? Pure. */
import { type BackfillJob, isFinal } from "./BackfillJob.ts"
import * as RangeSet from "./RangeSet.ts"
import type { JobAction } from "./ReadExplanation.ts"

/**
 * What becomes of a demand: `open` a run, `join` the one that is open and may be widened for it, `follow` one under way
 * that brings less, `refuse`. Whoever opens runs decides by it, and whoever says what would be done.
 */
export const jobAction = (job: BackfillJob | undefined, wanted: RangeSet.RangeSet, nowMs: number): JobAction => {
  if (job === undefined) return "open"
  if (job.state === "QUARANTINED") return "refuse"
  if (job.state === "FAILED" && (job.nextAttemptAt ?? 0) > nowMs) return "refuse"
  if (isFinal(job)) return "open"
  // what waits is widened; who works on it would lose it by that
  return job.state === "RUNNING" && !RangeSet.contains(job.ranges, wanted) ? "follow" : "join"
}
