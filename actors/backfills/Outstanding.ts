/**
 * What became of the windows that a backfill asked for?
 *
 * Pure. As many as are told of by the answers to its demands; who looks after them is the coverage actor. Nothing of it
 * is saved: whoever asks again is told again.
 */
import type { BackfillJob, JobFailure } from "../../protocol/history/BackfillJob.ts"
import type { FailingWindow } from "../../protocol/history/NamedBackfill.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"

/** What is known of one window's runs. */
interface Heard {
  readonly attempts: number
  readonly failure: JobFailure | null
  /** When a failed window is tried again; null where a run is under way. */
  readonly nextAttemptAt: number | null
}

/** Windows that were asked for and lack something, by their starts. */
export type Outstanding = ReadonlyMap<number, Heard>

/** Nothing was asked for. */
export const none: Outstanding = new Map()

/** Failing windows that are told of one by one, and how much each has to say. */
const failingMax = 16
const messageLengthMax = 300

const underWay: Heard = { attempts: 0, failure: null, nextAttemptAt: null }

const heardOf = ({ attempts, failure, nextAttemptAt, state }: BackfillJob, before: Heard = underWay): Heard => ({
  attempts,
  // a run that follows a failed one has none of its own yet
  failure: failure ?? (attempts > 0 ? before.failure : null),
  nextAttemptAt: state === "FAILED" ? nextAttemptAt : null
})

/** The windows with those that were asked for by now. */
export const asked = (outstanding: Outstanding, windowStarts: ReadonlyArray<number>): Outstanding => {
  const next = new Map(outstanding)
  for (const windowStart of windowStarts) if (!next.has(windowStart)) next.set(windowStart, underWay)
  return next
}

/** The windows after what was told of jobs, of which those of others are nobody's business here. */
export const heard = (outstanding: Outstanding, jobs: ReadonlyArray<BackfillJob>): Outstanding => {
  const next = new Map(outstanding)
  for (const job of jobs) {
    if (job.state === "QUARANTINED") next.delete(job.windowStart)
    else if (next.has(job.windowStart)) next.set(job.windowStart, heardOf(job, next.get(job.windowStart)))
  }
  return next
}

/** The time of the windows. */
export const timeOf = (outstanding: Outstanding, grid: Window.Grid): RangeSet.RangeSet =>
  RangeSet.make(Array.from(outstanding.keys(), (windowStart) => Window.windowRange(grid, windowStart)))

/** Those that still have time in `wanted`. */
export const within = (outstanding: Outstanding, grid: Window.Grid, wanted: RangeSet.RangeSet): Outstanding =>
  new Map(
    Array.from(outstanding).filter(
      ([windowStart]) => !isEmpty(RangeSet.clip(wanted, ...Window.windowRange(grid, windowStart)))
    )
  )

/** Whether some run is under way, or due. */
export const isUnderWay = (outstanding: Outstanding, nowMs: number): boolean =>
  Array.from(outstanding.values()).some(({ nextAttemptAt }) => nextAttemptAt === null || nextAttemptAt <= nowMs)

/** When the first failed window is tried again; infinite where none waits. */
export const nextAttemptAt = (outstanding: Outstanding): number =>
  Math.min(Infinity, ...Array.from(outstanding.values(), ({ nextAttemptAt: at }) => at ?? Infinity))

/** Why it failed was told while nobody listened; it is told again with the next failure. */
const notHeard: JobFailure = { tag: "", message: "not known here", source: "" }

const told = ({ message, source, tag }: JobFailure) => ({ tag, message: message.slice(0, messageLengthMax), source })

/** How many windows have failed and are tried again, and the first of them. */
export const failing = (
  outstanding: Outstanding
): { readonly count: number; readonly first: ReadonlyArray<FailingWindow> } => {
  const all = Array.from(outstanding).flatMap(([windowStart, { attempts, failure, nextAttemptAt: at }]) =>
    // also one whose source could not even be asked, which is no try
    attempts === 0 && failure === null
      ? []
      : [{ windowStart, attempts, ...told(failure ?? notHeard), nextAttemptAt: at }]
  )
  return { count: all.length, first: all.toSorted((a, b) => a.windowStart - b.windowStart).slice(0, failingMax) }
}
