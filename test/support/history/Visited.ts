/**
 * Was the search here before?
 *
 * What can still become of a history depends on which operations are placed and on the state alone (Lowe). Whoever is
 * there with fewer of the unknown ones placed can do all that the other can, since unknown ones need not be placed.
 */

/** Where the search has been. */
export interface Visited {
  /** Notes that an operation is placed, or that it is not any more. */
  readonly flip: (operation: number) => void
  /**
   * Notes that the search is here: false where it was, or with fewer of the unknown ones. `lowest` is the first
   * operation that is not placed, `highest` the last that is.
   */
  readonly enter: (at: {
    readonly lowest: number
    readonly highest: number
    readonly unknown: bigint
    readonly state: string
  }) => boolean
}

const bitsPerWord = 32

const wordOf = (operation: number): number => Math.floor(operation / bitsPerWord)

/** Nothing visited so far, of so many operations with a known outcome. */
export const make = (operations: number): Visited => {
  const placed = new Uint32Array(Math.ceil((operations + 1) / bitsPerWord))
  const seen = new Map<string, ReadonlyArray<bigint>>()
  return {
    flip: (operation) => {
      placed[wordOf(operation)]! ^= 1 << (operation % bitsPerWord)
    },
    enter: ({ highest, lowest, state, unknown }) => {
      // all below the lowest are placed and none above the highest, so that the words between tell everything
      let key = `${lowest}`
      for (let word = wordOf(lowest); word <= wordOf(highest); word++) key += `,${placed[word]}`
      // no number has a semicolon, whatever a state has
      key += `;${state}`
      const before = seen.get(key) ?? []
      if (before.some((fewer) => (fewer & unknown) === fewer)) return false
      seen.set(key, [...before.filter((more) => (more & unknown) !== unknown), unknown])
      return true
    }
  }
}
