/**
 * Which longer bars can be made of what is known of shorter ones?
 *
 * Pure. A longer bar is proven where all of its shorter time is covered, whether or not there are rows in it. One that
 * lacks time which can't be had, waits for a person or for later, is as that time is, and for its reason; what can be
 * had is waited for.
 */
import { inward, outward } from "../../protocol/history/alignRanges.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import type * as MissingRange from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** What is known of the shorter bars of some time. */
export interface Below {
  /** Covered, or known to have no bar. */
  readonly covered: RangeSet.RangeSet
  /** Why the rest is missing. */
  readonly missing: ReadonlyArray<MissingRange.MissingRange>
  /** The interval of the shorter bars, as it is written. */
  readonly interval: string
}

/** What follows for the longer bars: each is in one of the three. */
export interface Proof {
  readonly proven: RangeSet.RangeSet
  readonly exceptions: ReadonlyArray<MissingRange.MissingRange>
  /** Some of their time is still to be brought. */
  readonly pending: RangeSet.RangeSet
}

// a bar that lacks time for several reasons is as the one that lasts longest
const lasting: ReadonlyArray<MissingRange.MissingState> = ["unavailable", "quarantined", "deferred"]

const evidencePrefix = (interval: string): string => `its ${interval} bars`

/** Whether an exception says how shorter bars of that interval are, and nothing of its own. */
export const isCarriedUp = ({ evidence = "" }: MissingRange.MissingRange, interval: string): boolean =>
  evidence.startsWith(evidencePrefix(interval))

/** What the same is said of, by what is said. */
const grouped = (missing: ReadonlyArray<MissingRange.MissingRange>) => {
  const groups = new Map<string, { readonly said: MissingRange.MissingRange; readonly ranges: Array<Range> }>()
  for (const { end, start, ...said } of missing) {
    const key = JSON.stringify(said)
    const group = groups.get(key) ?? { said: { start, end, ...said }, ranges: [] }
    group.ranges.push([start, end])
    groups.set(key, group)
  }
  return Array.from(groups.values()).toSorted((a, b) => (b.said.retryAt ?? 0) - (a.said.retryAt ?? 0))
}

/** What follows for the longer bars of `stretch`, which is on their grid. */
export const proveBars = (stretch: RangeSet.RangeSet, interval: Interval, below: Below, nowMs: number): Proof => {
  const proven = RangeSet.intersect(inward(RangeSet.intersect(below.covered, stretch), interval), stretch)
  const exceptions: Array<MissingRange.MissingRange> = []
  let open = RangeSet.subtract(stretch, proven)
  const isDue = ({ retryAt, state }: MissingRange.MissingRange): boolean =>
    state === "deferred" && retryAt !== null && retryAt <= nowMs
  for (const state of lasting) {
    for (const { ranges, said } of grouped(below.missing.filter((each) => each.state === state && !isDue(each)))) {
      const bars = RangeSet.intersect(outward(RangeSet.make(ranges), interval), open)
      open = RangeSet.subtract(open, bars)
      const { reason, retryAt } = said
      const evidence = `${evidencePrefix(below.interval)}${said.evidence === undefined ? "" : `: ${said.evidence}`}`
      exceptions.push(...toPairs(bars).map(([start, end]) => ({ start, end, state, reason, retryAt, evidence })))
    }
  }
  return { proven, exceptions: exceptions.toSorted((a, b) => a.start - b.start), pending: open }
}
