/**
 * Is what is stored still what its source gives?
 *
 * Asked by operators, of one window at a time. A window is looked at by asking the source for its stored bars once
 * more; nothing is changed by that. A repair makes what differs into a revision.
 */
import { Context, type Effect, Schema } from "effect"
import { JobFailure } from "../history/BackfillJob.ts"
import type { Range } from "../history/Range.ts"
import { Pairs } from "../history/RangePairs.ts"
import { RevisedBar } from "../history/RevisedBar.ts"
import type { Series } from "../history/Series.ts"
import type { CoverageFailure, StaleCommit } from "./Coverage.ts"
import type { Undelivered } from "../wire/Envelope.ts"

const Ranges = Schema.toEncoded(Pairs)

/** What one source has of a window, against what is stored of it. */
export const VerifiedPart = Schema.Struct({
  source: Schema.String,
  /** Stored time about which the source's answer proves something: this was compared. */
  compared: Ranges,
  sameBars: Schema.Int,
  changedBars: Schema.Int,
  /** Stored bars that the source does not have any more. */
  absentBars: Schema.Int,
  /** Bars of the source in stored time that are not stored as its own. */
  extraBars: Schema.Int,
  /** The first of those that differ: `before` is what was stored, `after` what the source gives. */
  bars: Schema.Array(RevisedBar),
  /** Stored time about which its answer proves nothing. */
  unproven: Ranges,
  /** Why it was not asked about all of it; null where it was. */
  failure: Schema.NullOr(JobFailure)
})
export type VerifiedPart = typeof VerifiedPart.Type

/** What was found of a window, or of a part of it. */
export const Verified = Schema.Struct({
  windowStart: Schema.Finite,
  /** The version of the coverage that was compared; of the one with the repair, where there was one. */
  version: Schema.Int,
  /** One for each source that has stored anything of it, or for the one that was named. */
  parts: Schema.Array(VerifiedPart),
  /** Bars that are now as the source gives them. */
  repairedBars: Schema.Int
})
export type Verified = typeof Verified.Type

/** What is to be looked at, and what is to become of it. */
export interface VerifyOrder {
  readonly series: Series
  /** Within one window. */
  readonly range: Range
  /** The source to ask, about all that any has stored; each about what it has stored itself without it. */
  readonly source?: string
  /** The cause of the revision of what differs; nothing is changed without it. */
  readonly repairCause?: string
}

/** Whoever compares stored bars with their sources. */
export class Verifier extends Context.Service<
  Verifier,
  {
    readonly verify: (order: VerifyOrder) => Effect.Effect<Verified, CoverageFailure | Undelivered | StaleCommit>
  }
>()("seamless/messages/Verifier") {}
