/**
 * What is known of a series, and where is it?
 *
 * The root is the only thing about a series that changes: one record in KV, replaced by compare-and-set by the series'
 * coverage actor. It names immutable pages, they name immutable chunks. Each root carries the diff to the one before it
 * and that one's hash, so the history of roots can be checked link by link.
 */
import { Schema } from "effect"
import { sha256 } from "../frame/contentHash.ts"
import { MissingRange } from "./MissingRange.ts"
import { Pairs } from "./RangePairs.ts"
import * as RangeSet from "./RangeSet.ts"
import { RevisedBar } from "./RevisedBar.ts"
import { Series } from "./Series.ts"
import { UnsettledRange } from "./Unsettled.ts"
import { none, Watermarks } from "./Watermarks.ts"

/** How many covered ranges a root holds itself: the newest; those before are in the pages' entries. */
export const inlineRangesMax = 1024

/** A root that stands where storage was rolled back has a version so much higher: none is ever given to two roots. */
export const rolledBackBy = 2 ** 20

/** The cause of such a root. */
export const rolledBackCause = "storageRolledBack"

/** What the step from the root before to this one changed, and why. */
export const CoverageDiff = Schema.Struct({
  added: Pairs,
  removed: Pairs,
  /**
   * Time of covered bars that changed, appeared or vanished; absent where none did. Of very many apart from each other
   * some are joined over time between them that is as it was.
   */
  revised: Schema.optionalKey(Pairs),
  /** The first of them with what they were and are. */
  revisedBars: Schema.optionalKey(Schema.Array(RevisedBar)),
  /** The backfill jobs that brought it. */
  jobs: Schema.Array(Schema.String),
  source: Schema.String,
  cause: Schema.String
})
export type CoverageDiff = typeof CoverageDiff.Type

/** Where a run of window entries is: `index` counts runs of 256 windows from the interval's anchor. */
export const PageRef = Schema.Struct({ index: Schema.Int, id: Schema.String })
export type PageRef = typeof PageRef.Type

/** The coverage of one series. */
export const CoverageRoot = Schema.Struct({
  format: Schema.Literal(1),
  series: Series,
  /** Count of changes of coverage. */
  version: Schema.Int,
  /** Epoch milliseconds; always later than the root before. */
  committedAt: Schema.Finite,
  covered: Pairs,
  /** Coverage before this time is not in `covered` but in the pages; null when `covered` is all of it. */
  coveredInPagesBefore: Schema.NullOr(Schema.Finite),
  /**
   * What is known of time that is not covered, beyond that it is missing. A range may span covered time: it speaks of
   * what is not covered in it.
   */
  exceptions: Schema.Array(MissingRange),
  watermarks: Watermarks,
  /** Covered bars that are asked for once more when their source has settled them; absent where there are none. */
  unsettled: Schema.optionalKey(Schema.Array(UnsettledRange)),
  /** The highest version of the schema by which rows have been stored. */
  schemaVersion: Schema.Int,
  /** Bars in a window; fixed once the series has data. */
  windowBars: Schema.Int,
  pages: Schema.Array(PageRef),
  /** The last message of the live tail that is sealed into chunks; 0 where there is none. */
  sealedTailSequence: Schema.Int,
  /** Empty for the first. */
  previousRootHash: Schema.String,
  diff: CoverageDiff
})
export type CoverageRoot = typeof CoverageRoot.Type

const encode = Schema.encodeSync(CoverageRoot)

/** The hash by which the next root names this one: SHA-256 of its JSON, in hex. */
export const rootHash = (root: CoverageRoot): string => sha256(JSON.stringify(encode(root)))

/** The root of a series that has nothing yet: version 0. */
export const initial = (
  series: Series,
  given: { readonly windowBars: number; readonly schemaVersion: number }
): CoverageRoot => ({
  format: 1,
  series,
  version: 0,
  committedAt: 0,
  covered: RangeSet.empty,
  coveredInPagesBefore: null,
  exceptions: [],
  watermarks: none,
  schemaVersion: given.schemaVersion,
  windowBars: given.windowBars,
  pages: [],
  sealedTailSequence: 0,
  previousRootHash: "",
  diff: { added: RangeSet.empty, removed: RangeSet.empty, jobs: [], source: "", cause: "created" }
})
