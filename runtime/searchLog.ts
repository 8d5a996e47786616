/**
 * Where in a long log is the last entry that is not beyond a point?
 *
 * In a number of looks that grows with the logarithm of the log's length: each look guesses from how the entries on
 * both sides stand to the point, and every other one halves what is left, whatever the guesses are worth.
 */
import { Effect } from "effect"

/** An entry of a log, and how far on it is: the later entry is always further on. */
export interface Ranked<A> {
  /** Its sequence in the stream, which has entries of other logs in between. */
  readonly revision: number
  readonly rank: number
  readonly entry: A
}

/** A log that has entries, and a look into it. */
export interface Log<A, E, R> {
  readonly first: Ranked<A>
  readonly last: Ranked<A>
  /** The first entry of this revision or a later one; asked for revisions up to the last entry's alone. */
  readonly from: (revision: number) => Effect.Effect<Ranked<A>, E, R>
}

const between = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

/** Where the entry of a rank would be, were the entries between these two evenly apart. */
const guess = (low: Ranked<unknown>, high: Ranked<unknown>, rank: number): number => {
  const share = (rank - low.rank) / (high.rank - low.rank)
  return low.revision + Math.floor(share * (high.revision - low.revision))
}

/** The last entry whose rank is `rank` or less; undefined where the first is beyond it already. */
export const searchLog = Effect.fnUntraced(function* <A, E, R>({ first, from, last }: Log<A, E, R>, rank: number) {
  if (first.rank > rank) return undefined
  if (last.rank <= rank) return last
  let [low, high] = [first, last]
  // entries that nobody has looked at are of revisions in [open, end)
  let [open, end] = [low.revision + 1, high.revision]
  for (let looks = 0; open < end && low.rank !== rank; looks++) {
    const at = looks % 2 === 0 ? guess(low, high, rank) : Math.floor((open + end) / 2)
    const revision = between(at, open, end - 1)
    const found = yield* from(revision)
    if (found.revision < end && found.rank <= rank) {
      low = found
      open = found.revision + 1
    } else {
      if (found.revision < end) high = found
      end = revision
    }
  }
  return low
})
