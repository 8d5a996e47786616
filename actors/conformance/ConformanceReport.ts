/**
 * What did conforming find?
 *
 * Counts only: which rows were meant is said by their flags. The counts travel on into the quality summary of an
 * answer.
 */

/** What the steps counted in one batch of rows. */
export interface ConformanceReport {
  /** Rows in the sealed frame. */
  readonly rows: number
  /** Rows given with an event time inside a bar, set to the bar's start. */
  readonly movedToBar: number
  /** Rows given behind a row of later event time. */
  readonly outOfOrderCount: number
  /** Rows given that gave way to another of their event time; with `rows` they add up to the rows given. */
  readonly duplicateCount: number
}
