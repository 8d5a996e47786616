/**
 * How is text that repeats held as places in a dictionary?
 *
 * A dictionary is as its column came about: slices share one, and may use few of its texts. The canonical one follows
 * from the rows alone.
 */
import { type CategoryColumn, missing } from "./Column.ts"

/** The column of these texts, null where one is missing, with its canonical dictionary. */
export const fromTexts = (name: string, texts: ReadonlyArray<string | null>): CategoryColumn => {
  const places = new Map<string, number>()
  const values = Uint32Array.from(texts, (text) => {
    if (text === null) return missing.category
    const place = places.get(text) ?? places.size
    places.set(text, place)
    return place
  })
  return { name, type: "category", values, dictionary: Array.from(places.keys()) }
}

/** The text of each row; null where it is missing. */
export const toTexts = ({ dictionary, values }: CategoryColumn): ReadonlyArray<string | null> =>
  Array.from(values, (place) => dictionary[place] ?? null)

const isCanonical = ({ dictionary, values }: CategoryColumn): boolean => {
  let met = 0
  for (let row = 0; row < values.length; row++) {
    const place = values[row]!
    if (place === met) met += 1
    else if (place > met && place !== missing.category) return false
  }
  return met === dictionary.length
}

/** The column with texts that have a form in UTF-8: what has none would come back from its bytes as another text. */
const wellFormed = (column: CategoryColumn): CategoryColumn =>
  column.dictionary.every((text) => text.isWellFormed())
    ? column
    : fromTexts(
        column.name,
        toTexts(column).map((text) => text?.toWellFormed() ?? null)
      )

/**
 * The same texts with the canonical dictionary: each text that a row has, in the order in which rows have them first.
 * Half a surrogate pair becomes the character that stands for what can't be said, as in UTF-8. The column itself where
 * all of this is so already.
 */
export const canonical = (given: CategoryColumn): CategoryColumn => {
  const column = wellFormed(given)
  if (isCanonical(column)) return column
  const placeOf = new Uint32Array(column.dictionary.length).fill(missing.category)
  const dictionary: Array<string> = []
  const values = column.values.map((place) => {
    if (place === missing.category) return place
    if (placeOf[place] === missing.category) placeOf[place] = dictionary.push(column.dictionary[place]!) - 1
    return placeOf[place]!
  })
  return { ...column, values, dictionary }
}
