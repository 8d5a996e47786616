/**
 * What does an answer of a source change in the coverage of a series?
 *
 * Pure: root, pages and message in, the next root and the pages to put before it out. A message that changes nothing
 * gives the same root; one that was planned on something that has moved is refused.
 */
import { Result, Struct } from "effect"
import {
  type ChunkRef,
  type CoveragePage,
  entryOf,
  type WindowEntry,
  withEntry
} from "../../protocol/history/CoveragePage.ts"
import { type CoverageDiff, type CoverageRoot, rootHash } from "../../protocol/history/CoverageRoot.ts"
import * as InlineCoverage from "../../protocol/history/InlineCoverage.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { bounds, coveredPrefixEnd, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Unsettled from "../../protocol/history/Unsettled.ts"
import type { Watermarks } from "../../protocol/history/Watermarks.ts"
import { type Grid, pageIndex } from "../../protocol/history/Window.ts"
import { type Commit, StaleCommit, type WindowCommit } from "../../protocol/messages/Coverage.ts"
import * as Revised from "./Revised.ts"

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
  (standing.id === chunk.id || standing.contentHash === chunk.contentHash) &&
  // what was invalidated of it does not come back by itself
  RangeSet.contains(standing.ranges, chunk.ranges)

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

/** The pages that the commit changes, with its entries in them, and what bars it revises. */
const changedPages = (
  { pages }: State,
  commit: Commit,
  grid: Grid
): Result.Result<
  { readonly changed: ReadonlyMap<number, CoveragePage>; readonly revised: Revised.Revised },
  StaleCommit
> => {
  const changed = new Map<number, CoveragePage>()
  let revised = Revised.none
  for (const window of commit.windows) {
    const index = pageIndex(grid, window.windowStart)
    const page = changed.get(index) ?? pages.get(index) ?? emptyPage(index)
    const placed = place(entryOf(page, window.windowStart), window)
    if (Result.isFailure(placed)) return Result.fail(placed.failure)
    if (placed.success === undefined) continue
    changed.set(index, withEntry(page, placed.success))
    revised = Revised.and(revised, Revised.by(window))
  }
  return Result.succeed({ changed, revised })
}

const lowMark = (covered: RangeSet.RangeSet): number | null => {
  const first = bounds(covered)
  return first._tag === "None" ? null : coveredPrefixEnd(covered, first.value.start)
}

const marks = (covered: RangeSet.RangeSet, before: Watermarks, commit: Commit): Watermarks => {
  const times = commit.windows.flatMap(({ chunk }) => (chunk.lastEventTime === null ? [] : [chunk.lastEventTime]))
  const seen = before.eventTimeHigh === null ? times : [before.eventTimeHigh, ...times]
  return {
    eventTimeLow: lowMark(covered),
    eventTimeHigh: seen.length === 0 ? null : Math.max(...seen)
  }
}

/** A root stays small: of more exceptions than this the oldest are forgotten. Joined ones are few in any case. */
const exceptionsMax = 256

type AreAlike = (a: MissingRange.MissingRange, b: MissingRange.MissingRange) => boolean

const isAlike: AreAlike = (a, b) =>
  a.state === b.state && a.reason === b.reason && (a.retryAt === null) === (b.retryAt === null)

/** Alike, and found out in the same way. */
const isSame: AreAlike = (a, b) => isAlike(a, b) && a.evidence === b.evidence && a.answers === b.answers

/** One exception for neighbours that say the same and have only covered time between them; later than both to retry. */
const joinOver = (
  exceptions: ReadonlyArray<MissingRange.MissingRange>,
  covered: RangeSet.RangeSet,
  areAlike: AreAlike
): ReadonlyArray<MissingRange.MissingRange> => {
  const joined: Array<MissingRange.MissingRange> = []
  for (const next of exceptions) {
    const last = joined.at(-1)
    if (last !== undefined && areAlike(last, next) && RangeSet.contains(covered, RangeSet.of(last.end, next.start))) {
      const retryAt = next.retryAt === null ? null : Math.max(next.retryAt, last.retryAt ?? 0)
      const surer = (next.answers ?? 0) > (last.answers ?? 0) ? next : last
      joined[joined.length - 1] = { ...surer, start: last.start, end: next.end, retryAt }
    } else joined.push(next)
  }
  return joined
}

/**
 * What is known of uncovered time after the answer: what it says, and what was known of the rest. An exception may span
 * covered time; it speaks of what is not covered in it.
 */
