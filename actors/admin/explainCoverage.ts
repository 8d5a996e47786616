/**
 * Why is a stretch of time covered, or why is it not?
 *
 * Pure. The stretch is cut wherever one of the things that are known of it begins or ends (coverage, the changes that
 * touched it last, exceptions, jobs), each piece is looked up, and neighbours of which the same is known are joined.
 */
import { type BackfillJob, isFinal, jobId, windowOfJob } from "../../protocol/history/BackfillJob.ts"
import type { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { type Grid, windowRange } from "../../protocol/history/Window.ts"
import type { ExplainedJob, ExplainedRange, ExplainedState } from "../../protocol/messages/AuditReport.ts"
import type { Touch } from "./lastTouches.ts"

/** What an explanation rests on. */
export interface Evidence {
  /** The last touches of the range at the least. */
  readonly touches: ReadonlyArray<Touch>
  readonly root: Pick<CoverageRoot, "exceptions">
  /** All covered time. */
  readonly covered: RangeSet.RangeSet
  /** The newest record of each window that has one; no two of one window. */
  readonly jobs: ReadonlyArray<BackfillJob>
  readonly grid: Grid
}

/** Stretches of time that do not overlap, in order, each with what is known of it. */
type Layer<Known> = ReadonlyArray<readonly [...Range, known: Known]>

const layerOf = <Known>(items: Iterable<readonly [RangeSet.RangeSet, Known]>): Layer<Known> =>
  Array.from(items)
    .flatMap(([set, known]) => toPairs(set).map(([start, end]) => [start, end, known] as const))
    .toSorted(([a], [b]) => a - b)

/** What is known at each of several times, which are asked for in order. */
const reader = <Known>(layer: Layer<Known>): ((time: number) => Known | undefined) => {
  let at = 0
  return (time) => {
    while (at < layer.length && layer[at]![1] <= time) at++
    const [from, , known] = layer[at] ?? [Infinity, Infinity, undefined]
    return from <= time ? known : undefined
  }
}

/** The first of the exceptions that speaks of a time. */
const exceptionLayer = (exceptions: ReadonlyArray<MissingRange>, open: RangeSet.RangeSet): Layer<MissingRange> => {
  let left = open
  return layerOf(
    exceptions.map((exception) => {
      const spoken = RangeSet.clip(left, exception.start, exception.end)
      left = RangeSet.subtract(left, spoken)
      return [spoken, exception] as const
    })
  )
}

/** All that is known, each kind by itself; of exceptions and jobs only what is about time that is not covered. */
interface Layers {
  readonly covered: Layer<true>
  readonly touches: Layer<Touch>
  readonly exceptions: Layer<MissingRange>
  readonly jobs: Layer<BackfillJob>
}

const layersOf = ({ covered, grid, jobs, root, touches }: Evidence, [start, end]: Range): Layers => {
  const open = RangeSet.missing(covered, start, end)
  const wantedBy = ({ ranges, windowStart }: BackfillJob): RangeSet.RangeSet =>
    RangeSet.intersect(RangeSet.clip(ranges, ...windowRange(grid, windowStart)), open)
  return {
    covered: layerOf([[RangeSet.clip(covered, start, end), true]]),
    touches: layerOf(touches.map((touch) => [RangeSet.clip(touch.ranges, start, end), touch])),
    exceptions: exceptionLayer(root.exceptions, open),
    jobs: layerOf(jobs.map((job) => [wantedBy(job), job]))
  }
}

/** All that is known of one piece. */
interface Facts {
  readonly isCovered: boolean
  readonly touch: Touch | undefined
  readonly exception: MissingRange | undefined
  readonly job: BackfillJob | undefined
}

const isAlike = (a: Facts, b: Facts): boolean =>
  a.isCovered === b.isCovered && a.touch === b.touch && a.exception === b.exception && a.job === b.job

/** What counts first: what stands, what is being done, what is known to be in the way, what was done. */
const stateOf = ({ exception, isCovered, job, touch }: Facts): ExplainedState => {
  if (isCovered) return "covered"
  if (job !== undefined && !isFinal(job)) return "underway"
  if (exception !== undefined && exception.state !== "missing") return exception.state
  if (job?.state === "QUARANTINED") return "quarantined"
  if (job?.state === "FAILED") return "failed"
  return touch === undefined ? "missing" : "removed"
}

const explainedJob = (job: BackfillJob): ExplainedJob => ({
  id: jobId(job),
  state: job.state,
  attempts: job.attempts,
  nextAttemptAt: job.nextAttemptAt,
  failure: job.failure,
  holder: job.lease?.holder ?? null,
  cause: job.cause
})

const explainedException = ({ evidence, reason, retryAt, state }: MissingRange): ExplainedRange["exception"] => ({
  state,
  reason,
  retryAt,
  ...(evidence !== undefined && { evidence })
})

/** The change, with those of its jobs that are of windows in the range. */
const explainedChange = ({ change }: Touch, [start, end]: Range, grid: Grid): ExplainedRange["change"] => {
  const { committedAt, diff, version } = change
  const isOfRange = (id: string): boolean => {
    const windowStart = windowOfJob(id)
    if (Number.isNaN(windowStart)) return true
    return !isEmpty(RangeSet.clip(RangeSet.of(...windowRange(grid, windowStart)), start, end))
  }
  return { version, committedAt, source: diff.source, cause: diff.cause, jobs: diff.jobs.filter(isOfRange) }
}

const explained = (facts: Facts, range: Range, grid: Grid): ExplainedRange => {
  const { exception, job, touch } = facts
  const [start, end] = range
  return {
    start,
    end,
    state: stateOf(facts),
    change: touch === undefined ? null : explainedChange(touch, range, grid),
    exception: exception === undefined ? null : explainedException(exception),
    job: job === undefined ? null : explainedJob(job)
  }
}

/** Where one of the layers begins or ends within the range, and the range's own ends; ascending. */
const cutsOf = ([start, end]: Range, layers: ReadonlyArray<Layer<unknown>>): ReadonlyArray<number> => {
  const cuts = new Set([start, end])
  for (const layer of layers) {
    for (const [from, until] of layer) {
      if (from > start && from < end) cuts.add(from)
      if (until > start && until < end) cuts.add(until)
    }
  }
  return Array.from(cuts).toSorted((a, b) => a - b)
}

/** What is known at each of several times, which are asked for in order. */
const factReader = ({ covered, touches, exceptions, jobs }: Layers): ((time: number) => Facts) => {
  const [isCoveredAt, touchAt] = [reader(covered), reader(touches)]
  const [exceptionAt, jobAt] = [reader(exceptions), reader(jobs)]
  return (time) => {
    const isCovered = isCoveredAt(time) ?? false
    const touch = touchAt(time)
    // a change that says the opposite of what stands explains nothing
    const isTold = touch !== undefined && (touch.how === "added") === isCovered
    return { isCovered, touch: isTold ? touch : undefined, exception: exceptionAt(time), job: jobAt(time) }
  }
}

/** The parts of the range, in order and without a gap: what stands of each, and why. */
export const explain = (evidence: Evidence, range: Range): ReadonlyArray<ExplainedRange> => {
  const layers = layersOf(evidence, range)
  const factsAt = factReader(layers)
  const cuts = cutsOf(range, Object.values(layers))
  const pieces: Array<{ readonly facts: Facts; readonly from: number; until: number }> = []
  for (const [at, from] of cuts.slice(0, -1).entries()) {
    const [facts, until] = [factsAt(from), cuts[at + 1]!]
    const last = pieces.at(-1)
    if (last !== undefined && isAlike(last.facts, facts)) last.until = until
    else pieces.push({ facts, from, until })
  }
  return pieces.map(({ facts, from, until }) => explained(facts, [from, until], evidence.grid))
}
