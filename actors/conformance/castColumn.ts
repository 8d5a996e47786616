/**
 * What are the values of one column in the type that its schema promises?
 */
import { Result } from "effect"
import { absent, type Column, type ColumnType } from "../../protocol/frame/Column.ts"
import type { ConformanceRules } from "../../protocol/frame/ConformanceRules.ts"
import type { Field } from "../../protocol/frame/DataSchema.ts"
import { hasValue } from "../../protocol/frame/hasValue.ts"
import type { RawColumn, RawValue } from "../../protocol/frame/RawRows.ts"
import { ConformanceFailed, quote } from "./ConformanceFailed.ts"
import { makeSentinel } from "./makeSentinel.ts"
import { boolReader, type Cell, cellsOf, meaning, readFloat, readInt, textReader } from "./readCell.ts"
import { readTimes } from "./readTimes.ts"

/** A column in its type. */
export interface CastColumn {
  readonly column: Column
  /** Values that the type can't hold as they are, and that are missing now. */
  readonly lossCount: number
  /** The rows of these, by number. */
  readonly lossRows: ReadonlyArray<number>
  /** Missing values that the field's default took the place of. */
  readonly defaultCount: number
  /** The rows of these, by number. */
  readonly defaultRows: ReadonlyArray<number>
}

/** The column as it is. */
const unchanged = (column: Column): CastColumn => ({
  column,
  lossCount: 0,
  lossRows: [],
  defaultCount: 0,
  defaultRows: []
})

/** Values one by one, those that stand for none being null. */
interface Cells {
  readonly rows: number
  readonly at: (row: number) => RawValue
}

/** Puts a value into its row; false where the type can't hold it. */
type Put = (row: number, cell: Cell) => boolean

const putInto =
  <Value>(out: { [row: number]: Value }, read: (cell: Cell) => Value | undefined): Put =>
  (row, cell) => {
    const value = read(cell)
    if (value !== undefined) out[row] = value
    return value !== undefined
  }

/** Texts get places in the order in which they are met. */
const placesOf = (dictionary: Array<string>, read: (cell: Cell) => string | undefined) => {
  const places = new Map<string, number>()
  return (cell: Cell): number | undefined => {
    const text = read(cell)
    const known = text === undefined ? undefined : places.get(text)
    if (text === undefined || known !== undefined) return known
    places.set(text, dictionary.length)
    return dictionary.push(text) - 1
  }
}

/** A column of missing values, and how values are put into it. */
const open = (field: Field, rows: number): { readonly column: Column; readonly put: Put } => {
  const column = absent(field.name, field.type, rows)
  switch (column.type) {
    case "float64":
      return { column, put: putInto(column.values, readFloat) }
    case "int64":
      return { column, put: putInto(column.values, readInt) }
    case "bool":
      return { column, put: putInto(column.values, boolReader(field)) }
    case "category": {
      const dictionary: Array<string> = []
      const put = putInto(column.values, placesOf(dictionary, textReader(field)))
      return { column: { ...column, dictionary }, put }
    }
    case "timestamp":
      return { column, put: putInto(column.values, (cell) => (typeof cell === "number" ? cell : undefined)) }
  }
}

const failure = (field: Pick<Field, "name">, row: number, cell: RawValue, problem: string): ConformanceFailed =>
  new ConformanceFailed({
    step: "castColumns",
    column: field.name,
    row,
    message: `${field.name}, row ${row}: ${quote(cell)} ${problem}`
  })

const castCells = (
  field: Field,
  cells: Cells,
  rules: ConformanceRules
): Result.Result<CastColumn, ConformanceFailed> => {
  const { column, put } = open(field, cells.rows)
  // a column that is tried out refuses no rows
  const onLoss = field.onLoss ?? (field.experimental ? "missing" : rules.onLoss) ?? "fail"
  const fallback = field.default
  const [lossRows, defaultRows]: [Array<number>, Array<number>] = [[], []]
  for (let row = 0; row < cells.rows; row++) {
    const cell = cells.at(row)
    if (cell === null) {
      if (fallback === undefined) continue
      if (!put(row, fallback)) return Result.fail(failure(field, row, fallback, `is no ${meaning[field.type]}`))
      defaultRows.push(row)
    } else if (!put(row, cell)) {
      if (onLoss === "fail") return Result.fail(failure(field, row, cell, `is no ${meaning[field.type]}`))
      lossRows.push(row)
    }
  }
  const [lossCount, defaultCount] = [lossRows.length, defaultRows.length]
  return Result.succeed({ column, lossCount, lossRows, defaultCount, defaultRows })
}

