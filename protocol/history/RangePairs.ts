/**
 * How does a range set look in JSON?
 *
 * `[[start, end], …]` in canonical form only: equal sets have equal text, so hashes and golden files can rely on it.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { isRange, type Range } from "./Range.ts"
import { empty, type RangeSet } from "./RangeSet.ts"

/**
 * The set's ranges in order of time.
 *
 * @example
 * toPairs(RangeSet.make([[60, 120], [0, 30]])) // => [[0, 30], [60, 120]]
 */
export const toPairs = ({ edges }: RangeSet): ReadonlyArray<Range> => {
  const pairs: Array<Range> = []
  for (let edge = 0; edge < edges.length; edge += 2) pairs.push([edges[edge]!, edges[edge + 1]!])
  return pairs
}

/** Whether a JSON value is the list of the set's ranges, and so would be read as the set; faster than to read it. */
export const arePairsOf = (value: unknown, { edges }: RangeSet): boolean =>
  Array.isArray(value) &&
  value.length * 2 === edges.length &&
  value.every(
    (pair: unknown, index) =>
      Array.isArray(pair) && pair.length === 2 && pair[0] === edges[index * 2] && pair[1] === edges[index * 2 + 1]
  )

/** What is wrong with the first pair that keeps the list from being canonical; true when nothing is. */
const canonicalPairs = (pairs: ReadonlyArray<Range>) => {
  let lastEnd = -Infinity
  for (const [index, [start, end]] of pairs.entries()) {
    if (!isRange(start, end)) return at(index, `start ${start} is not before end ${end}`)
    if (start < lastEnd) return at(index, `start ${start} is before ${lastEnd}, where the range before it ends`)
    if (start === lastEnd) return at(index, `start ${start} touches the range before it: they are one range`)
    lastEnd = end
  }
  return true
}

const at = (index: number, issue: string) => ({ path: [index], issue })

const isRangeSet = (value: unknown): value is RangeSet =>
  typeof value === "object" && value !== null && "edges" in value && value.edges instanceof Float64Array

const fromPairs = (pairs: ReadonlyArray<Range>): RangeSet =>
  pairs.length === 0 ? empty : { edges: Float64Array.from(pairs.flat()) }

/**
 * The codec between JSON `[[start, end], …]` and a range set. Refuses times that are not integers, ranges that end
 * before they start, and lists that are unsorted, overlap or touch; the error names the pair.
 */
export const Pairs: Schema.Codec<RangeSet, ReadonlyArray<Range>> = Schema.Array(Schema.Tuple([Schema.Int, Schema.Int]))
  .check(Schema.makeFilter(canonicalPairs, { description: "ranges in order of time, apart from each other" }))
  .pipe(
    Schema.decodeTo(
      Schema.declare(isRangeSet, { identifier: "RangeSet" }),
      SchemaTransformation.transform({ decode: fromPairs, encode: toPairs })
    )
  )
