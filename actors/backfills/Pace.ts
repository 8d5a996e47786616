/**
 * How fast does something go, and when will it be done?
 *
 * Pure: what was seen of it over the last minute. Before there are two moments far enough apart nobody knows.
 */

/** What was done by a moment. */
export interface Sample {
  readonly atMs: number
  readonly done: number
}

/** What was seen lately, oldest first. */
export type Pace = ReadonlyArray<Sample>

/** Nothing was seen yet. */
export const empty: Pace = []

/** How far back it is looked. */
const windowMs = 60_000
/** Samples that are closer than this are one: so many fit into the window, and no more are kept. */
const apartMs = 500
/** Two moments that are closer tell nothing. */
const basisMs = 1000

/** The pace with one more sample, and without what lies too far back. */
export const seen = (pace: Pace, sample: Sample): Pace => {
  const recent = pace.filter(({ atMs }) => sample.atMs - atMs <= windowMs)
  const before = recent.at(-2)
  const kept = before !== undefined && sample.atMs - before.atMs < apartMs ? recent.slice(0, -1) : recent
  return [...kept, sample]
}

/** How much is done in a second; null where it is not known. What was undone counts for nothing. */
export const perSecond = (pace: Pace): number | null => {
  const [first, last] = [pace[0], pace.at(-1)]
  if (first === undefined || last === undefined || last.atMs - first.atMs < basisMs) return null
  return Math.max(0, ((last.done - first.done) * 1000) / (last.atMs - first.atMs))
}

/** When so much more will be done; null where nobody knows, or never. */
export const secondsFor = (left: number, rate: number | null): number | null => {
  if (left === 0) return 0
  return rate === null || rate === 0 ? null : left / rate
}
