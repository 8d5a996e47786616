/**
 * What does a source hand over?
 *
 * Rows as the source gives them, by column, before they are conformed: any order, any of the usual spellings of a time
 * or a value, doubled rows and all. Conformance turns them into a sealed frame.
 */
import type { Column } from "./Column.ts"

/** A value as given; null where it is missing. */
export type RawValue = number | string | bigint | boolean | null

/** A column as given, of no declared type. */
interface GivenColumn {
  readonly name: string
  readonly values: Float64Array | BigInt64Array | ReadonlyArray<RawValue>
}

/** A column as given, or one that is typed already. */
export type RawColumn = GivenColumn | Column

/** Rows as given; every column is as long as `eventTime`. */
export interface RawRows {
  /**
   * Numbers since the epoch, in milliseconds unless the rules name another unit, or ISO 8601 text, in UTC where
   * neither it nor the rules name a zone. A `BigInt64Array` holds numbers too: nanoseconds are exact in it.
   */
  readonly eventTime: Float64Array | BigInt64Array | ReadonlyArray<number | string | bigint>
  readonly columns: ReadonlyArray<RawColumn>
}