const exceptionsAfter = (
  { root }: State,
  commit: Pick<Commit, "answered" | "exceptions">,
  covered: RangeSet.RangeSet
) => {
  const known = [...MissingRange.without(root.exceptions, commit.answered), ...commit.exceptions]
  const open = MissingRange.without(known, covered).toSorted((a, b) => a.start - b.start)
  const joined = joinOver(open, covered, isSame)
  // rather than forget what is known of time, how often it was asked about is known less exactly
  return (joined.length > exceptionsMax ? joinOver(joined, covered, isAlike) : joined).slice(-exceptionsMax)
}

const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What one commit, or several, come to, and the bars that they revise. */
interface Brought {
  readonly state: State
  readonly revised: Revised.Revised
}

/** Where and when a change is made; `nowMs` is the wall clock. */
export interface Place {
  readonly grid: Grid
  readonly nowMs: number
  /** The version of the schema by which rows are stored now; the root's own where it is not given. */
  readonly schemaVersion?: number
}

/** What the root remembers of bars that may change, with what a commit says of them. */
const unsettledAfter = ({ root }: State, { asked, source }: Commit, covered: RangeSet.RangeSet) => {
  const before = root.unsettled ?? []
  return asked === undefined ? before : Unsettled.within(Unsettled.after(before, { source, ...asked }), covered)
}

/** The root with those bars: a root that knows of none does not mention them. */
const withUnsettled = (root: CoverageRoot, unsettled: ReadonlyArray<Unsettled.UnsettledRange>): CoverageRoot =>
  unsettled.length === 0 ? Struct.omit(root, ["unsettled"]) : { ...root, unsettled }

/** The state with what a commit brings, of the same version yet; the same one where it brings nothing. */
const bring = (state: State, message: Commit, { grid }: Place) =>
  Result.map(changedPages(state, message, grid), ({ changed: pages, revised }): Brought => {
    const brought = RangeSet.unionAll(message.windows.map(({ chunk }) => chunk.ranges))
    const covered = RangeSet.union(state.covered, brought)
    const exceptions = exceptionsAfter(state, message, covered)
    const unsettled = unsettledAfter(state, message, covered)
    const isNew = pages.size > 0 || !RangeSet.equals(covered, state.covered)
    const isKnown = sameJson(exceptions, state.root.exceptions) && sameJson(unsettled, state.root.unsettled ?? [])
    if (!isNew && isKnown) return { state, revised }
    const watermarks = marks(covered, state.root.watermarks, message)
    return {
      state: {
        root: withUnsettled({ ...state.root, exceptions, watermarks }, unsettled),
        covered,
        pages: new Map([...state.pages, ...pages])
      },
      revised
    }
  })

/** Makes a version of what has changed since `before`, for these reasons. */
const conclude = (
  before: State,
  after: State,
  why: Pick<CoverageDiff, "jobs" | "source" | "cause" | "revised" | "revisedBars">,
  { nowMs, schemaVersion = 0 }: Place
): Step => {
  const { covered, pages } = after
  const root: CoverageRoot = {
    ...after.root,
    version: before.root.version + 1,
    committedAt: Math.max(before.root.committedAt + 1, nowMs),
    schemaVersion: Math.max(before.root.schemaVersion, schemaVersion),
    ...InlineCoverage.split(covered),
    previousRootHash: before.root.version === 0 ? "" : rootHash(before.root),
    diff: {
      added: RangeSet.subtract(covered, before.covered),
      removed: RangeSet.subtract(before.covered, covered),
      ...why
    }
  }
  return {
    state: { root, covered, pages },
    pages: Array.from(pages).flatMap(([index, page]) => (before.pages.get(index) === page ? [] : [page])),
    changed: true
  }
}

/** Causes and sources that one change of the root tells of. */
const toldMax = 16

const told = (texts: ReadonlyArray<string>): string => {
  const all = [...new Set(texts)]
  const more = all.length - toldMax
  return all.slice(0, toldMax).join(", ") + (more > 0 ? ` and ${more} more` : "")
}

/** What came of commits that were applied together. */
export interface Steps extends Step {
  /** For each commit why it was refused; undefined where it was not. */
  readonly refused: ReadonlyArray<StaleCommit | undefined>
}

/**
 * Applies commits that came together, in their order, as one change of the root. Page ids are filled in by
 * `withPages`, when the pages are stored.
 */
