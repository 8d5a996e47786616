/**
 * What is one typed column?
 *
 * A typed array, and a value of it that means "missing": a column needs no bitmap beside it. float64 and timestamp have
 * NaN, int64 has its lowest value (as NaT has it elsewhere), bool and category have a number that is none of theirs.
 */

/** Names of the types of columns, as schemas spell them. */
export const columnTypes = ["float64", "int64", "bool", "category", "timestamp"] as const

/** Name of a type of columns. */
export type ColumnType = (typeof columnTypes)[number]

/** What stands for a missing value in the columns that have no NaN. */
export const missing = { int64: -(2n ** 63n), bool: 255, category: 2 ** 32 - 1 } as const

/** Numbers; NaN where a value is missing. */
export interface FloatColumn {
  readonly name: string
  readonly type: "float64"
  readonly values: Float64Array
}

/** Whole numbers of up to 63 bits; `missing.int64` where a value is missing. */
export interface IntColumn {
  readonly name: string
  readonly type: "int64"
  readonly values: BigInt64Array
}

/** 1 for true, 0 for false, `missing.bool` where a value is missing. */
export interface BoolColumn {
  readonly name: string
  readonly type: "bool"
  readonly values: Uint8Array
}

/** Text that repeats: each value is the place of its text in the dictionary, or `missing.category`. */
export interface CategoryColumn {
  readonly name: string
  readonly type: "category"
  readonly values: Uint32Array
  /** The texts, each once; some may be used by no row. */
  readonly dictionary: ReadonlyArray<string>
}

/** Moments in epoch milliseconds UTC; NaN where a value is missing. */
export interface TimeColumn {
  readonly name: string
  readonly type: "timestamp"
  readonly values: Float64Array
}

/** A named column of one type. */
export type Column = FloatColumn | IntColumn | BoolColumn | CategoryColumn | TimeColumn

/** A column of numbers. */
export const float64 = (name: string, values: Float64Array): FloatColumn => ({ name, type: "float64", values })

/** A column of `rows` missing values. */
export const absent = (name: string, type: ColumnType, rows: number): Column => {
  switch (type) {
    case "float64":
    case "timestamp":
      return { name, type, values: new Float64Array(rows).fill(Number.NaN) }
    case "int64":
      return { name, type, values: new BigInt64Array(rows).fill(missing.int64) }
    case "bool":
      return { name, type, values: new Uint8Array(rows).fill(missing.bool) }
    case "category":
      return { name, type, values: new Uint32Array(rows).fill(missing.category), dictionary: [] }
  }
}

/** Whether two rows of a column have the same value: missing equals missing, and the two zeros are one number. */
export const isSameValue = ({ values }: Column, a: number, b: number): boolean =>
  values[a] === values[b] || (Number.isNaN(values[a]) && Number.isNaN(values[b]))
