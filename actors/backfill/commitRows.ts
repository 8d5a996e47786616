/**
 * How do rows of a source become part of a series?
 *
 * Merged with what is stored of their windows, put as chunks, then committed: bytes before claims. A commit that was
 * planned upon something that has moved is planned again from what is there now.
 */
import { Effect } from "effect"
import * as FrameModule from "../../protocol/frame/Frame.ts"
import { type BackfillJob, jobId } from "../../protocol/history/BackfillJob.ts"
import * as Chunk from "../../protocol/history/Chunk.ts"
import type { WindowEntry } from "../../protocol/history/CoveragePage.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import * as Unsettled from "../../protocol/history/Unsettled.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { type Commit, Coverage, StaleCommit, type WindowCommit } from "../../protocol/messages/Coverage.ts"
import { chunkColumns } from "../conformance/chunkColumns.ts"
import { markSuspect } from "../conformance/markSuspect.ts"
import { mergeFrames, rowsIn } from "../conformance/mergeFrames.ts"
import { mergeRevision } from "../conformance/mergeRevision.ts"
import { tellRevised, timeOfRevised } from "../conformance/tellRevised.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { standingEntries, type Upon } from "./standingEntries.ts"
import { storedChunk, storedRows } from "./storedRows.ts"
import { tellBeside } from "./tellBeside.ts"

/** What an answer brought for some windows. */
export interface Brought {
  readonly entry: CatalogEntry
  readonly source: string
  /** Sealed, and as they came, since a window's columns follow from its own rows; may hold rows of other windows. */
  readonly rows: ReadonlyArray<FrameModule.Frame>
  /** What quality rules found in them: whoever knows it of a row only by later ones has not flagged it. */
  readonly findings: Findings.Findings
  /** The time of these windows that the answer proves. */
  readonly proven: RangeSet.RangeSet
  /** The time of these windows that was asked about. */
  readonly answered: RangeSet.RangeSet
  /** What of it is not proven, and why. */
  readonly exceptions: ReadonlyArray<MissingRange>
  /** Whether the rows take the place of what the source has stored of the time; they fill what is missing else. */
  readonly isRevision: boolean
  /** What stood of each window when the source was asked: what has changed since is not overwritten by its answer. */
  readonly upon?: ReadonlyMap<number, Upon>
  /** When the source was first asked, in epoch milliseconds: bars that settle later are asked for once more. */
  readonly askedAtMs: number
  /** The job of each window, by the window's start. */
  readonly jobs: ReadonlyMap<number, BackfillJob>
  readonly cause: string
}

/** Others may commit to the same windows: an operator, a run that was taken for dead. */
const staleTries = 5

/** What was brought of this time of a window, as the work of the window's own job: an errand brings rows of several. */
const broughtIn = (
  { entry, findings, rows }: Pick<Brought, "entry" | "findings" | "rows">,
  ranges: RangeSet.RangeSet,
  job: BackfillJob | undefined
): FrameModule.Frame => {
  const own = mergeFrames([FrameModule.empty(entry.schema), ...rows.flatMap((each) => rowsIn(each, ranges))])
  const lineage = own.lineage.map((run) => ({ ...run, jobId: job === undefined ? "" : jobId(job) }))
  return { ...markSuspect(own, Findings.timeOf(findings)), lineage }
}

/** Stored rows with what was brought of these ranges in their place; none where nothing differs. */
const revise = (
  kept: FrameModule.Frame,
  rows: FrameModule.Frame,
  { entry, source }: Pick<Brought, "entry" | "source">,
  again: RangeSet.RangeSet
) => {
  const revision = mergeRevision(kept, rows, again)
  const revised = timeOfRevised(revision, entry.interval.lengthMs)
  if (isEmpty(revised)) return undefined
  return { frame: revision.frame, changed: revised, told: { revised, revisedBars: tellRevised(revision, source) } }
}

/** Puts the window's chunk, merged with the one that stands; none where that is as good. */
const putWindow = Effect.fnUntraced(function* (
  brought: Brought,
  { ranges, windowStart }: Window.WindowRanges,
  standing: WindowEntry,
  windowBars: number
) {
  const store = yield* ChunkStore
  const { entry, source } = brought
  const base = standing.chunks.find((chunk) => chunk.source === source)
  const before = base?.ranges ?? RangeSet.empty
  const wanted = brought.isRevision ? RangeSet.intersect(ranges, before) : RangeSet.subtract(ranges, before)
  if (isEmpty(wanted)) return undefined
  // what of the chunk was invalidated does not come back with the rest
  const kept = yield* storedChunk(entry, windowStart, base)
  const job = brought.jobs.get(windowStart)
  const rows = broughtIn(brought, wanted, job)
  const next = brought.isRevision
    ? revise(kept.rows, rows, brought, wanted)
    : {
        frame: mergeFrames([FrameModule.empty(entry.schema), kept.rows, rows]),
        changed: wanted,
        told: yield* tellBeside(brought, standing, { windowStart, rows, ranges: wanted })
      }
  if (next === undefined) return undefined
  // a row that stays has what was found in it, as it has its flags
  const untouched = RangeSet.subtract(before, next.changed)
  const chunk = Chunk.encode(chunkColumns(next.frame, entry.schema), {
    series: entry.series,
    windowStart,
    windowBars,
    source,
    ranges: RangeSet.union(before, wanted),
    base: base?.id ?? null,
    schemaVersion: entry.schema.version,
    ...Findings.asField(
      Findings.unionAll([
        Findings.intersect(kept.findings, untouched),
        Findings.intersect(brought.findings, next.changed)
      ])
    )
  })
  yield* store.putChunk(entry.series, windowStart, chunk)
  const commit: WindowCommit = {
    windowStart,
    // what was planned before the window was invalidated is not what anybody wants now
    generation: job?.generation ?? standing.generation,
    base: base?.id ?? null,
    chunk: chunk.ref,
    ...next.told
  }
  return commit
})

