/**
 * How are a series' job records opened, queued and kept going?
 *
 * The queue has some windows of each series at a time, so that one with thousands of them keeps no other waiting. What
 * has not ended is put there again where its entry is missing; what failed is opened again when its time has come.
 */
import { Clock, Effect } from "effect"
import { type BackfillJob, isFinal, isRevision, JobClass } from "../../protocol/history/BackfillJob.ts"
import { urgentClasses } from "../../protocol/history/classShares.ts"
import type * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Series } from "../../protocol/history/Series.ts"
import type { WindowRanges } from "../../protocol/history/Window.ts"
import { jobEvent, jobKey, jobTtl, writeJob } from "../../protocol/messages/Backfill.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as LeaseWatch from "../../runtime/LeaseWatch.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { randomId } from "../../runtime/randomId.ts"
import * as KnownJobs from "./KnownJobs.ts"
import { expire, type JobDemand, type JobPlan, type KnownJob, planJob, reopen } from "./planJobs.ts"

/** Opening a window's run is tried this often against others who change its record at the same time. */
const openTries = 10
const openConcurrency = 32
/**
 * Windows of one series that wait in the queue at once, but for what is urgent; workers take those that follow along,
 * queued or not.
 */
const queuedMax = 64

/** What a look after the jobs has found. */
interface LookedAfter {
  /** Windows whose runs to fill them go on. */
  readonly open: ReadonlySet<number>
  /** When the next of those that failed is due, in epoch milliseconds; undefined where none is. */
  readonly nextDueMs: number | undefined
  /** Whether all jobs of the series were looked after: there may be some that are not known yet. */
  readonly isWhole: boolean
}

/** What a window is like now, for a run that is opened again. */
export interface Standing {
  readonly generation: number
  /** What of the series nobody has, and may be asked for; what is stored of it, for a run to revise. */
  readonly wanted: RangeSet.RangeSet
}

/** Tells what windows are like now, for their jobs. */
type Standings<E> = (windowStarts: ReadonlyArray<number>) => Effect.Effect<(job: BackfillJob) => Standing, E>

/** The job records of one series. */
export interface JobRecords {
  /** Opens, joins or widens the run of each window; gives the plans that came true. */
  readonly demand: (
    demand: JobDemand,
    windows: ReadonlyArray<WindowRanges>
  ) => Effect.Effect<ReadonlyArray<JobPlan>, MeshUnavailable>
  /**
   * Puts runs that have not ended into the queue again, where they are missing, frees those whose holder is gone, and
   * opens those again that failed and are due; with `isOpening` false, where that is turned off, none of those.
   */
  readonly lookAfter: <E>(
    standing: Standings<E>,
    isOpening?: boolean
  ) => Effect.Effect<LookedAfter, MeshUnavailable | E>
  /** The jobs that have not come to their end. */
  readonly unfinished: () => ReadonlyArray<BackfillJob>
  /** The jobs that wait for a person. */
  readonly quarantined: () => ReadonlyArray<BackfillJob>
  /**
   * Changes the record of what fills a window, or has a source revise it, as `change` says, if it says anything; gives
   * what stands then.
   */
  readonly change: (
    of: Pick<BackfillJob, "windowStart" | "revises">,
    change: (job: BackfillJob) => BackfillJob | undefined
  ) => Effect.Effect<BackfillJob | undefined, MeshUnavailable>
}

const urgency = ({ jobClass }: BackfillJob): number => JobClass.literals.indexOf(jobClass)

const isWaiting = ({ state }: BackfillJob): boolean => state === "PENDING" || state === "EXPIRED"

/** What the jobs of a series rest on. */
interface Ground {
  readonly mesh: Mesh["Service"]
  readonly known: KnownJobs.KnownJobs
  readonly series: Series
}

/**
 * Puts jobs into the queue, up to the first that it does not take: the records stand, and whatever is open is put there
 * again each second, while the actor has more to do than to wait for a queue.
 */
const enqueueAll = (
  { mesh, series: { interval, nodeId } }: Ground,
  jobs: ReadonlyArray<BackfillJob>,
  room = queuedMax
): Effect.Effect<void> =>
  Effect.forEach(
    jobs.toSorted((a, b) => urgency(a) - urgency(b)).slice(0, Math.max(0, room)),
    (job) =>
      mesh.enqueue(
        QueueSubject.queuedJob({ jobClass: job.jobClass, partition: 0, windowKey: jobKey(job) }),
        new Uint8Array(0)
      ),
    { discard: true }
  ).pipe(
    Effect.catch(({ message: reason }) =>
      Effect.logWarning("jobs not queued yet", { series: Subject.series(nodeId, interval), reason })
    )
  )

/** Writes a record upon the one that is known; false means that someone was faster, and that it is known again. */
const write = Effect.fnUntraced(function* ({ known, mesh }: Ground, job: BackfillJob, expect: number) {
  const key = jobKey(job)
  const before = known.get(key)?.job
  const written = yield* mesh.write(known.subjectOf(key), writeJob(job), { expect, ...jobTtl(job) }).pipe(
    Effect.map((revision) => {
      known.set({ job, revision })
      return true
    }),
    Effect.catchTag("RevisionConflict", () => Effect.as(known.look(key), false)),
    // it may have come through: then there is a job that nobody else looks after
    Effect.tapError(() => Effect.sync(() => known.doubt(key)))
  )
  const event = written ? jobEvent(before, job, yield* Clock.currentTimeMillis) : undefined
  if (event !== undefined) yield* Effect.ignore(mesh.publish(event.subject, event.data))
  return written
})

