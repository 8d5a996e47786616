/**
 * How do columns of one name become one?
 */
import * as Column from "./Column.ts"

/** What one of the frames that are joined has of a column, if anything, and how many rows. */
export interface Part {
  readonly column: Column.Column | undefined
  readonly rows: number
}

/** The places of the parts' texts in one dictionary. */
const joinCategories = (out: Column.CategoryColumn, parts: ReadonlyArray<Part>): Column.CategoryColumn => {
  const places = new Map<string, number>()
  let row = 0
  for (const { column, rows } of parts) {
    if (column?.type === "category") {
      const placeOf = column.dictionary.map((text) => {
        const place = places.get(text) ?? places.size
        places.set(text, place)
        return place
      })
      for (let index = 0; index < rows; index++) out.values[row + index] = placeOf[column.values[index]!] ?? absentPlace
    }
    row += rows
  }
  return { ...out, dictionary: Array.from(places.keys()) }
}

const absentPlace = Column.missing.category

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
