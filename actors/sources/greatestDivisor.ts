/**
 * How long are bars at most, by the distances between them?
 */

/** The largest whole number that divides both; of 0 and another number, that one. */
export const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b))