const othersChange = (key: string) =>
  new MeshUnavailable({
    operation: `change the job of ${key}`,
    reason: "others keep changing its record"
  })

const demandWindow = Effect.fnUntraced(function* (ground: Ground, demand: JobDemand, wanted: WindowRanges) {
  const key = jobKey({ ...demand, windowStart: wanted.windowStart })
  for (let tries = 0; tries < openTries; tries++) {
    const plan = planJob(demand, wanted, ground.known.get(key))
    if (plan.action !== "write" || (yield* write(ground, plan.job, plan.expect))) return plan
  }
  return yield* othersChange(key)
})

const demandIn = (ground: Ground): JobRecords["demand"] =>
  Effect.fnUntraced(function* (demanded, windows) {
    const { known } = ground
    // a run that has ended may have been followed by another that was opened elsewhere
    const keys = windows.map(({ windowStart }) => jobKey({ ...demanded, windowStart }))
    const unsure = keys.filter((key) => {
      const job = known.get(key)?.job
      return job === undefined || isFinal(job)
    })
    yield* known.refresh(unsure)
    const plans = yield* Effect.forEach(windows, (wanted) => demandWindow(ground, demanded, wanted), {
      concurrency: openConcurrency
    })
    const opened = plans.flatMap((plan) => (plan.action === "write" ? [plan.job] : []))
    // what waits already, whoever wanted it; the rest is queued when some of it is done
    const waiting = known.unfinished().filter(({ job }) => isWaiting(job)).length - opened.length
    // after all records are there: who takes the first window can claim those that follow
    yield* enqueueAll(ground, opened, urgentClasses.includes(demanded.jobClass) ? queuedMax : queuedMax - waiting)
    return plans
  })

/** Frees the job of a holder that is gone; it is as good as free without that, but nobody would see it. */
const freeIn = (ground: Ground, watch: LeaseWatch.LeaseWatch) =>
  Effect.fnUntraced(function* ({ job, revision }: KnownJob) {
    if (job.state !== "RUNNING" || job.lease === null) return
    const lease = { key: jobKey(job), revision, ...job.lease }
    if (!(yield* watch.hasEnded(lease))) return
    watch.forget(lease.key)
    yield* write(ground, expire(job, yield* randomId), revision)
  })

/** Opens those again that failed and are due. */
const reopenDue = Effect.fnUntraced(function* <E>(ground: Ground, standing: Standings<E>) {
  const nowMs = yield* Clock.currentTimeMillis
  const due = ground.known.unfinished().filter(({ job }) => job.state === "FAILED" && (job.nextAttemptAt ?? 0) <= nowMs)
  if (due.length === 0) return
  const standingOf = yield* standing(due.map(({ job }) => job.windowStart))
  yield* Effect.forEach(
    due,
    ({ job, revision }) =>
      Effect.flatMap(randomId, (nonce) => write(ground, reopen(job, { nonce, ...standingOf(job) }), revision)),
    { concurrency: openConcurrency, discard: true }
  )
})

const lookAfterIn = (ground: Ground, watch: LeaseWatch.LeaseWatch): JobRecords["lookAfter"] => {
  const free = freeIn(ground, watch)
  const { known } = ground
  return Effect.fnUntraced(function* (standing, isOpening = true) {
    yield* known.relist
    yield* known.refresh(known.unfinished().map(({ job }) => jobKey(job)))
    known.prune()
    yield* Effect.forEach(known.unfinished(), free, { discard: true })
    if (isOpening) yield* reopenDue(ground, standing)
    const left = known.unfinished().map(({ job }) => job)
    yield* enqueueAll(ground, left.filter(isWaiting))
    const times = left.flatMap(({ nextAttemptAt, state }) => (state === "FAILED" ? (nextAttemptAt ?? []) : []))
    return {
      open: new Set(left.filter((job) => !isFinal(job) && !isRevision(job)).map(({ windowStart }) => windowStart)),
      nextDueMs: times.length === 0 ? undefined : Math.min(...times),
      isWhole: known.isListed()
    }
  })
}

const changeIn = (ground: Ground): JobRecords["change"] =>
  Effect.fnUntraced(function* ({ revises, windowStart }, change) {
    const key = jobKey({ series: ground.series, windowStart, ...(revises !== undefined && { revises }) })
    yield* ground.known.look(key)
    for (let tries = 0; tries < openTries; tries++) {
      const standing = ground.known.get(key)
      const next = standing && change(standing.job)
      if (standing === undefined || next === undefined) return standing?.job
      if (yield* write(ground, { ...next, nonce: yield* randomId }, standing.revision)) return next
    }
    return yield* othersChange(key)
  })

/** The job records of a series, for as long as the scope lives. */
export const open = Effect.fnUntraced(function* (series: Series) {
  const watch = yield* LeaseWatch.make
  const known = yield* KnownJobs.follow(series)
  const ground: Ground = { mesh: yield* Mesh, known, series }
  return {
    demand: demandIn(ground),
    lookAfter: lookAfterIn(ground, watch),
    change: changeIn(ground),
    unfinished: () => known.unfinished().map(({ job }) => job),
    quarantined: () => known.quarantined().map(({ job }) => job)
  } satisfies JobRecords
})
