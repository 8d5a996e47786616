/** Which of many values has a given part of them below it? */

/** The value at `part` (0 to 1) of the sorted values; the nearest rank, so it is one of them. */
export const quantile = (values: Iterable<number>, part: number): number => {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

/** The value in the middle. */
export const median = (values: Iterable<number>): number => quantile(values, 0.5)
