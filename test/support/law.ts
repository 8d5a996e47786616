/** How is a law stated as a test? */
import * as fc from "fast-check"
import { it } from "vitest"

/** Enough for pairs of small sets to meet in every way, and still well under a second a law. */
const numRuns = 2_000

/** A test that `claim` holds, by its own expectations, for each draw of the arbitraries. */
export const law = <T extends [unknown, ...Array<unknown>]>(
  title: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  claim: (...values: T) => void
): void => {
  // The claim's own result is dropped: fast-check would read an expectation's return value as a verdict.
  const property = fc.property(...arbitraries, (...values: T): void => {
    claim(...values)
  })
  it(title, () => fc.assert(property, { numRuns }))
}
