/**
 * How does what is wanted of a series become jobs, and how are these seen through?
 *
 * A demand opens, joins or widens the run of each window; one whose run is under way waits for its end. Looking after
 * the jobs opens what waits or is due, and notes in the coverage what waits for a person.
 */
import { Clock, Effect } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import { type BackfillJob, isFinal, isRevision, jobId } from "../../protocol/history/BackfillJob.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { jobsOff } from "../../protocol/messages/BackfillOff.ts"
import type * as Messages from "../../protocol/messages/Coverage.ts"
import { randomId } from "../../runtime/randomId.ts"
import { Switches } from "../../runtime/Switches.ts"
import { traceParent } from "../../runtime/telemetry/Propagation.ts"
import * as Reach from "../sources/Reach.ts"
import * as Unsettled from "../../protocol/history/Unsettled.ts"
import type { CoverageRecord } from "./CoverageRecord.ts"
import type { JobRecords, Standing } from "./JobRecords.ts"
import { quarantineOf } from "./operateJob.ts"

/** How often it is looked whether jobs may be opened again, where operators have turned that off. */
const whileOffMs = 5000

/** Demands on windows whose open run brings less than they want: kept until that run has ended. */
type Following = Map<number, { readonly ranges: RangeSet.RangeSet; readonly demand: Messages.Ensure }>

/** What others want of the windows that a demand touches. */
const followed = (following: Following, wanted: RangeSet.RangeSet, grid: Window.Grid): RangeSet.RangeSet =>
  RangeSet.unionAll(Window.split(grid, wanted).flatMap(({ windowStart }) => following.get(windowStart)?.ranges ?? []))

/** What of the time it makes sense to ask for now. */
const askableIn = (record: CoverageRecord, ranges: RangeSet.RangeSet, nowMs: number): RangeSet.RangeSet =>
  Reach.askable(record.entry, RangeSet.subtract(ranges, record.covered()), record.root().exceptions, nowMs)

/** Opens nothing while operators have that turned off. */
const unlessOff = Effect.flatMap(Switches, (current) => {
  const off = jobsOff(current())
  return off === undefined ? Effect.void : Effect.fail(off)
})

const ensureIn = (record: CoverageRecord, jobs: JobRecords, following: Following) =>
  Effect.fn(Span.coverageEnsure)(function* (message: Messages.Ensure) {
    yield* unlessOff
    const nowMs = yield* Clock.currentTimeMillis
    // storage may have been rolled back: who asks is told of what stands, and what is opened is opened upon that
    yield* record.checkStanding
    const isFilling = message.revises === undefined
    const wanted = isFilling
      ? askableIn(record, message.ranges, nowMs)
      : RangeSet.intersect(message.ranges, record.covered())
    if (isEmpty(wanted)) return { version: record.root().version, jobs: [] }
    const others = isFilling ? followed(following, wanted, record.grid) : RangeSet.empty
    const stillMissing = RangeSet.subtract(others, record.covered())
    // those who wait for a run to end share the next one: whoever opens it opens it for all of them
    const windows = Window.split(record.grid, RangeSet.union(wanted, stillMissing))
    const generations = yield* record.generations(windows.map(({ windowStart }) => windowStart))
    const generationOf = (windowStart: number): number => generations.get(windowStart) ?? 0
    const plans = yield* jobs.demand({ ...message, nonce: yield* randomId, nowMs, generationOf }, windows)
    // who wants stored bars once more asks again by itself: nobody is kept from what is missing by that
    for (const plan of isFilling ? plans : []) {
      if (plan.action === "follow") following.set(plan.job.windowStart, { ranges: plan.ranges, demand: message })
      else if (plan.action !== "refuse") following.delete(plan.job.windowStart)
    }
    return { version: record.root().version, jobs: plans.map(({ job }) => job) }
  })

/** What windows are like now whose runs are opened again. */
const standingIn = (record: CoverageRecord) =>
  Effect.fnUntraced(function* (windowStarts: ReadonlyArray<number>) {
    const nowMs = yield* Clock.currentTimeMillis
    const generations = yield* record.generations(windowStarts)
    return (job: BackfillJob): Standing => {
      const time = RangeSet.of(...Window.windowRange(record.grid, job.windowStart))
      return {
        generation: generations.get(job.windowStart) ?? 0,
        wanted: isRevision(job) ? RangeSet.intersect(time, record.covered()) : askableIn(record, time, nowMs)
      }
    }
  })