/** The moments of a column, read all at once: which unit they are in may be for all of them to show. */
const castTimes = (
  field: Field,
  cells: Cells,
  rules: ConformanceRules
): Result.Result<CastColumn, ConformanceFailed> => {
  const fallback = field.default ?? null
  const given = Array.from({ length: cells.rows }, (_, row) => cells.at(row) ?? fallback)
  const unit = field.unit === undefined ? {} : { unit: field.unit }
  return Result.match(readTimes(given, { ...rules.time, unit: "ms", ...unit }), {
    onFailure: ({ problem, row }) => Result.fail(failure(field, row, given[row] ?? null, problem)),
    onSuccess: ({ timeMs }) => {
      const column: Column = { name: field.name, type: "timestamp", values: timeMs }
      return Result.succeed(unchanged(column))
    }
  })
}

/** Times in whole milliseconds: what is below that is not stored, and would look revised when it comes again. */
const inMs = (column: Column): Column =>
  column.type !== "timestamp" || column.values.every((value) => Number.isNaN(value) || Number.isInteger(value))
    ? column
    : { ...column, values: column.values.map(Math.floor) }
/** Whether it is stored as it stands: half a surrogate pair is none in UTF-8. */
const isWellFormed = (column: Column): boolean =>
  column.type !== "category" || column.dictionary.every((text) => text.isWellFormed())

/** The column as it is, where its values are of the type already and nothing may stand for a missing one. */
const asGiven = (field: Field, given: RawColumn): Column | undefined => {
  const { name, type } = field
  if (field.missing !== undefined || field.default !== undefined || field.spellings !== undefined) return undefined
  if ("type" in given) return given.type === type && isWellFormed(given) ? { ...inMs(given), name } : undefined
  if (type === "float64" && given.values instanceof Float64Array) return { name, type, values: given.values }
  if (type === "int64" && given.values instanceof BigInt64Array) return { name, type, values: given.values }
  return undefined
}

const cellsGiven = (field: Field, given: RawColumn): Cells => {
  const at = cellsOf(given)
  const isSentinel = makeSentinel(field.missing ?? [])
  // only as the value of a category may it be text like any other
  const isNothing = (cell: Cell): boolean => (cell === "NaN" && field.type !== "category") || isSentinel(cell)
  return {
    rows: given.values.length,
    at: (row) => {
      const cell = at(row)
      return cell === null || isNothing(cell) ? null : cell
    }
  }
}

/**
 * The given values, or missing ones where none are given, in the type of the field. What is of that type already is
 * passed on uncopied. Fails, unless the rules say that such values are missing, at the first that the type can't hold
 * as it is: that has a fraction or is too large, that is no number, no time, or spelt in a way that is not known.
 */
export const castColumn = (
  field: Field,
  given: RawColumn | { readonly rows: number },
  rules: ConformanceRules
): Result.Result<CastColumn, ConformanceFailed> => {
  const column = "values" in given ? asGiven(field, given) : undefined
  if (column !== undefined) return Result.succeed(unchanged(column))
  const cells = "values" in given ? cellsGiven(field, given) : { rows: given.rows, at: () => null }
  return field.type === "timestamp" ? castTimes(field, cells, rules) : castCells(field, cells, rules)
}

const kindOf = (cell: Cell): ColumnType => {
  if (typeof cell === "bigint") return "int64"
  if (typeof cell === "boolean") return "bool"
  return typeof cell === "number" ? "float64" : "category"
}

/** What stands for no number in text stands for no value of a column that no schema names. */
const noNumber = "NaN"

/** The type of the values that are there; none where all are missing. Fails at the first that is of another. */
const typeOf = ({ name }: RawColumn, { at, rows }: Cells): Result.Result<ColumnType | undefined, ConformanceFailed> => {
  let type: ColumnType | undefined
  for (let row = 0; row < rows; row++) {
    const cell = at(row)
    if (cell === null || cell === noNumber) continue
    const kind = kindOf(cell)
    if (type !== undefined && type !== kind) {
      const problem = `is ${kind}, and those before it are ${type}: name ${name} in the schema, or drop it`
      return Result.fail(failure({ name }, row, cell, problem))
    }
    type = kind
  }
  return Result.succeed(type)
}

/** A column whose values have one type each, whatever they are. */
const typed = ({ name, ...given }: RawColumn): Column | undefined => {
  if ("type" in given) return { name, ...given }
  if (given.values instanceof Float64Array) return { name, type: "float64", values: given.values }
  return given.values instanceof BigInt64Array ? { name, type: "int64", values: given.values } : undefined
}

/**
 * A column that no schema names, in the type of its values; none where no row has one. Text is text, also where it
 * reads as a number. Fails where values are of several types: which one is meant would depend on which rows are given
 * at once.
 */
export const castExtra = (
  given: RawColumn,
  rules: ConformanceRules
): Result.Result<CastColumn | undefined, ConformanceFailed> => {
  const { name } = given
  const column = typed(given)
  if (column !== undefined) {
    return hasValue(column)
      ? castColumn({ name, type: column.type, required: false }, column, rules)
      : Result.succeed(undefined)
  }
  return Result.flatMap(typeOf(given, { at: cellsOf(given), rows: given.values.length }), (type) =>
    type === undefined
      ? Result.succeed(undefined)
      : castColumn({ name, type, required: false, missing: [noNumber] }, given, rules)
  )
}
