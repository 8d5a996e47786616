/**
 * Which windows of a series may have other bars at one version than at another?
 *
 * Pure. A page that both roots name is the same page, and a chunk of the same content that covers the same time has the
 * same bars: only the rest has to be looked into.
 */
import { type ChunkRef, type CoveragePage, entryOf } from "../../protocol/history/CoveragePage.ts"
import type { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

type Paged = Pick<CoverageRoot, "pages">

/** The first page that is of interest, and the last. */
export type PageSpan = readonly [first: number, last: number]

/** The pages of `root` that the other does not name. */
export const pagesBeyond = (root: Paged, other: Paged, [first, last]: PageSpan): ReadonlyArray<string> => {
  const known = new Set(other.pages.map(({ id }) => id))
  const wanted = root.pages.filter(({ id, index }) => first <= index && index <= last && !known.has(id))
  return wanted.map(({ id }) => id)
}

const isSame = (a: ChunkRef, b: ChunkRef): boolean =>
  a.source === b.source && a.contentHash === b.contentHash && RangeSet.equals(a.ranges, b.ranges)

const areSame = (a: ReadonlyArray<ChunkRef>, b: ReadonlyArray<ChunkRef>): boolean =>
  a.length === b.length && a.every((chunk) => b.some((other) => isSame(chunk, other)))

const byIndex = (pages: ReadonlyArray<CoveragePage>) => new Map(pages.map((page) => [page.index, page]))

const startsOf = (page: CoveragePage | undefined): ReadonlyArray<number> =>
  (page?.windows ?? []).map(({ windowStart }) => windowStart)

/** The starts of the windows whose chunks are not the same in the pages of one and of the other, ascending. */
export const diffWindows = (
  before: ReadonlyArray<CoveragePage>,
  after: ReadonlyArray<CoveragePage>
): ReadonlyArray<number> => {
  const [old, now] = [byIndex(before), byIndex(after)]
  const indexes = new Set([...old.keys(), ...now.keys()])
  const differing = Array.from(indexes).flatMap((index) => {
    const [a, b] = [old.get(index), now.get(index)]
    const starts = new Set([...startsOf(a), ...startsOf(b)])
    return Array.from(starts).filter((start) => !areSame(entryOf(a, start).chunks, entryOf(b, start).chunks))
  })
  return differing.toSorted((a, b) => a - b)
}
