/**
 * What does an answer of a source change in the coverage of a series?
 *
 * Pure: root, pages and message in, the next root and the pages to put before it out. A message that changes nothing
 * gives the same root; one that was planned on something that has moved is refused.
 */
import { Result } from "effect"
import {
  type ChunkRef,
  type CoveragePage,
  entryOf,
  type WindowEntry,
  withEntry
} from "../../protocol/history/CoveragePage.ts"
import { type CoverageRoot, rootHash } from "../../protocol/history/CoverageRoot.ts"
import * as InlineCoverage from "../../protocol/history/InlineCoverage.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { bounds, coveredPrefixEnd, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Watermarks } from "../../protocol/history/Watermarks.ts"
import { type Grid, pageIndex } from "../../protocol/history/Window.ts"
import { type Commit, StaleCommit, type WindowCommit } from "../../protocol/messages/Coverage.ts"

/** The coverage of a series: its root, all covered time, and the pages that a message touches. */
export interface State {
  readonly root: CoverageRoot
  readonly covered: RangeSet.RangeSet
  /** By page index; pages that are not touched may be absent. */
  readonly pages: ReadonlyMap<number, CoveragePage>
}

/** What a commit comes to. */
export interface Step {
  readonly state: State
  /** Pages to put before the root; empty where nothing changes. */
  readonly pages: ReadonlyArray<CoveragePage>
  readonly changed: boolean
}

const sameChunk = (standing: ChunkRef | undefined, chunk: ChunkRef): boolean =>
  standing !== undefined &&
  (standing.id === chunk.id ||
    (standing.contentHash === chunk.contentHash && RangeSet.contains(standing.ranges, chunk.ranges)))

/** Checks one window's part of a commit against the window as it is; gives its new entry, or none where it has it. */
const place = (
  entry: WindowEntry,
  { base, chunk, generation, windowStart }: WindowCommit
): Result.Result<WindowEntry | undefined, StaleCommit> => {
  if (entry.generation !== generation) {
    return Result.fail(
      new StaleCommit({ windowStart, problem: `its generation is ${entry.generation}, not ${generation}` })
    )
  }
  const standing = entry.chunks.find(({ source }) => source === chunk.source)
  if (sameChunk(standing, chunk)) return Result.succeed(undefined)
  if ((standing?.id ?? null) !== base) {
    return Result.fail(new StaleCommit({ windowStart, problem: "its rows have changed since they were merged" }))
  }
  const others = entry.chunks.filter(({ source }) => source !== chunk.source)
  return Result.succeed({ ...entry, chunks: [...others, chunk] })
}

/**
 * The windows of which a commit replaces a chunk by one that covers less: the root would go on to claim what no chunk
 * has.
 */
export const narrowed = ({ pages }: State, { windows }: Commit, grid: Grid): ReadonlyArray<number> =>
  windows.flatMap(({ chunk, windowStart }) => {
    const entry = entryOf(pages.get(pageIndex(grid, windowStart)), windowStart)
    const standing = entry.chunks.find(({ source }) => source === chunk.source)
    if (standing === undefined || sameChunk(standing, chunk)) return []
    return RangeSet.contains(chunk.ranges, standing.ranges) ? [] : [windowStart]
  })

const emptyPage = (index: number): CoveragePage => ({ format: 1, index, windows: [] })

/** The pages that the commit changes, with its entries in them. */
const changedPages = (
  { pages }: State,
  commit: Commit,
  grid: Grid
): Result.Result<ReadonlyMap<number, CoveragePage>, StaleCommit> => {
  const changed = new Map<number, CoveragePage>()
  for (const window of commit.windows) {
    const index = pageIndex(grid, window.windowStart)
    const page = changed.get(index) ?? pages.get(index) ?? emptyPage(index)
    const placed = place(entryOf(page, window.windowStart), window)
    if (Result.isFailure(placed)) return Result.fail(placed.failure)
    if (placed.success !== undefined) changed.set(index, withEntry(page, placed.success))
  }
  return Result.succeed(changed)
}

