/** What does an operator ask about jobs and stored time, and what is answered? */
import { Schema } from "effect"
import { BackfillJob, JobState } from "../history/BackfillJob.ts"
import { Pairs } from "../history/RangePairs.ts"
import { JobCounts } from "./JobErrors.ts"
import { ToldJob } from "./ToldJob.ts"
import { Verified } from "./Verify.ts"

/** A job in a list. */
export const JobSummary = Schema.Struct({
  ...ToldJob.fields,
  /** What the run is to bring, and what of it is there. */
  wantedBars: Schema.Int,
  broughtBars: Schema.Int,
  /** The request that opened it. */
  cause: Schema.String
})
export type JobSummary = typeof JobSummary.Type

/** A whole record as it is stored. */
const JobRecord = Schema.toEncoded(BackfillJob)

/** The states to list: one of them, or all that have not ended. */
export const ListedState = Schema.Union([JobState, Schema.Literal("open")])
export type ListedState = typeof ListedState.Type

const Id = Schema.NonEmptyString
/** Kept with the change for ever: a sentence, not a report. */
const reasonMax = 500
const Reason = Schema.String.check(Schema.isMaxLength(reasonMax))
const series = { nodeId: Id, interval: Id }
/** Epoch milliseconds, half-open. */
const range = { start: Schema.Int, end: Schema.Int }
const removed = {
  version: Schema.Int,
  /** What of the range was covered: the first 1,000 ranges, and the bars of all. */
  removed: Schema.toEncoded(Pairs),
  removedBars: Schema.Int
}

const exampleSeries = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" }
const exampleRange = { ...exampleSeries, start: 1_670_889_600_000, end: 1_670_976_000_000 }
const exampleReason = { reason: "the exchange has corrected its bars" }

const windows = {
  ...series,
  start: range.start,
  end: Schema.optionalKey(range.end),
  reason: Schema.optionalKey(Reason)
}

/** A job that asks this source for its stored bars once more is meant; without it one that fills a window. */
const revising = { source: Schema.optionalKey(Id) }

/** The jobs of the windows that a range touches, or of the one that holds `start`. */
const onWindows = {
  request: Schema.Struct(windows),
  answer: Schema.Struct({
    /** The version of the coverage that has it in its history. */
    version: Schema.Int,
    /** The jobs that were changed, as they were then. */
    jobs: Schema.Array(JobSummary)
  }),
  example: exampleRange
}

/** The same, of either kind. */
const onJobs = { ...onWindows, request: Schema.Struct({ ...windows, ...revising }) }

const onTime = Schema.Struct({ ...series, ...range, reason: Reason.check(Schema.isNonEmpty()) })

/** Time within one window, and the source to ask: each that has stored anything of it without one. */
const onWindow = { ...series, ...range, source: Schema.optionalKey(Id) }

/** The verbs about jobs and stored time: the forms of their requests and answers, and a request to show. */
export const jobAdmin = {
  /** Jobs of one node, interval or state, or of all; those that were changed last come first. */
  jobs: {
    request: Schema.Struct({
      nodeId: Schema.optionalKey(Id),
      interval: Schema.optionalKey(Id),
      state: Schema.optionalKey(ListedState),
      limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })))
    }),
    answer: Schema.Struct({
      jobs: Schema.Array(JobSummary),
      /** Of all that were looked at, whatever their state. */
      counts: JobCounts,
      /** Those of the state, among all that were looked at. */
      total: Schema.Int,
      /** Whether all were looked at; the newest 100,000 are, where there are more. */
      isWhole: Schema.Boolean
    }),
    example: { ...exampleSeries, state: "open", limit: 100 }
  },
  /** The record of the window that a time is in. */
  job: {
    request: Schema.Struct({ ...series, windowStart: Schema.Int, ...revising }),
    answer: Schema.Struct({ job: JobRecord }),
    example: { ...exampleSeries, windowStart: exampleRange.start }
  },
  /** Has windows tried again at once that failed or are quarantined. */
  retry: onJobs,
  /** Has quarantined windows count as unavailable: nobody asks for them again, and nobody misses them. */
  skip: onWindows,
  /** Ends jobs that have not ended; what they have brought stays. A read or an ensure opens others. */
  cancel: onJobs,
  /** Sets windows aside: nobody asks for them until they are retried or skipped. */
  quarantine: onWindows,
  /** Takes time out of the coverage: what is stored of it does not count any more. */
  invalidate: { request: onTime, answer: Schema.Struct(removed), example: { ...exampleRange, ...exampleReason } },
  /** The same, and has it fetched again. */
  reprocess: {
    request: onTime,
    answer: Schema.Struct({ ...removed, jobs: Schema.Array(JobSummary) }),
    example: { ...exampleRange, ...exampleReason }
  },
  /** Compares what is stored of a window with what its sources give now; changes nothing. */
  verify: { request: Schema.Struct(onWindow), answer: Verified, example: exampleRange },
  /** The same, and makes what differs into a revision. */
  repair: {
    request: Schema.Struct({ ...onWindow, reason: Reason.check(Schema.isNonEmpty()) }),
    answer: Verified,
    example: { ...exampleRange, ...exampleReason }
  }
} as const