/** Notes in the coverage what waits for a person, once for each job: whoever reads it is told, and asks no more. */
const makeQuarantine = (record: CoverageRecord, jobs: JobRecords) => {
  let noted = new Set<string>()
  const open = (job: BackfillJob): ReadonlyArray<MissingRange.MissingRange> => {
    const known = record.root().exceptions.filter(({ state }) => state === "quarantined")
    const told = RangeSet.union(record.covered(), MissingRange.timeOf(known))
    return MissingRange.without(quarantineOf(job), told)
  }
  const note = Effect.gen(function* () {
    const all = jobs.quarantined()
    const fresh = all.filter((job) => !noted.has(jobId(job)))
    const exceptions = fresh.flatMap(open)
    if (exceptions.length > 0) {
      yield* record.commit({
        series: record.root().series,
        windows: [],
        answered: MissingRange.timeOf(exceptions),
        exceptions,
        jobs: fresh.map(jobId),
        source: fresh[0]?.failure?.source ?? "",
        cause: "quarantined"
      })
    }
    noted = new Set(all.map(jobId))
  })
  return {
    note,
    noteAnew: Effect.andThen(
      Effect.sync(() => (noted = new Set())),
      note
    )
  }
}

/** Has bars asked for once more whose source has settled them by now. */
const settleIn = (record: CoverageRecord, jobs: JobRecords, ensure: ReturnType<typeof ensureIn>) =>
  Effect.gen(function* () {
    const { series, unsettled = [] } = record.root()
    if (unsettled.length === 0) return
    const { interval, sources } = record.entry
    for (const [source, due] of Unsettled.due(unsettled, interval, yield* Clock.currentTimeMillis)) {
      const underway = jobs.unfinished().filter(({ revises }) => revises === source)
      const ranges = RangeSet.subtract(due, RangeSet.unionAll(underway.map((job) => job.ranges)))
      // a source that is configured no more has had its last word
      if (isEmpty(ranges) || !sources.includes(source)) continue
      const about = { series, ranges, sources: [source], revises: source, traceParent: yield* traceParent }
      yield* ensure({ ...about, jobClass: "verify", cause: Unsettled.settleCause })
    }
  })

/** What is to be done about the jobs of a series, and when next. */
interface Left {
  /** Whether there are runs that have not ended, or demands that wait for some; or may be, as far as is known. */
  readonly isOpen: boolean
  /** When the next of those that failed is due, or bars settle, in epoch milliseconds; undefined where none is. */
  readonly nextDueMs: number | undefined
}

/** Opening jobs and looking after them, for one activation. */
export const demands = (record: CoverageRecord, jobs: JobRecords) => {
  const following: Following = new Map()
  const ensure = ensureIn(record, jobs, following)
  const quarantine = makeQuarantine(record, jobs)
  const settle = settleIn(record, jobs, ensure)
  /** Opens what waits for runs that have ended, and what is to be asked for once more. */
  const openWhatWaits = Effect.fnUntraced(function* (open: ReadonlySet<number>) {
    for (const [windowStart, { demand, ranges }] of following) {
      if (open.has(windowStart)) continue
      yield* ensure({ ...demand, ranges })
      // what was not opened is not missing any more, or may not be asked for now
      if (following.get(windowStart)?.ranges === ranges) following.delete(windowStart)
    }
    yield* settle
  })
  const lookAfter = Effect.gen(function* () {
    const current = yield* Switches
    const isOpening = jobsOff(current()) === undefined
    const { isWhole, nextDueMs, open } = yield* jobs.lookAfter(standingIn(record), isOpening)
    yield* quarantine.note
    const opened = openWhatWaits(open).pipe(
      Effect.as(true),
      // turned off meanwhile: it is opened when this comes by again
      Effect.catchTag("BackfillOff", () => Effect.succeed(false))
    )
    const isHeld = !isOpening || !(yield* opened)
    const { unsettled = [] } = record.root()
    const nowMs = yield* Clock.currentTimeMillis
    const times = [nextDueMs, Unsettled.nextDueMs(unsettled, record.entry.interval, nowMs)]
    const dueMs = times.reduce<number>((least, time) => Math.min(least, time ?? Infinity), Infinity)
    const isOpen = !isWhole || jobs.unfinished().some((job) => !isFinal(job)) || following.size > 0
    // what is due by now and may not be opened is in neither of these times: it is looked at now and then
    const nextMs = isHeld && (dueMs < Infinity || unsettled.length > 0) ? nowMs + whileOffMs : dueMs
    const left: Left = { isOpen, nextDueMs: nextMs === Infinity ? undefined : nextMs }
    return left
  })
  return { ensure, lookAfter, noteQuarantined: quarantine.noteAnew }
}
