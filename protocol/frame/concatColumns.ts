/**
 * How do columns of one name become one?
 *
 * Where the frame before all others has no rows, it is a schema that says the type, as far as that holds all values.
 * Else the values say it. None of them is ever lost.
 */
import * as Category from "./Category.ts"
import * as Column from "./Column.ts"
import { convertNumbers, floatsOf } from "./convertNumbers.ts"
import { hasValue } from "./hasValue.ts"

/** What one of the frames that are joined has of a column, if anything, and how many rows. */
export interface Part {
  readonly column: Column.Column | undefined
  readonly rows: number
}

/** A column of `rows` zeros, to be written: a zero of a category is the first text, not a missing one. */
const blank = (name: string, type: Column.ColumnType, rows: number): Column.Column => {
  switch (type) {
    case "float64":
    case "timestamp":
      return { name, type, values: new Float64Array(rows) }
    case "int64":
      return { name, type, values: new BigInt64Array(rows) }
    case "bool":
      return { name, type, values: new Uint8Array(rows) }
    case "category":
      return { name, type, values: new Uint32Array(rows), dictionary: [] }
  }
}

/** Makes the values of rows `[from, to)` missing, in place. */
const clear = (column: Column.Column, from: number, to: number): void => {
  switch (column.type) {
    case "float64":
    case "timestamp":
      return void column.values.fill(Number.NaN, from, to)
    case "int64":
      return void column.values.fill(Column.missing.int64, from, to)
    case "bool":
    case "category":
      return void column.values.fill(Column.missing[column.type], from, to)
  }
}

/** Writes the places of each part that is a category, changed as its dictionary asks. */
const joinPlaces = (
  out: Uint32Array,
  parts: ReadonlyArray<Part>,
  placesIn: (dictionary: ReadonlyArray<string>) => Uint32Array | "same"
): void => {
  let row = 0
  for (const { column, rows } of parts) {
    if (column?.type === "category") {
      const placeOf = placesIn(column.dictionary)
      const absent = Column.missing.category
      const values = placeOf === "same" ? column.values : column.values.map((at) => (at === absent ? at : placeOf[at]!))
      out.set(values, row)
    } else out.fill(Column.missing.category, row, row + rows)
    row += rows
  }
}

const joinCategories = (out: Column.CategoryColumn, parts: ReadonlyArray<Part>): Column.CategoryColumn => {
  const dictionaries = parts.flatMap(({ column }) => (column?.type === "category" ? [column.dictionary] : []))
  const [first, ...others] = new Set(dictionaries.filter(({ length }) => length > 0))
  if (first !== undefined && others.length === 0) {
    // slices of one column: their places are the same already
    joinPlaces(out.values, parts, () => "same")
    return { ...out, dictionary: first }
  }
  const places = new Map<string, number>()
  joinPlaces(out.values, parts, (dictionary) =>
    Uint32Array.from(dictionary, (text) => {
      const place = places.get(text) ?? places.size
      places.set(text, place)
      return place
    })
  )
  return { ...out, dictionary: Array.from(places.keys()) }
}

const isWhole = (value: number): boolean => Number.isNaN(value) || Number.isSafeInteger(value)

/** Whether a column of the type has all values of this one as they are. */
const holds = (type: Column.ColumnType, column: Column.Column): boolean =>
  column.type === type ||
  !hasValue(column) ||
  (type === "float64" && column.type === "int64" && floatsOf(column.values) !== undefined) ||
  (type === "int64" && column.type === "float64" && column.values.every(isWhole))

/** The type that has all values; a part in which all are missing has no say. */
const commonType = (parts: ReadonlyArray<Part>): Column.ColumnType => {
  const columns = parts.flatMap(({ column }) => column ?? [])
  const [first] = columns
  if (first === undefined) return "float64"
  if (columns.every(({ type }) => type === first.type)) return first.type
  const telling = columns.filter(hasValue)
  const [only = first.type, ...others] = new Set(telling.map(({ type }) => type))
  if (others.length === 0) return only
  const areNumbers = telling.every(
    (column) => column.type === "float64" || (column.type === "int64" && floatsOf(column.values) !== undefined)
  )
  return areNumbers ? "float64" : "category"
}

/** The values as text, spelt as a category has them that is given such values. */
const toCategory = (column: Column.Column): Column.CategoryColumn => {
  const { name } = column
  switch (column.type) {
    case "category":
      return column
    case "bool":
      return Category.fromTexts(
        name,
        Array.from(column.values, (value) => (value === Column.missing.bool ? null : String(value === 1)))
      )
    case "int64":
      return Category.fromTexts(
        name,
        Array.from(column.values, (value) => (value === Column.missing.int64 ? null : String(value)))
      )
    case "float64":
    case "timestamp":
      return Category.fromTexts(
        name,
        Array.from(column.values, (value) => (Number.isNaN(value) ? null : String(value)))
      )
  }
}

/** The type that the first part promises, if it does and all values have a place in it. */
const promisedType = (parts: ReadonlyArray<Part>): Column.ColumnType | undefined => {
  const [first, ...others] = parts
  const type = first?.rows === 0 ? first.column?.type : undefined
  return type !== undefined && others.every(({ column }) => column === undefined || holds(type, column))
    ? type
    : undefined
}

/**
 * The values of all parts, one after another; missing where a part has no such column. Where the first part has the
 * column and no rows, it says the type: numbers become float64 or int64 where that changes none of them. Where it has
 * no place for some value, and where no part says the type, the column has the type of its values: numbers where
 * float64 has all of them as they are, and text where they are of several types.
 */
export const concatColumns = (name: string, given: ReadonlyArray<Part>): Column.Column => {
  const type = promisedType(given) ?? commonType(given)
  const out = blank(
    name,
    type,
    given.reduce((sum, { rows }) => sum + rows, 0)
  )
  const parts =
    type === "category" ? given.map(({ column, rows }) => ({ column: column && toCategory(column), rows })) : given
  if (out.type === "category") return joinCategories(out, parts)
  let row = 0
  for (const { column: given, rows } of parts) {
    const column = given === undefined ? given : convertNumbers(given, out.type)
    if (out.type === "int64" && column?.type === "int64") out.values.set(column.values, row)
    else if (out.type === "bool" && column?.type === "bool") out.values.set(column.values, row)
    else if (out.type === "float64" && column?.type === "float64") out.values.set(column.values, row)
    else if (out.type === "timestamp" && column?.type === "timestamp") out.values.set(column.values, row)
    else clear(out, row, row + rows)
    row += rows
  }
  return out
}
