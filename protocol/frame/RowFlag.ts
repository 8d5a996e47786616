/**
 * What can be said about one row?
 *
 * Findings are bits of one unsigned 32-bit number. The values are wire format: readers in other languages test the same
 * bits, so a bit once given is never moved or used again.
 */

/** The bits of a row's `__flags`. */
export const RowFlag = {
  /** Fetched by a backfill, not seen live. */
  backfilled: 1 << 0,
  /** Taken from a live feed. */
  live: 1 << 1,
  /** Repeated from the bar before; made on request, never stored. */
  forwardFilled: 1 << 2,
  /** Arrived behind a later row, within the allowed lateness. */
  outOfOrder: 1 << 3,
  /** Adjusted by its source, for splits or dividends. */
  adjusted: 1 << 4,
  /** Still forming: the bar's interval has not ended. */
  partialBar: 1 << 5,
  /** Kept from several rows of one event time. */
  duplicate: 1 << 6,
  /** Computed from finer rows. */
  rolledUp: 1 << 7,
  /** Failed a quality rule. */
  suspect: 1 << 8,
  /** Replaced an earlier value. */
  revised: 1 << 9
} as const

/** The names of the bits as they are written in documents and logs, by bit number. */
export const rowFlagNames = [
  "BACKFILLED",
  "LIVE",
  "FWD_FILLED",
  "OUT_OF_ORDER",
  "ADJUSTED",
  "PARTIAL_BAR",
  "DUPLICATE",
  "ROLLED_UP",
  "SUSPECT",
  "REVISED"
] as const
