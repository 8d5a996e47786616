/**
 * How is covered time added, taken away and compared?
 *
 * The algebra of half-open event time, and the one place where ends of ranges are compared. A set is a single typed
 * array of edges, and each operation is a single pass over it: no object per range. What a set holds (its length, its
 * bars, its pairs) is answered by `RangeMeasure.ts` and `RangePairs.ts`.
 */
import { isRange, type Range } from "./Range.ts"
import { countBefore, countUpTo, countUpToFrom } from "./RangeEdges.ts"

/**
 * A canonical union of half-open ranges. `edges` is `[s0, e0, s1, e1, …]`, strictly ascending: ranges are sorted, none
 * is empty, no two overlap or touch. Equal sets have equal edges. Edges are never written after a set is made.
 */
export interface RangeSet {
  readonly edges: Float64Array
}

/** No time at all. */
export const empty: RangeSet = { edges: new Float64Array(0) }

/**
 * The set of the one range `[start, end)`, or `empty` when that holds no time.
 *
 * @example
 * of(0, 60).edges // => Float64Array [0, 60]
 */
export const of = (start: number, end: number): RangeSet =>
  isRange(start, end) ? { edges: Float64Array.of(start, end) } : empty

/**
 * Sorts, drops empty ranges and joins those that overlap or touch.
 *
 * @example
 * make([[60, 120], [0, 60]]).edges // => Float64Array [0, 120]
 */
export const make = (pairs: Iterable<Range>): RangeSet => {
  const starts: Array<number> = []
  const ends: Array<number> = []
  for (const [start, end] of pairs) {
    if (!isRange(start, end)) continue
    starts.push(start)
    ends.push(end)
  }
  if (starts.length === 0) return empty
  return joined(Float64Array.from(starts).toSorted(), Float64Array.from(ends).toSorted())
}

/** Time in either set. */
export const union = (a: RangeSet, b: RangeSet): RangeSet => {
  if (b.edges.length === 0) return a
  return a.edges.length === 0 ? b : sweep(a.edges, b.edges, inEither)
}

/** Time in any of the sets. They are joined two by two, so that each time is looked at O(log k) times for k sets. */
export const unionAll = (sets: Iterable<RangeSet>): RangeSet => {
  let left = [...sets]
  while (left.length > 1) {
    left = left.flatMap((set, index) => (index % 2 === 0 ? [union(set, left[index + 1] ?? empty)] : []))
  }
  return left[0] ?? empty
}

/** Time in `a` but not in `b`: the one definition of "missing". */
export const subtract = (a: RangeSet, b: RangeSet): RangeSet =>
  a.edges.length === 0 || b.edges.length === 0 ? a : sweep(a.edges, b.edges, inFirstOnly)

/** Time in both sets. */
export const intersect = (a: RangeSet, b: RangeSet): RangeSet =>
  a.edges.length === 0 || b.edges.length === 0 ? empty : sweep(a.edges, b.edges, inBoth)

/** The part of the set inside `[start, end)`. O(log n + k), where k is the number of ranges in the answer. */
export const clip = (set: RangeSet, start: number, end: number): RangeSet => cut(set.edges, { start, end, parity: 1 })

/**
 * What of `[start, end)` is not in the set. O(log n + k), where k is the number of ranges in the answer.
 *
 * @example
 * missing(of(60, 120), 0, 180).edges // => Float64Array [0, 60, 120, 180]
 */
export const missing = (set: RangeSet, start: number, end: number): RangeSet =>
  cut(set.edges, { start, end, parity: 0 })

/** Whether all of `b` is in `a`. Every set contains the empty one. */
export const contains = (a: RangeSet, b: RangeSet): boolean => {
  let next = 0
  for (let edge = 0; edge < b.edges.length; edge += 2) {
    next = countUpToFrom(a.edges, b.edges[edge]!, next)
    if (next % 2 === 0 || a.edges[next]! < b.edges[edge + 1]!) return false
  }
  return true
}

/** Whether both sets hold the same time. */
export const equals = (a: RangeSet, b: RangeSet): boolean => {
  if (a.edges.length !== b.edges.length) return false
  for (let edge = 0; edge < a.edges.length; edge++) {
    if (a.edges[edge] !== b.edges[edge]) return false
  }
  return true
}

// Truth tables for `sweep`. A time in neither set is place 0, in the first only 1, in the second only 2, in both 3.
const inEither = 0b1110
const inFirstOnly = 0b0010
const inBoth = 0b1000

/**
 * Walks both lists of edges at once and keeps each edge where the truth table's answer changes. An edge that both
 * lists have is passed in one step, so the result is canonical without a second look. An odd number of edges passed
 * means that the walk is inside that list's set.
 */
const sweep = (a: Float64Array, b: Float64Array, truth: number): RangeSet => {
  const out = new Float64Array(a.length + b.length)
  let i = 0
  let j = 0
  let inside = 0
  let kept = 0
  while (i < a.length && j < b.length) {
    const x = a[i]!
    const y = b[j]!
    // No branch depends on the data: which edge is next cannot be foreseen, and a wrong guess costs more than a store.
    i += x <= y ? 1 : 0
    j += y <= x ? 1 : 0
    out[kept] = Math.min(x, y)
    const now = (truth >> ((i & 1) | ((j & 1) << 1))) & 1
    kept += now ^ inside
    inside = now
  }
  // One list is through, so each edge left in the other flips the answer or none does.
  const rest = i < a.length ? (truth & 0b0010 ? a.subarray(i) : []) : truth & 0b0100 ? b.subarray(j) : []
  out.set(rest, kept)
  return trimmed(out, kept + rest.length)
}

/**
 * The answer inside `[start, end)`: the edges that lie within, and the frame's own ends where the answer reaches them.
 * `parity` says which side of the edges is wanted: 1 the time in the set, 0 the time outside it.
 */
const cut = (edges: Float64Array, frame: { start: number; end: number; parity: 0 | 1 }): RangeSet => {
  const { start, end, parity } = frame
  if (!isRange(start, end)) return empty
  const first = countUpTo(edges, start)
  const last = countBefore(edges, end, first)
  const opens = first % 2 === parity ? 1 : 0
  const closes = last % 2 === parity ? 1 : 0
  const length = last - first + opens + closes
  if (length === 0) return empty
  const out = new Float64Array(length)
  if (opens) out[0] = start
  for (let edge = first; edge < last; edge++) out[edge - first + opens] = edges[edge]!
  if (closes) out[length - 1] = end
  return { edges: out }
}

/**
 * Joins ranges given as their starts and their ends, each sorted by itself. Apart from each other they still tell where
 * a gap is: when the next start is after the n-th end, exactly n ranges have begun and all n are over.
 */
const joined = (starts: Float64Array, ends: Float64Array): RangeSet => {
  if (starts.length === 0) return empty
  const out = new Float64Array(starts.length * 2)
  out[0] = starts[0]!
  let kept = 1
  for (let next = 1; next < starts.length; next++) {
    if (starts[next]! <= ends[next - 1]!) continue
    out[kept++] = ends[next - 1]!
    out[kept++] = starts[next]!
  }
  out[kept++] = ends[ends.length - 1]!
  return trimmed(out, kept)
}

// Copied rather than viewed: a small answer must not keep a large buffer alive.
const trimmed = (out: Float64Array, length: number): RangeSet => {
  if (length === 0) return empty
  return { edges: length === out.length ? out : out.slice(0, length) }
}
