/**
 * How much time does a range set hold, and where?
 *
 * Questions about one set: its ranges by index, its length and bars, and what lies at one moment.
 */
import * as Option from "effect/Option"
import type { Range } from "./Range.ts"
import { countUpTo } from "./RangeEdges.ts"
import { empty, type RangeSet } from "./RangeSet.ts"

/** Whether the set holds no time. */
export const isEmpty = (set: RangeSet): boolean => set.edges.length === 0

/** How many separate ranges the set has. */
export const size = (set: RangeSet): number => set.edges.length / 2

/** The range at `index`, counted from 0 in order of time; `[NaN, NaN]` where there is none. */
export const at = (set: RangeSet, index: number): Range => [
  set.edges[index * 2] ?? Number.NaN,
  set.edges[index * 2 + 1] ?? Number.NaN
]

/** The first and the last edge: the shortest single range around all of the set. None when it is empty. */
export const bounds = (set: RangeSet): Option.Option<{ readonly start: number; readonly end: number }> => {
  const { edges } = set
  return edges.length === 0 ? Option.none() : Option.some({ start: edges[0]!, end: edges[edges.length - 1]! })
}

/** Whether one set is over before the other begins, or is empty: then no time is in both. O(1). */
export const areApart = (a: RangeSet, b: RangeSet): boolean =>
  isEmpty(a) || isEmpty(b) || a.edges.at(-1)! <= b.edges[0]! || b.edges.at(-1)! <= a.edges[0]!

/** Milliseconds in the set, gaps not counted. */
export const durationMs = ({ edges }: RangeSet): number => {
  let total = 0
  for (let edge = 0; edge < edges.length; edge += 2) total += edges[edge + 1]! - edges[edge]!
  return total
}

/**
 * Bars of `intervalMs` that fit into the set, range by range. Ranges are aligned to the interval in all that is stored,
 * so nothing is left over; where one is not, its remainder counts for no bar.
 */
export const bars = ({ edges }: RangeSet, intervalMs: number): number => {
  let total = 0
  for (let edge = 0; edge < edges.length; edge += 2) total += Math.floor((edges[edge + 1]! - edges[edge]!) / intervalMs)
  return total
}

/** The starts of the first bars of the set, as `bars` counts them; so many at most. */
export const firstBars = ({ edges }: RangeSet, intervalMs: number, most: number): ReadonlyArray<number> => {
  const starts: Array<number> = []
  for (let edge = 0; edge < edges.length && starts.length < most; edge += 2) {
    const count = Math.min(Math.floor((edges[edge + 1]! - edges[edge]!) / intervalMs), most - starts.length)
    for (let bar = 0; bar < count; bar++) starts.push(edges[edge]! + bar * intervalMs)
  }
  return starts
}

/** Whether the moment `timeMs` is in the set. O(log n). */
export const includes = (set: RangeSet, timeMs: number): boolean => countUpTo(set.edges, timeMs) % 2 === 1

/**
 * Up to where the set goes on without a gap from `start`: the end of the range that holds it, or `start` itself when
 * none does. O(log n).
 *
 * @example
 * coveredPrefixEnd(RangeSet.of(0, 60), 30) // => 60
 * coveredPrefixEnd(RangeSet.of(0, 60), 60) // => 60
 */
export const coveredPrefixEnd = (set: RangeSet, start: number): number => {
  const next = countUpTo(set.edges, start)
  return next % 2 === 1 ? set.edges[next]! : start
}

/** The ranges that last more than `lengthMs`. */
export const longerThan = (set: RangeSet, lengthMs: number): RangeSet => chosen(set, (rangeMs) => rangeMs > lengthMs)

/** The ranges that last at most `lengthMs`: with `longerThan`, the whole set. */
export const notLongerThan = (set: RangeSet, lengthMs: number): RangeSet =>
  chosen(set, (rangeMs) => rangeMs <= lengthMs)

const chosen = ({ edges }: RangeSet, isWanted: (rangeMs: number) => boolean): RangeSet => {
  const out = new Float64Array(edges.length)
  let kept = 0
  for (let edge = 0; edge < edges.length; edge += 2) {
    if (!isWanted(edges[edge + 1]! - edges[edge]!)) continue
    out[kept++] = edges[edge]!
    out[kept++] = edges[edge + 1]!
  }
  return kept === 0 ? empty : { edges: out.slice(0, kept) }
}
