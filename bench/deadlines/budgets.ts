/** How long may each of many reads take? */

/** The shortest and the longest budget, in milliseconds. */
const budgetsMs = [50, 2000] as const

/** A share of a golden section further each time: any stretch of them is spread evenly, and every run has the same. */
const step = 0.618_033_988_749_895

/** The budget of a read, by its number. */
export const budgetOf = (number: number): number => {
  const [shortest, longest] = budgetsMs
  return Math.round(shortest + ((number * step) % 1) * (longest - shortest))
}
