/**
 * Where do rows come from?
 *
 * One contract for whoever gives rows from outside. A source is asked for one page at a time; what several pages
 * together prove is decided by whoever asks. An adapter is one file.
 */
import { Context, Data, type Effect, type Option } from "effect"
import type { Field } from "../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"

/** What a source is for. */
type SourceKind = "CACHE" | "STORAGE" | "BACKFILL" | "LIVE"

/** What is known of a source before it is asked. */
export interface Capabilities {
  /** The most bars that one answer holds. */
  readonly barsPerRequest: number
  /** An absence between bars of one answer is a lack of trades up to this many bars. */
  readonly maxEmptyBars: number
  /** A bar is final this long after its end, in milliseconds. */
  readonly finalityDelayMs: number
  /** How often one request is tried before it counts as failed. */
  readonly attemptsMax: number
  /** How many requests its account may be sent in a minute, where a budget says so. */
  readonly requestsPerMinute?: number
  /** How long it keeps bars, in milliseconds; for ever where it does not say. */
  readonly retentionMs?: number
  /** Bars that nobody asked for which may be asked along between two stretches; none where it does not say. */
  readonly joinGapsBars?: number
  /** Bits of `RowFlag` that hold for each of its rows, such as `adjusted`; none where it does not say. */
  readonly rowFlags?: number
}

/** One page of bars. */
export interface PageRequest {
  /** What the source calls the node. */
  readonly symbol: string
  readonly interval: Interval
  /** Bars with event times in `[start, end)`, ascending from `start`. */
  readonly start: number
  readonly end: number
  /** What is made of its rows, where it gives trades; the five columns of a bar without it. */
  readonly fields?: ReadonlyArray<Field>
  /** The field by which whoever asks decides between rows of one time: it is given all of them. */
  readonly decidedBy?: string
}

/** Rows, and what the source knows of them. */
export interface Page extends RawRows {
  /** Time of which it knows that it has all there was: an absence in it is a lack of trades, however long. */
  readonly whole?: ReadonlyArray<Range>
  /**
   * Time of which it can't know whether it has what there was, such as that between two files where a third may be
   * absent: an absence that goes into it says nothing.
   */
  readonly seams?: ReadonlyArray<Range>
  /**
   * Up to where it has gone, bars or none: what is left of the range is asked for from there. From behind its last bar
   * without it.
   */
  readonly until?: number
}

/** The request gave no answer. */
export class RequestFailed extends Data.TaggedError("RequestFailed")<{
  readonly reason: string
  /** Whether the same request may succeed later. */
  readonly retryable: boolean
  /** How long the source asks to be left alone, in milliseconds; null where it does not say. */
  readonly retryAfterMs: number | null
  /** Whether the source answered that it is asked too much. */
  readonly isRefusal?: boolean
  /** Nothing was sent: the source is left alone, its budget had no place, or an operator has turned requests off. */
  readonly unsent?: "source" | "budget" | "switch"
}> {}

/** One source of rows. */
export interface DataSource {
  readonly name: string
  readonly kind: SourceKind
  readonly capabilities: Capabilities
  /**
   * The first bars of the page's range, at most `barsPerRequest`. Fewer than asked prove nothing: the rest of the
   * range is asked for again, from behind the last bar or from where the page says that it ends, until a page is empty
   * and has gone no further; what it has whole counts up to there.
   * Where it gives trades or shorter bars, those of a bar are all on one page. Each request that it takes goes through
   * the `Gate`.
   */
  readonly page: (request: PageRequest) => Effect.Effect<Page, RequestFailed>
  /**
   * The start of the first bar since the Unix epoch that it has of a symbol, by one request; none where it has no bar.
   * Only sources that can tell have it.
   */
  readonly firstBar?: (symbol: string, interval: Interval) => Effect.Effect<Option.Option<number>, RequestFailed>
}

/** The sources of this host, by name. */
export class DataSources extends Context.Service<DataSources, ReadonlyMap<string, DataSource>>()(
  "seamless/sources/DataSources"
) {}
