/** How are so many measured times spread? */

const quantiles = [0.5, 0.9, 0.99, 1] as const

/** The time that a part of them does not exceed, from 0 to 1; 0 where there are none. */
export const quantile = (timesMs: ReadonlyArray<number>, part: number): number =>
  timesMs.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(timesMs.length * part) - 1)] ?? 0

/** The spread in a line, for people. */
export const describeSpread = (what: string, timesMs: ReadonlyArray<number>): string => {
  const parts = quantiles.map((part) => `p${part * 100} ${quantile(timesMs, part).toFixed(0)} ms`)
  return `${what}: ${timesMs.length}, ${parts.join(", ")}`
}
