/**
 * Where does a time fall among the edges of a range set?
 *
 * The edges `[s0, e0, s1, e1, …]` ascend strictly, so the count of edges at or before a time answers everything: an odd
 * count means that the time lies inside a range, and the count itself is the index of the next edge.
 */

/** How many edges are at or before `timeMs`, when the answer is known to be within `low` and `high`. O(log n). */
export const countUpTo = (edges: Float64Array, timeMs: number, low = 0, high = edges.length): number => {
  while (low < high) {
    const middle = (low + high) >>> 1
    if (edges[middle]! <= timeMs) low = middle + 1
    else high = middle
  }
  return low
}

/** How many edges are before `timeMs`, when at least `from` are known to be. O(log n). */
export const countBefore = (edges: Float64Array, timeMs: number, from = 0): number => {
  const count = countUpTo(edges, timeMs, from)
  return count > from && edges[count - 1] === timeMs ? count - 1 : count
}

/** `countUpTo` for a walk that moves forward in short steps: O(log d), where d is how many edges it moves past. */
export const countUpToFrom = (edges: Float64Array, timeMs: number, from: number): number => {
  let known = from
  let step = 1
  // Reading past the end gives undefined, which is at or before nothing.
  while (edges[known + step - 1]! <= timeMs) {
    known += step
    step *= 2
  }
  return countUpTo(edges, timeMs, known, Math.min(known + step - 1, edges.length))
}