export const commitAll = (before: State, messages: ReadonlyArray<Commit>, at: Place): Steps => {
  let state = before
  let revised = Revised.none
  const refused: Array<StaleCommit | undefined> = []
  const applied: Array<Commit> = []
  for (const message of messages) {
    const next = bring(state, message, at)
    refused.push(Result.isFailure(next) ? next.failure : undefined)
    if (Result.isFailure(next) || next.success.state === state) continue
    state = next.success.state
    revised = Revised.and(revised, next.success.revised)
    applied.push(message)
  }
  if (state === before) return { state, pages: [], changed: false, refused }
  const why = {
    jobs: [...new Set(applied.flatMap(({ jobs }) => jobs))],
    source: told(applied.map(({ source }) => source)),
    cause: told(applied.map(({ cause }) => cause)),
    ...Revised.inDiff(revised, state.covered)
  }
  return { ...conclude(before, state, why, at), refused }
}

/** Applies one commit. */
export const commit = (state: State, message: Commit, at: Place): Result.Result<Step, StaleCommit> => {
  const { refused, ...step } = commitAll(state, [message], at)
  const [stale] = refused
  return stale === undefined ? Result.succeed(step) : Result.fail(stale)
}

/** What an operator says of time, and why: it makes a version, whether or not coverage changes by it. */
export interface Word {
  /** Time that the word is about: what was known of it before no longer counts. */
  readonly about: RangeSet.RangeSet
  readonly exceptions: ReadonlyArray<MissingRange.MissingRange>
  /** Stored bars of a source that count as settled from then on. */
  readonly settled?: Pick<Unsettled.Asked, "source" | "ranges">
  readonly jobs: ReadonlyArray<string>
  readonly cause: string
}

/** Notes what an operator says of time that is not covered, or of bars that may change. */
export const note = (state: State, { about, cause, exceptions, jobs, settled }: Word, at: Place): Step => {
  const known = exceptionsAfter(state, { answered: about, exceptions }, state.covered)
  const before = state.root.unsettled ?? []
  const unsettled =
    settled === undefined ? before : Unsettled.after(before, { ...settled, unsettled: RangeSet.empty, settleMs: 0 })
  const after = { ...state, root: withUnsettled({ ...state.root, exceptions: known }, unsettled) }
  return conclude(state, after, { jobs, source: "operator", cause }, at)
}

const retract = (entry: WindowEntry, ranges: RangeSet.RangeSet): WindowEntry => ({
  ...entry,
  // what was planned upon what stood here is refused from now on
  generation: entry.generation + 1,
  chunks: entry.chunks.flatMap((chunk) => {
    const left = RangeSet.subtract(chunk.ranges, ranges)
    return isEmpty(left) ? [] : [{ ...chunk, ranges: left }]
  })
})

/**
 * Takes time out of the coverage. The windows, by their starts, get another generation: those with any of it, and
 * those of which somebody is bringing some.
 */
export const invalidate = (
  state: State,
  {
    ranges,
    source = "operator",
    windows
  }: { readonly ranges: RangeSet.RangeSet; readonly windows: ReadonlyArray<number>; readonly source?: string },
  cause: string,
  at: Place
): Step => {
  const pages = new Map(state.pages)
  for (const windowStart of windows) {
    const index = pageIndex(at.grid, windowStart)
    const page = pages.get(index) ?? emptyPage(index)
    pages.set(index, withEntry(page, retract(entryOf(page, windowStart), ranges)))
  }
  const covered = RangeSet.subtract(state.covered, ranges)
  // also what waits for a person: as long as there is a job that does, it is noted again
  const exceptions = MissingRange.without(state.root.exceptions, ranges)
  const watermarks = { ...state.root.watermarks, eventTimeLow: lowMark(covered) }
  const root = withUnsettled(
    { ...state.root, exceptions, watermarks },
    Unsettled.within(state.root.unsettled ?? [], covered)
  )
  const after = { root, covered, pages }
  return conclude(state, after, { jobs: [], source, cause }, at)
}

/** The root with the ids of stored pages in the place of those before. */
export const withPages = (
  root: CoverageRoot,
  stored: ReadonlyArray<{ readonly index: number; readonly id: string }>
): CoverageRoot => {
  const replaced = new Set(stored.map(({ index }) => index))
  const kept = root.pages.filter(({ index }) => !replaced.has(index))
  return { ...root, pages: [...kept, ...stored].toSorted((a, b) => a.index - b.index) }
}
