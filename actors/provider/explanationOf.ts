/** How is it told what a read would do? Pure: from its plan, and from what was looked up beside it. */
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import type { ChunkRef } from "../../protocol/history/CoveragePage.ts"
import { bars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type {
  BackfillShare,
  GapWindow,
  OnFailure,
  ReadExplanation,
  StoredShare
} from "../../protocol/history/ReadExplanation.ts"
import { jobAction } from "../../protocol/history/jobAction.ts"
import { gapRule } from "../../protocol/history/Strategy.ts"
import type { WindowRanges } from "../../protocol/history/Window.ts"
import type { BackfillOff } from "../../protocol/messages/BackfillOff.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { shareOut } from "../conformance/mergeBySource.ts"
import { chunkBytes } from "../sources/chunkBytes.ts"
import type { StoredWindow } from "../sources/storedWindows.ts"
import { oldNote } from "./firstView.ts"
import { forcedNotes } from "./failFast.ts"
import type { ReadPlan } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"
import { waitsOf } from "./waits.ts"

/** Windows of a gap that are told one by one. */
export const windowsMax = 256

/** What an explanation rests on. */
export interface Evidence {
  readonly request: ValidRequest
  readonly view: CoverageView
  readonly plan: ReadPlan
  /** The chunks that would be loaded, by window. */
  readonly stored: ReadonlyArray<Omit<StoredWindow, "rows">>
  /** Bytes of a chunk in the memory of this host; undefined where it is not there. */
  readonly bytesInMemory: (id: string) => number | undefined
  /** The newest runs for the first windows of the gap. */
  readonly jobs: ReadonlyArray<BackfillJob>
  readonly cost: Omit<BackfillShare, "ranges">
  /** By whose word nobody is asked to fill the gap. */
  readonly off: BackfillOff | undefined
  readonly nowMs: number
}

/** A chunk, and the time for which it is wanted. */
interface Part extends WindowRanges {
  readonly chunk: ChunkRef
  readonly bytes: number | undefined
}

/** What is taken of each chunk; where the last writer of each bar is right, what may be taken. */
const partsOf = ({ bytesInMemory, request, stored }: Evidence): ReadonlyArray<Part> => {
  const isByPriority = (request.entry.rules.conflict ?? "priority") === "priority"
  return stored.flatMap(({ chunks, ranges, windowStart }) => {
    const taken = isByPriority
      ? shareOut(chunks, ranges)
      : chunks.map((chunk) => [chunk, RangeSet.intersect(chunk.ranges, ranges)] as const)
    return taken.map(([chunk, part]) => ({ windowStart, ranges: part, chunk, bytes: bytesInMemory(chunk.id) }))
  })
}

const timeOf = (parts: ReadonlyArray<Part>): RangeSet.RangeSet => RangeSet.unionAll(parts.map(({ ranges }) => ranges))

const shareOf = (parts: ReadonlyArray<Part>, { entry }: ValidRequest): StoredShare => {
  const ranges = timeOf(parts)
  return {
    ranges,
    bars: bars(ranges, entry.interval.lengthMs),
    windows: new Set(parts.map(({ windowStart }) => windowStart)).size,
    chunks: parts.length,
    bytes: parts.reduce((sum, { bytes, chunk }) => sum + (bytes ?? chunkBytes(chunk, entry.schema)), 0)
  }
}

const contributionsOf = (parts: ReadonlyArray<Part>): ReadExplanation["sourceContributions"] =>
  Object.fromEntries(
    Array.from(
      Map.groupBy(parts, ({ chunk }) => chunk.source),
      ([source, own]) => [source, timeOf(own)]
    )
  )

const windowsOf = ({ jobs, nowMs, plan, request }: Evidence): ReadonlyArray<GapWindow> => {
  const byStart = new Map(jobs.map((job) => [job.windowStart, job]))
  return plan.gapWindows.slice(0, windowsMax).map(({ ranges, windowStart }) => {
    const job = byStart.get(windowStart)
    return {
      windowStart,
      bars: bars(ranges, request.entry.interval.lengthMs),
      action: jobAction(job, ranges, nowMs),
      job: job
        ? {
            run: job.run,
            state: job.state,
            jobClass: job.jobClass,
            attempts: job.attempts,
            nextAttemptAt: job.nextAttemptAt
          }
        : null
    }
  })
}

const onFailure = ({ onStrictViolation, sla, strategy, strict }: ValidRequest): OnFailure => ({
  gap: gapRule[strategy] === "fail" ? "error" : "partial",
  backfill: sla.onBackfillFailure ?? "partial",
  violation: sla.onViolation ?? "partial",
  strict: strict ? onStrictViolation : null
})

const notesOf = (evidence: Evidence): ReadonlyArray<string> => {
  const {
    off,
    plan: { gap },
    request: { consistency, entry },
    stored,
    view: { staleMs }
  } = evidence
  const { mode } = decisionOf(evidence)
  const isByWriter = (entry.rules.conflict ?? "priority") !== "priority"
  const isShared = stored.some(({ chunks }) => chunks.length > 1)
  const isAsked = mode === "queue" || mode === "wait"
  return [
    ...forcedNotes(evidence.request),
    ...(off === undefined ? [] : [off.message]),
    ...(staleMs === undefined ? [] : [`${oldNote(staleMs)}, and nobody could be asked to fill its gap`]),
    ...(consistency === "strict" ? ["the owner of the series is asked first, and may know a later version"] : []),
    ...(isByWriter && isShared ? ["whose row stands is decided bar by bar: sources may give less than is told"] : []),
    ...(entry.derivedFrom !== null && isAsked
      ? [`what its ${entry.derivedFrom} bars lack is filled first: the requests are for these`]
      : []),
    ...(isEmpty(gap) || isAsked ? [] : ["the backfill is not asked for: its cost is what another strategy would take"])
  ]
}

/** What is done about the gap, and why; nobody is asked where an operator has said so. */
const decisionOf = ({ off, plan: { because, gapMode } }: Evidence): ReadExplanation["gap"] =>
  off === undefined || gapMode === "fail" ? { mode: gapMode, because } : { mode: "none", because: "off" }

/** What a read would do. */
export const explanationOf = (evidence: Evidence): ReadExplanation => {
  const { cost, plan, request, view } = evidence
  const { consistency, entry, range, strategy } = request
  const gap = decisionOf(evidence)
  const parts = partsOf(evidence)
  const windows = windowsOf(evidence)
  return {
    ...entry.series,
    start: range[0],
    end: range[1],
    strategy,
    consistency,
    coverageVersion: view.root.version,
    coverageRanges: plan.covered,
    missingRanges: plan.missing,
    sourceContributions: contributionsOf(parts),
    gap,
    from: {
      cache: shareOf(
        parts.filter(({ bytes }) => bytes !== undefined),
        request
      ),
      storage: shareOf(
        parts.filter(({ bytes }) => bytes === undefined),
        request
      ),
      backfill: { ranges: plan.gap, ...cost },
      live: { ranges: RangeSet.empty, bars: 0 }
    },
    windows,
    windowsLeft: plan.gapWindows.length - windows.length,
    waits: waitsOf(gap.mode, request),
    onFailure: onFailure(request),
    notes: notesOf(evidence)
  }
}
