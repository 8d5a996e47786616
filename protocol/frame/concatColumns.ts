/**
 * How do columns of one name become one?
 */
import * as Column from "./Column.ts"

/** What one of the frames that are joined has of a column, if anything, and how many rows. */
export interface Part {
  readonly column: Column.Column | undefined
  readonly rows: number
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
    }
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

/**
 * The values of all parts, one after another; missing where a part has no such column, or one of another type. The
 * first part that has the column says its type.
 */
export const concatColumns = (name: string, parts: ReadonlyArray<Part>): Column.Column => {
  const type = parts.find(({ column }) => column !== undefined)?.column?.type ?? "float64"
  const out = Column.absent(
    name,
    type,
    parts.reduce((sum, { rows }) => sum + rows, 0)
  )
  if (out.type === "category") return joinCategories(out, parts)
  let row = 0
  for (const { column, rows } of parts) {
    if (out.type === "int64" && column?.type === "int64") out.values.set(column.values, row)
    else if (out.type === "bool" && column?.type === "bool") out.values.set(column.values, row)
    else if (out.type === "float64" && column?.type === "float64") out.values.set(column.values, row)
    else if (out.type === "timestamp" && column?.type === "timestamp") out.values.set(column.values, row)
    row += rows
  }
  return out
}
