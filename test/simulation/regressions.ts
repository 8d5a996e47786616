/**
 * Which seeds have found something?
 *
 * They are run first, each time. What a seed means changes whenever the world or the code does, so what was found has a
 * test of its own beside it.
 */

/** A seed, and what it once found. */
export interface Regression {
  readonly seed: number
  readonly found: string
}

/** All of them. */
export const regressions: ReadonlyArray<Regression> = []