const marks = (covered: RangeSet.RangeSet, before: Watermarks, commit: Commit): Watermarks => {
  const first = bounds(covered)
  const times = commit.windows.flatMap(({ chunk }) => (chunk.lastEventTime === null ? [] : [chunk.lastEventTime]))
  const seen = before.eventTimeHigh === null ? times : [before.eventTimeHigh, ...times]
  return {
    eventTimeLow: first._tag === "None" ? null : coveredPrefixEnd(covered, first.value.start),
    eventTimeHigh: seen.length === 0 ? null : Math.max(...seen)
  }
}

/** A root stays small: of more exceptions than this the oldest are forgotten. Joined ones are few in any case. */
const exceptionsMax = 256

const isAlike = (a: MissingRange.MissingRange, b: MissingRange.MissingRange): boolean =>
  a.state === b.state && a.reason === b.reason && (a.retryAt === null) === (b.retryAt === null)

/** One exception for neighbours that say the same and have only covered time between them; later than both to retry. */
const joinOver = (
  exceptions: ReadonlyArray<MissingRange.MissingRange>,
  covered: RangeSet.RangeSet
): ReadonlyArray<MissingRange.MissingRange> => {
  const joined: Array<MissingRange.MissingRange> = []
  for (const next of exceptions) {
    const last = joined.at(-1)
    if (last !== undefined && isAlike(last, next) && RangeSet.contains(covered, RangeSet.of(last.end, next.start))) {
      const retryAt = next.retryAt === null ? null : Math.max(next.retryAt, last.retryAt ?? 0)
      joined[joined.length - 1] = { ...last, end: next.end, retryAt }
    } else joined.push(next)
  }
  return joined
}

/**
 * What is known of uncovered time after the answer: what it says, and what was known of the rest. An exception may span
 * covered time; it speaks of what is not covered in it.
 */
const exceptionsAfter = ({ root }: State, commit: Commit, covered: RangeSet.RangeSet) => {
  const known = [...MissingRange.without(root.exceptions, commit.answered), ...commit.exceptions]
  const open = MissingRange.without(known, covered).toSorted((a, b) => a.start - b.start)
  return joinOver(open, covered).slice(-exceptionsMax)
}

const sameExceptions = (a: CoverageRoot["exceptions"], b: CoverageRoot["exceptions"]): boolean =>
  JSON.stringify(a) === JSON.stringify(b)

/** Applies a commit; `nowMs` is the wall clock. Page ids are filled in by `withPages`, when the pages are stored. */
export const commit = (
  state: State,
  message: Commit,
  at: { readonly grid: Grid; readonly nowMs: number }
): Result.Result<Step, StaleCommit> =>
  Result.map(changedPages(state, message, at.grid), (pages) => {
    const brought = RangeSet.unionAll(message.windows.map(({ chunk }) => chunk.ranges))
    const added = RangeSet.subtract(brought, state.covered)
    const covered = RangeSet.union(state.covered, brought)
    const exceptions = exceptionsAfter(state, message, covered)
    if (pages.size === 0 && isEmpty(added) && sameExceptions(exceptions, state.root.exceptions)) {
      return { state, pages: [], changed: false }
    }
    const root: CoverageRoot = {
      ...state.root,
      version: state.root.version + 1,
      committedAt: Math.max(state.root.committedAt + 1, at.nowMs),
      ...InlineCoverage.split(covered),
      exceptions,
      watermarks: marks(covered, state.root.watermarks, message),
      previousRootHash: state.root.version === 0 ? "" : rootHash(state.root),
      diff: { added, removed: RangeSet.empty, jobs: message.jobs, source: message.source, cause: message.cause }
    }
    return {
      state: { root, covered, pages: new Map([...state.pages, ...pages]) },
      pages: Array.from(pages.values()),
      changed: true
    }
  })

/** The root with the ids of stored pages in the place of those before. */
export const withPages = (
  root: CoverageRoot,
  stored: ReadonlyArray<{ readonly index: number; readonly id: string }>
): CoverageRoot => {
  const replaced = new Set(stored.map(({ index }) => index))
  const kept = root.pages.filter(({ index }) => !replaced.has(index))
  return { ...root, pages: [...kept, ...stored].toSorted((a, b) => a.index - b.index) }
}
