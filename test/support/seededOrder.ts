/** How is a test random, and the same again? */

/** Numbers from 0 to below 1; the same seed gives the same ones (the mulberry32 generator). */
export const seededNumbers = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The numbers from 0 to below `count` in an order that the seed decides. */
export const seededOrder = (count: number, seed: number): ReadonlyArray<number> => {
  const next = seededNumbers(seed)
  return Array.from({ length: count }, (_, number) => ({ number, rank: next() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ number }) => number)
}
