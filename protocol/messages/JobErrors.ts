/** What can go wrong when an operator asks about jobs? */
import { Schema } from "effect"
import { JobState } from "../history/BackfillJob.ts"
import { isoTime } from "../history/isoTime.ts"
import { JobVerb, suitedStates } from "./Operate.ts"

/** How many jobs there are in each state. */
export const JobCounts = Schema.Record(JobState, Schema.Int)
export type JobCounts = typeof JobCounts.Type

/** Nobody ever asked for anything of the window, or its last run ended more than a week ago. */
export class UnknownJob extends Schema.TaggedError<UnknownJob>()("UnknownJob", {
  nodeId: Schema.String,
  interval: Schema.String,
  /** The start of the window that the time is in. */
  windowStart: Schema.Finite,
  /** The source of the job that was asked for; absent where it was the one that fills the window. */
  source: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    const { interval, nodeId, source, windowStart } = this
    if (source !== undefined) {
      return (
        `there is no job that asks ${source} once more for the window of ${nodeId} ${interval} at ` +
        `${isoTime(windowStart)}: what fills the window is asked for without a source`
      )
    }
    return (
      `there is no job for the window of ${nodeId} ${interval} at ${isoTime(windowStart)}: a read or an ensure of ` +
      `missing time in it opens one; what ended more than a week ago is in the audit`
    )
  }
}

const countTexts = (counts: JobCounts): ReadonlyArray<string> =>
  Object.entries(counts).flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state}`]))

/** None of the windows has a job that suits the verb. Nothing was done: `counts` says which states there are. */
export class NoSuitedJob extends Schema.TaggedError<NoSuitedJob>()("NoSuitedJob", {
  verb: JobVerb,
  /** Windows that the range touches. */
  windows: Schema.Int,
  counts: JobCounts
}) {
  override get message() {
    const { counts, verb, windows } = this
    const jobs = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const without = windows === jobs ? [] : [`${windows - jobs} without a job`]
    const range = windows === 1 ? "the window" : `the ${windows} windows`
    const found = [...countTexts(counts), ...without].join(", ")
    return `${verb} is for jobs that are ${suitedStates[verb].join(" or ")}, and none suits of ${range}: ${found}`
  }
}

/** More windows than are changed at once. Nothing was done: ask for parts of the range. */
export class TooManyWindows extends Schema.TaggedError<TooManyWindows>()("TooManyWindows", {
  windows: Schema.Finite,
  windowsMax: Schema.Int
}) {
  override get message() {
    return `the range has ${this.windows} windows; at most ${this.windowsMax} at once: ask for parts of it`
  }
}
