/**
 * What would a read do?
 *
 * What would come from where, what would be waited for and how long, and what would be made of a failure: as the host
 * that answers would do it now, which knows of its own memory alone. Nothing is fetched or changed for it.
 */
import { Schema } from "effect"
import { SourcePlan } from "./BackfillPlan.ts"
import { JobClass, JobState } from "./BackfillJob.ts"
import { Consistency } from "./HistoryRequest.ts"
import { MissingRange } from "./MissingRange.ts"
import { Pairs } from "./RangePairs.ts"
import { Strategy } from "./Strategy.ts"

/**
 * What is done about a gap. none: there is none that can be filled; fail: the read is refused; queue: it is asked for,
 * and not waited for; wait: it is asked for and waited for.
 */
export const GapMode = Schema.Literals(["none", "fail", "queue", "wait"])
export type GapMode = typeof GapMode.Type

/**
 * Why that is done. complete: all that can be had is covered; notAskable: what is not covered waits for a time or for a
 * person; past: nothing is filled for a point of the past; off: an operator has turned it off; strategy: the strategy
 * does so with each gap; small, large: the gap is, by the limits of the policy.
 */
export const GapCause = Schema.Literals(["complete", "notAskable", "past", "off", "strategy", "small", "large"])
export type GapCause = typeof GapCause.Type

/** Stored rows, and where they are. */
export const StoredShare = Schema.Struct({
  ranges: Pairs,
  bars: Schema.Int,
  windows: Schema.Int,
  chunks: Schema.Int,
  /** As they are in memory; of those in storage, reckoned from their rows and columns. */
  bytes: Schema.Int
})
export type StoredShare = typeof StoredShare.Type

/** What filling the gap takes. */
export const BackfillShare = Schema.Struct({
  /** The gap. */
  ranges: Pairs,
  bars: Schema.Int,
  windows: Schema.Int,
  /** Requests of all sources, at the least. */
  requests: Schema.Int,
  /** How long these take at the rates of their accounts; null where one is not known. */
  seconds: Schema.NullOr(Schema.Finite),
  /** In the order in which they are asked. */
  sources: Schema.Array(SourcePlan)
})
export type BackfillShare = typeof BackfillShare.Type

/**
 * What a demand makes of a window's job. open: a new run; join: the run that is open; follow: another run behind the
 * one that is under way and brings less; refuse: nothing, since it failed and it is too early, or waits for a person.
 */
export const JobAction = Schema.Literals(["open", "join", "follow", "refuse"])
export type JobAction = typeof JobAction.Type

/** A window of the gap. */
export const GapWindow = Schema.Struct({
  windowStart: Schema.Finite,
  /** Bars of it that are in the gap. */
  bars: Schema.Int,
  action: JobAction,
  /** The newest run of its job; null where there is none, or none any more. */
  job: Schema.NullOr(
    Schema.Struct({
      run: Schema.Int,
      state: JobState,
      jobClass: JobClass,
      attempts: Schema.Int,
      nextAttemptAt: Schema.NullOr(Schema.Finite)
    })
  )
})
export type GapWindow = typeof GapWindow.Type

const Wait = Schema.NullOr(Schema.Finite)

/** How long is waited for what, at the most, in milliseconds; null where nothing bounds it. */
export const Waits = Schema.Struct({
  totalDeadlineMs: Wait,
  /**
   * The phases that would be waited for; `rowsMs`: how long for stored rows, once it is known which; `retryBackoffMs`:
   * the pause before a second try, where the request sets one, which is part of its phase.
   */
  phases: Schema.Record(
    Schema.String,
    Schema.Struct({
      budgetMs: Wait,
      rowsMs: Schema.optionalKey(Wait),
      retryBackoffMs: Schema.optionalKey(Schema.Finite)
    })
  )
})
export type Waits = typeof Waits.Type

const Outcome = Schema.Literals(["error", "partial"])

/** What is answered where something goes wrong. */
export const OnFailure = Schema.Struct({
  /** A gap that is not filled: as things are, or because a wait ended. */
  gap: Outcome,
  backfill: Outcome,
  violation: Outcome,
  /** An expected bar that is absent from a strict read; null where the read is not strict. */
  strict: Schema.NullOr(Schema.Literals(["error", "flag"]))
})
export type OnFailure = typeof OnFailure.Type

/** What a read would do. */
export const ReadExplanation = Schema.Struct({
  nodeId: Schema.String,
  interval: Schema.String,
  start: Schema.Int,
  end: Schema.Int,
  strategy: Strategy,
  /** `strict`: the owner of the series would confirm the version first, which may be a later one. */
  consistency: Consistency,
  coverageVersion: Schema.Int,
  coverageRanges: Pairs,
  missingRanges: Schema.Array(MissingRange),
  /** Per source, the covered time that its stored rows would be taken for. */
  sourceContributions: Schema.Record(Schema.String, Pairs),
  gap: Schema.Struct({ mode: GapMode, because: GapCause }),
  from: Schema.Struct({
    cache: StoredShare,
    storage: StoredShare,
    backfill: BackfillShare,
    /** There are no live sources yet. */
    live: Schema.Struct({ ranges: Pairs, bars: Schema.Int })
  }),
  /** The first windows of the gap. */
  windows: Schema.Array(GapWindow),
  /** Windows that are not among them. */
  windowsLeft: Schema.Int,
  waits: Waits,
  onFailure: OnFailure,
  notes: Schema.Array(Schema.String)
})
export type ReadExplanation = typeof ReadExplanation.Type