/**
 * What the source counts as asked about, where that matters. Of time that is filled nothing was known before: what
 * another has stored of it meanwhile is as that one found it. A job that revises is of bars that have settled by the
 * clock of whoever opened it: a clock behind that one does not have them asked for once more again and again.
 */
const askedOf = ({ answered, askedAtMs, entry, isRevision, jobs, proven, source }: Brought): Pick<Commit, "asked"> => {
  const settleMs = entry.settleMs[source] ?? 0
  if (settleMs === 0 && !isRevision) return {}
  const isDue = isRevision && jobs.size > 0
  const unsettled = isDue
    ? RangeSet.empty
    : Unsettled.unsettledIn(proven, { askedAtMs, settleMs, spacing: entry.interval })
  const ranges = isRevision ? RangeSet.union(answered, proven) : RangeSet.empty
  return { asked: { ranges, unsettled, settleMs } }
}

/**
 * Refuses an answer to a question that was put upon something else than stands: another has revised the bars since, by
 * an answer that may be the later one, or they do not count any more. What was stored beside them does no harm.
 */
const checkStanding = Effect.fnUntraced(function* (
  { entry, isRevision, source, upon }: Brought,
  { ranges, windowStart }: Window.WindowRanges,
  standing: WindowEntry
) {
  const asked = upon?.get(windowStart)
  if (asked === undefined) return
  if (asked.generation !== standing.generation) {
    return yield* new StaleCommit({ windowStart, problem: "it was invalidated since it was asked for" })
  }
  const base = standing.chunks.find((chunk) => chunk.source === source)
  if (!isRevision || base?.id === asked.chunk?.id) return
  const time = RangeSet.intersect(ranges, base?.ranges ?? RangeSet.empty)
  const [then, now] = [
    yield* storedRows(entry, windowStart, asked.chunk, time),
    yield* storedRows(entry, windowStart, base, time)
  ]
  if (isEmpty(timeOfRevised(mergeRevision(then, now, time), entry.interval.lengthMs))) return
  return yield* new StaleCommit({ windowStart, problem: "its bars were revised since they were asked for" })
})

const tryCommit = Effect.fnUntraced(function* (brought: Brought, minVersion: number) {
  const coverage = yield* Coverage
  const { entry, proven } = brought
  const { root } = yield* coverage.of(entry.series, { minVersion })
  const grid = Window.makeGrid(entry.interval, root.windowBars)
  const windows = Window.split(grid, proven)
  const standing = yield* standingEntries(
    root,
    grid,
    windows.map(({ windowStart }) => windowStart)
  )
  // no later root takes what was planned before its window was invalidated
  const invalidated = standing.find(
    (each) => each.generation > (brought.jobs.get(each.windowStart)?.generation ?? Infinity)
  )
  if (invalidated !== undefined) {
    const { windowStart } = invalidated
    return yield* new StaleCommit({ windowStart, problem: "it was invalidated since it was asked for" })
  }
  yield* Effect.forEach(windows, (window, index) => checkStanding(brought, window, standing[index]!), { discard: true })
  const commits = yield* Effect.forEach(windows, (window, index) =>
    putWindow(brought, window, standing[index]!, root.windowBars)
  )
  const { answered, cause, exceptions, isRevision, jobs, source } = brought
  const windowsChanged = commits.filter((commit) => commit !== undefined)
  return yield* coverage
    .commit({
      series: entry.series,
      windows: windowsChanged,
      // what is stored is not what exceptions speak of: they stay as they are
      answered: isRevision ? RangeSet.empty : answered,
      exceptions: isRevision ? [] : exceptions,
      ...askedOf(brought),
      jobs: Array.from(jobs.values(), jobId),
      source,
      cause
    })
    .pipe(Effect.catchTag("StaleCommit", () => Effect.succeed({ stale: root.version })))
})

/** Stores and commits what an answer brought; gives the version of the root that holds it. */
export const commitRows = Effect.fnUntraced(function* (brought: Brought) {
  let minVersion = 0
  for (let tries = 0; tries < staleTries; tries++) {
    const outcome = yield* tryCommit(brought, minVersion)
    if (!("stale" in outcome)) return outcome.version
    // refused because the root has moved on: a later one is there to be read
    minVersion = outcome.stale + 1
  }
  const windowStart = Array.from(brought.jobs.keys())[0] ?? 0
  return yield* new StaleCommit({ windowStart, problem: "it changes faster than it can be filled" })
})
