/** In which order do the ids of trades stand, or the versions of rows? */
import { type Column, missing } from "../../protocol/frame/Column.ts"
import { readWhole } from "./readDecimal.ts"

/** Before all others: of a trade without an id nothing else is known. */
const none = -Infinity

const compare = (a: bigint | string, b: bigint | string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The place of each value among all of them, in their order. */
const placesOf = <Value extends bigint | string>(values: Iterable<Value>): ReadonlyMap<Value, number> =>
  new Map(
    Array.from(new Set(values))
      .toSorted(compare)
      .map((value, place) => [value, place] as const)
  )

/** Texts that are all whole numbers stand in the order of the numbers. */
const textPlaces = (dictionary: ReadonlyArray<string>): ReadonlyArray<number> => {
  const numbers = dictionary.flatMap((text) => readWhole(text) ?? [])
  if (numbers.length < dictionary.length) {
    const places = placesOf(dictionary)
    return dictionary.map((text) => places.get(text) ?? none)
  }
  const places = placesOf(numbers)
  return numbers.map((number) => places.get(number) ?? none)
}

/**
 * A number for each id, equal for equal ids and ascending as they do; NaN throughout where there is no column of them.
 * What the numbers are besides has no meaning.
 */
export const tradeIds = (column: Column | undefined, rows: number): Float64Array => {
  switch (column?.type) {
    case "float64":
    case "timestamp":
      return column.values.some(Number.isNaN)
        ? column.values.map((id) => (Number.isNaN(id) ? none : id))
        : column.values
    case "int64": {
      const places = placesOf(column.values.filter((id) => id !== missing.int64))
      return Float64Array.from(column.values, (id) => places.get(id) ?? none)
    }
    case "category": {
      const places = textPlaces(column.dictionary)
      return Float64Array.from(column.values, (place) => places[place] ?? none)
    }
    default:
      return new Float64Array(rows).fill(Number.NaN)
  }
}
