/**
 * What did conforming find?
 *
 * Counts: which rows were meant is said by their flags. The counts travel on into the quality summary of an answer.
 * The rows given are those of the sealed frame, those that gave way as duplicates, those left out as late, and those
 * that were rolled up into others.
 */

/** What the steps counted in one batch of rows. */
export interface ConformanceReport {
  /** Rows in the sealed frame. */
  readonly rows: number
  /** Rows given with an event time inside a bar, set to the bar's start. */
  readonly movedToBar: number
  /** Rows given behind a row of later event time. */
  readonly outOfOrderCount: number
  /** Those of them that were further behind than the rules allow. */
  readonly lateCount: number
  /** Those of these that the rules leave out. */
  readonly droppedCount: number
  /** Rows given that gave way to another of their event time. */
  readonly duplicateCount: number
  /** Rows that are part of another row's bar. */
  readonly rolledUpCount: number
  /** Values that their column's type can't hold as they are, and that the rules let be missing. */
  readonly lossCount: number
  /** Missing values that a default took the place of. */
  readonly defaultCount: number
  /** Columns of the schema that were not given, and whose values are missing. */
  readonly absentColumns: ReadonlyArray<string>
  /** Local times that come twice, or never, and that the rules decided. */
  readonly ambiguousTimeCount: number
  readonly nonexistentTimeCount: number
}
