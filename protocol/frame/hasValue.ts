/** Does any row of a column have a value? */
import { type Column, missing } from "./Column.ts"

/** Whether there is a row in which the column's value is not missing. */
export const hasValue = (column: Column): boolean => {
  switch (column.type) {
    case "float64":
    case "timestamp":
      return column.values.some((value) => !Number.isNaN(value))
    case "int64":
      return column.values.some((value) => value !== missing.int64)
    case "bool":
      return column.values.some((value) => value !== missing.bool)
    case "category":
      return column.values.some((place) => place !== missing.category)
  }
}
