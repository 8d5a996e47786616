/**
 * How are a series' job records opened and queued?
 *
 * The records in KV are the truth; what is kept here of them is what was last seen, so that most demands need no read.
 */
import { Effect, Option } from "effect"
import { type BackfillJob, isFinal } from "../../protocol/history/BackfillJob.ts"
import type { Series } from "../../protocol/history/Series.ts"
import type { WindowRanges } from "../../protocol/history/Window.ts"
import { readJob, writeJob } from "../../protocol/messages/Backfill.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh, type Stored } from "../../runtime/Mesh.ts"
import { type JobDemand, type JobPlan, type KnownJob, planJob } from "./planJobs.ts"

/** Opening a window's run is tried this often against others who change its record at the same time. */
const openTries = 10
const openConcurrency = 32

/** The job records of one series. */
export interface JobRecords {
  /** Opens, joins or widens the run of each window; gives the plan that came true. */
  readonly demand: (
    demand: JobDemand,
    windows: ReadonlyArray<WindowRanges>
  ) => Effect.Effect<ReadonlyArray<JobPlan>, MeshUnavailable>
  /** Puts every run that has not ended into the queue again, where it is missing. */
  readonly republish: Effect.Effect<void, MeshUnavailable>
  /** Windows whose runs have not ended, as far as is known here. */
  readonly unfinished: () => ReadonlyArray<number>
  /** Looks at the records of these windows again. */
  readonly refresh: (windowStarts: ReadonlyArray<number>) => Effect.Effect<void, MeshUnavailable>
}

/** Follows the job records of a series for as long as the scope lives. */
export const follow = Effect.fnUntraced(function* (series: Series) {
  const mesh = yield* Mesh
  const seriesKey = Subject.series(series.nodeId, series.interval)
  const keyOf = (windowStart: number): string => Subject.window(seriesKey, windowStart)
  const subjectOf = (windowStart: number): string => Stream.keySubject(Stream.jobs, keyOf(windowStart))
  const known = new Map<number, KnownJob>()

  const remember = (stored: Pick<Stored, "revision" | "value">): void => {
    const job = readJob(stored.value)
    if (Option.isNone(job)) return
    const before = known.get(job.value.windowStart)
    if (before === undefined || before.revision < stored.revision) {
      known.set(job.value.windowStart, { job: job.value, revision: stored.revision })
    }
  }

  const refresh = (windowStarts: ReadonlyArray<number>) =>
    windowStarts.length === 0
      ? Effect.void
      : Effect.map(mesh.readMany(Stream.jobs.name, windowStarts.map(subjectOf)), (stored) => stored.forEach(remember))

  const queueEntry = ({ jobClass, windowStart }: BackfillJob): string =>
    Subject.queuedJob({ jobClass, partition: 0, windowKey: keyOf(windowStart) })
  const enqueue = (job: BackfillJob) => mesh.enqueue(queueEntry(job), new Uint8Array(0))

  /** Writes the planned record; a conflict means that someone was faster: look again and plan anew. */
  const write = (plan: Extract<JobPlan, { action: "write" }>) =>
    mesh.write(subjectOf(plan.job.windowStart), writeJob(plan.job), { expect: plan.expect }).pipe(
      Effect.map((revision) => {
        known.set(plan.job.windowStart, { job: plan.job, revision })
        return true
      }),
      Effect.catchTag("RevisionConflict", () =>
        Effect.gen(function* () {
          const stored = yield* mesh.read(Stream.jobs.name, subjectOf(plan.job.windowStart))
          known.delete(plan.job.windowStart)
          if (Option.isSome(stored)) remember(stored.value)
          return false
        })
      )
    )

  const demandWindow = Effect.fnUntraced(function* (demand: JobDemand, wanted: WindowRanges) {
    for (let tries = 0; tries < openTries; tries++) {
      const plan = planJob(demand, wanted, known.get(wanted.windowStart))
      if (plan.action !== "write" || (yield* write(plan))) return plan
    }
    return yield* new MeshUnavailable({
      operation: `open job ${keyOf(wanted.windowStart)}`,
      reason: "others keep changing its record"
    })
  })

  const demand = Effect.fnUntraced(function* (demanded: JobDemand, windows: ReadonlyArray<WindowRanges>) {
    // a run that has ended may have been followed by another that was opened elsewhere
    const unsure = windows.filter(({ windowStart }) => {
      const job = known.get(windowStart)?.job
      return job === undefined || isFinal(job)
    })
    yield* refresh(unsure.map(({ windowStart }) => windowStart))
    const plans = yield* Effect.forEach(windows, (wanted) => demandWindow(demanded, wanted), {
      concurrency: openConcurrency
    })
    // in order, after all records are there: who takes the first window can claim those that follow
    for (const plan of plans) if (plan.action === "write") yield* enqueue(plan.job)
    return plans
  })

  const unfinished = (): ReadonlyArray<number> =>
    Array.from(known)
      .filter(([, { job }]) => !isFinal(job))
      .map(([windowStart]) => windowStart)

  const republish = Effect.gen(function* () {
    const open = unfinished()
    yield* refresh(open)
    for (const windowStart of open) {
      const job = known.get(windowStart)?.job
      if (job !== undefined && !isFinal(job)) yield* enqueue(job)
    }
  })

  yield* mesh.subscribe(Subject.changedUnder("jobs", seriesKey), (message) => {
    const revision = Number(message.headers.get("Nats-Sequence"))
    if (Number.isFinite(revision)) remember({ revision, value: Option.some(message.data) })
  })
  yield* mesh
    .readMany(Stream.jobs.name, [Stream.keySubject(Stream.jobs, `${seriesKey}.*`)])
    .pipe(Effect.map((stored) => stored.forEach(remember)))
  return { demand, republish, unfinished, refresh } satisfies JobRecords
})
