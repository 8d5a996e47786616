/**
 * How is one kind of node refilled?
 *
 * The contract of whoever brings what is missing of a series: by asking a source for pages, as `pagedBackfiller` does,
 * or in another way. Which time is to be refilled, who does it and what becomes of the rows is decided by others; a
 * backfiller only brings rows, and says what they prove. It keeps nothing, so that it can be run again from anywhere at
 * any time: a run that was broken off is followed by another, which is told what is covered by then.
 */
import { Context, Data, type Effect } from "effect"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { Findings } from "../../protocol/history/Findings.ts"
import type { JobClass } from "../../protocol/history/BackfillJob.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import type { CoverageFailure } from "../../protocol/messages/Coverage.ts"
import type { Capabilities } from "../sources/DataSource.ts"
import type { WayOut } from "../sources/Gate.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"

/** What is known of the time of a series. */
export interface Known {
  /** It is there: it is never asked for again, not even in passing. */
  readonly covered: RangeSet
  /** It can't be had: it is not looked at, and proves nothing. */
  readonly shut: RangeSet
  /** Bars from here on are not final yet, in epoch milliseconds. */
  readonly finalUntil: number
  /**
   * Whether the stretch itself is stored, and asked about once more: an absence then takes bars back, and is proven by
   * bars of this answer on either side of it alone. What is covered beside it may be looked at.
   */
  readonly byBarsAlone?: boolean
}

/** A stretch of time that is to be refilled. */
export interface Refill {
  readonly entry: CatalogEntry
  /** `[start, end)` in epoch milliseconds, on the grid of the series, none of it covered when it was planned. */
  readonly stretch: Range
  /** What is known now: others work on other parts of the series meanwhile. */
  readonly known: Effect.Effect<Known, CoverageFailure>
  /** The rows of the source that are stored right before the stretch, by which its first rows are judged. */
  readonly before?: Effect.Effect<Frame, CoverageFailure>
  /** How urgent it is, and which request led to it. */
  readonly work: { readonly jobClass: JobClass; readonly cause: string }
  /** Every request to the outside goes through it. */
  readonly gate: WayOut
  /** Is to be run after each request that was sent, with the time that it was about: that is what has been tried. */
  readonly onRequest: (about: Range) => void
}

/** How far a refill has come. */
export interface Step {
  /** Rows that no earlier step had: conformed, ascending, within the stretch. */
  readonly rows: Frame
  /** Time of the stretch of which all rows have been handed over by now: it is covered once they are stored. */
  readonly proven: RangeSet
  /** Time of the stretch that need not be asked about again: what of it is not proven, nobody could prove. */
  readonly answered: RangeSet
  /** What quality rules found in the rows, and what steps of conformance did to them; nothing where it is absent. */
  readonly findings?: Findings
  /**
   * Why answered time is not proven, where that is known, and bars that a rule keeps out of the rows; nothing of what
   * an earlier step said is said again.
   */
  readonly exceptions?: ReadonlyArray<MissingRange>
}

/** It could not be refilled now, or not by this one. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{
  /** `BudgetUnavailable` and `BackfillOff`: it was not asked, and has no part in that. */
  readonly tag: "SourceUnavailable" | "RowsRejected" | "BudgetUnavailable" | "BackfillOff"
  readonly source: string
  readonly reason: string
  /** How long the source asks to be left alone, in milliseconds; 0 where it does not. */
  readonly retryAfterMs: number
  /** What keeps it away is about this stretch: others may be answered. */
  readonly isLocal?: boolean
}> {}

/** Whoever refills the nodes of one source. */
export interface AutoBackfiller {
  /** The name of the source by which rows are signed. */
  readonly name: string
  readonly capabilities: Capabilities
  /**
   * Refills the stretch, step by step, and ends when all of it is answered. What is proven only grows from step to
   * step. To be run twice, at once or again, gives the same rows; to be broken off between two steps loses nothing.
   */
  readonly refill: <E, R>(
    refill: Refill,
    onStep: (step: Step) => Effect.Effect<void, E, R>
  ) => Effect.Effect<void, NoAnswer | CoverageFailure | E, R>
}

/** The backfillers of this host, by the name of their source. */
export class AutoBackfillers extends Context.Service<AutoBackfillers, ReadonlyMap<string, AutoBackfiller>>()(
  "seamless/backfill/AutoBackfillers"
) {}
