/**
 * What is said to and by the coverage of a series?
 *
 * The coverage actor of a series is the only one that changes its root. It is asked to make time available, and told
 * what was stored; everyone else reads the root.
 */
import { Context, type Effect, Schema } from "effect"
import { BackfillJob, JobClass } from "../history/BackfillJob.ts"
import { ChunkRef } from "../history/CoveragePage.ts"
import type { CoverageRoot } from "../history/CoverageRoot.ts"
import type { StoreDamaged } from "../history/Errors.ts"
import { MissingRange } from "../history/MissingRange.ts"
import { Pairs } from "../history/RangePairs.ts"
import type { RangeSet } from "../history/RangeSet.ts"
import { RevisedBar } from "../history/RevisedBar.ts"
import { Series } from "../history/Series.ts"
import { define } from "../wire/ActorMessage.ts"
import type { Undelivered } from "../wire/Envelope.ts"
import type { MeshUnavailable } from "../wire/Errors.ts"
import { BackfillOff } from "./BackfillOff.ts"

/** The name of the actor type; the key is the series key. */
const coverageActor = "coverage"

/** Asks that time be filled; nothing is waited for. */
export const Ensure = Schema.Struct({
  series: Series,
  ranges: Pairs,
  /** Asks that what this source has stored of the ranges be fetched once more, and nothing else. */
  revises: Schema.optionalKey(Schema.String),
  /** The sources to ask, in order. */
  sources: Schema.Array(Schema.String),
  jobClass: JobClass,
  /** The request that led to it. */
  cause: Schema.String,
  traceParent: Schema.String
})
export type Ensure = typeof Ensure.Type

/** The newest job of each window that was touched: opened, joined, or failed and not due again. */
export const Ensured = Schema.Struct({ version: Schema.Int, jobs: Schema.Array(BackfillJob) })
export type Ensured = typeof Ensured.Type

/** One window's new chunk, with what it was built upon. */
export const WindowCommit = Schema.Struct({
  windowStart: Schema.Finite,
  generation: Schema.Int,
  /** The id of the chunk that was merged into the new one; null where there was none. */
  base: Schema.NullOr(Schema.String),
  chunk: ChunkRef,
  /** Time of the base's bars that the chunk has otherwise, or does not have, or has and the base does not. */
  revised: Schema.optionalKey(Pairs),
  /** The first of them. */
  revisedBars: Schema.optionalKey(Schema.Array(RevisedBar))
})
export type WindowCommit = typeof WindowCommit.Type

/** Tells what a source's answer brought. The chunks are stored already. */
export const Commit = Schema.Struct({
  series: Series,
  windows: Schema.Array(WindowCommit),
  /** Time that the answer speaks of: what was known of it before no longer counts. */
  answered: Pairs,
  /** What of the answered time is not covered, and why. */
  exceptions: Schema.Array(MissingRange),
  /** Stored time about which the source was asked once more, and time of the commit that it may yet change. */
  asked: Schema.optionalKey(Schema.Struct({ ranges: Pairs, unsettled: Pairs, settleMs: Schema.Finite })),
  jobs: Schema.Array(Schema.String),
  source: Schema.String,
  cause: Schema.String
})
export type Commit = typeof Commit.Type

/** The version that holds it. */
export const Committed = Schema.Struct({ version: Schema.Int })
export type Committed = typeof Committed.Type

/** The window is not as it was when the work was planned: plan again from what is there now. */
export class StaleCommit extends Schema.TaggedError<StaleCommit>()("StaleCommit", {
  windowStart: Schema.Finite,
  problem: Schema.String
}) {
  override get message() {
    return `the window at ${this.windowStart} has moved on: ${this.problem}`
  }
}

/** `ensure` of the coverage actor. */
export const ensureMessage = define({
  actor: coverageActor,
  name: "ensure",
  payload: Ensure,
  success: Ensured,
  failure: BackfillOff
})

/** `commit` of the coverage actor. */
export const commitMessage = define({
  actor: coverageActor,
  name: "commit",
  payload: Commit,
  success: Committed,
  failure: StaleCommit
})

/** A root as a reader sees it. */
export interface CoverageView {
  readonly root: CoverageRoot
  /** All covered time, wherever the root keeps it. */
  readonly covered: RangeSet
  /** How long ago it was read, in milliseconds, where what stands could not be; absent where this is what stands. */
  readonly staleMs?: number
}

/** How new a root has to be. */
export interface Freshness {
  readonly minVersion?: number
  readonly fresh?: boolean
  /** After so many milliseconds what was known last does, where any is; at once where the connection is lost. */
  readonly orLastAfterMs?: number
}

/** Why the coverage could not be read, changed or asked. */
export type CoverageFailure = MeshUnavailable | StoreDamaged

/** The coverage of all series, wherever their actors live. */
export class Coverage extends Context.Service<
  Coverage,
  {
    /** The newest root known here, at least of `minVersion`; `fresh`: as it stands now, whatever was known. */
    readonly of: (series: Series, demand?: Freshness) => Effect.Effect<CoverageView, CoverageFailure>
    /** The same where that waits for nothing; undefined where it would have to be read. */
    readonly known: (series: Series, minVersion: number) => CoverageView | undefined
    /** Fails with `BackfillOff` where operators have turned off that jobs are opened. */
    readonly ensure: (request: Ensure) => Effect.Effect<Ensured, BackfillOff | Undelivered>
    readonly commit: (commit: Commit) => Effect.Effect<Committed, StaleCommit | Undelivered>
    /** The version that stood at a moment since this was asked: the owner's word, proven by a write. */
    readonly confirm: (series: Series) => Effect.Effect<Committed, Undelivered>
  }
>()("seamless/messages/Coverage") {}
