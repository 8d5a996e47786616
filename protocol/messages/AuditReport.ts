/**
 * What does an operator learn of a series' past?
 *
 * The changes of its coverage, why a stretch of time is covered or is not, and whether the history of its roots holds
 * together. Plain data, as it is on the wire.
 */
import { Schema } from "effect"
import { JobFailure, JobState } from "../history/BackfillJob.ts"
import { MissingState } from "../history/MissingRange.ts"
import { Pairs } from "../history/RangePairs.ts"
import { RevisedBar } from "../history/RevisedBar.ts"

const Ranges = Schema.toEncoded(Pairs)

const Origin = {
  version: Schema.Int,
  committedAt: Schema.Finite,
  /** The backfill jobs that brought it. */
  jobs: Schema.Array(Schema.String),
  source: Schema.String,
  cause: Schema.String
}

/** What one root changed of the wanted time. */
export const AuditedChange = Schema.Struct({
  ...Origin,
  /** The version that it followed; 0 for the first. */
  versionBefore: Schema.Int,
  added: Ranges,
  removed: Ranges,
  /** Time of covered bars that it changed; absent where it changed none. */
  revised: Schema.optionalKey(Ranges),
  /** The first of them, with what they were and what they are. */
  revisedBars: Schema.optionalKey(Schema.Array(RevisedBar))
})
export type AuditedChange = typeof AuditedChange.Type

/** What stands of a stretch of time, in one word. */
export const ExplainedState = Schema.Literals([
  "covered",
  /** A job is open that is to bring it. */
  "underway",
  // known not to be had now, or at all
  ...MissingState.pick(["deferred", "unavailable", "quarantined"]).literals,
  /** The last job that was to bring it failed. */
  "failed",
  /** It was covered, and a change took it away. */
  "removed",
  /** Nothing is known of it: nobody has asked for it, or nothing came of that and nothing is on record any more. */
  "missing"
])
export type ExplainedState = typeof ExplainedState.Type

/** What is told of a job. */
export const ExplainedJob = Schema.Struct({
  id: Schema.String,
  state: JobState,
  attempts: Schema.Int,
  /** Epoch milliseconds; null where it is not to be tried again, or at any time. */
  nextAttemptAt: Schema.NullOr(Schema.Finite),
  failure: Schema.NullOr(JobFailure),
  /** The incarnation of the host that works on it; null where none does. */
  holder: Schema.NullOr(Schema.String),
  cause: Schema.String
})
export type ExplainedJob = typeof ExplainedJob.Type

/** Why a stretch of time is covered or is not; `start` and `end` in epoch milliseconds. */
export const ExplainedRange = Schema.Struct({
  start: Schema.Finite,
  end: Schema.Finite,
  state: ExplainedState,
  /** The change that touched it last: it brought what is covered, and took away what is not; null for none. */
  change: Schema.NullOr(Schema.Struct(Origin)),
  /** Why it is not to be had, and when it is asked for again; null where that is not known of it. */
  exception: Schema.NullOr(
    Schema.Struct({
      state: MissingState,
      reason: Schema.String,
      retryAt: Schema.NullOr(Schema.Finite),
      evidence: Schema.optionalKey(Schema.String)
    })
  ),
  /** The last job that was to bring it; null for none, and for what is covered. */
  job: Schema.NullOr(ExplainedJob)
})
export type ExplainedRange = typeof ExplainedRange.Type

/** Where the history of a series' roots does not hold. */
export const AuditBreak = Schema.Struct({
  /**
   * What does not hold: an entry is no root; its version does not follow; it does not name the one before; its changes
   * do not add up to its coverage; or what stands is not what the history ends with.
   */
  kind: Schema.Literals(["unreadable", "version", "link", "coverage", "standing"]),
  /** The version at which it does not hold. */
  version: Schema.Int,
  /** The entry's sequence in the stream; null for the root that stands. */
  sequence: Schema.NullOr(Schema.Int),
  problem: Schema.String,
  /** Where coverage does not hold: what the changes add up to and the root has not, and what it has beyond. */
  lost: Ranges,
  beyond: Ranges
})
export type AuditBreak = typeof AuditBreak.Type

/** Whether the history of roots, from the first, adds up to just what is covered. */
export const AuditVerdict = Schema.Struct({
  holds: Schema.Boolean,
  /** How many entries were replayed: all, or those before the break. */
  entries: Schema.Int,
  /** The version that the history begins with, where those before it are no longer kept. */
  fromVersion: Schema.optionalKey(Schema.Int),
  firstBreak: Schema.NullOr(AuditBreak)
})
export type AuditVerdict = typeof AuditVerdict.Type
