/**
 * What does a source hand over?
 *
 * Rows as the source gives them, by column, before they are conformed: any order, any of the usual spellings of a time
 * or a number, doubled rows and all. Conformance turns them into a sealed frame.
 */

/** A column as given: numbers, decimal text, or null for a missing value. */
export interface RawColumn {
  readonly name: string
  readonly values: Float64Array | ReadonlyArray<number | string | null>
}

/** Rows as given; every column is as long as `eventTime`. */
export interface RawRows {
  /** Epoch milliseconds, or ISO 8601 text; text without a zone is UTC. */
  readonly eventTime: Float64Array | ReadonlyArray<number | string>
  readonly columns: ReadonlyArray<RawColumn>
}
